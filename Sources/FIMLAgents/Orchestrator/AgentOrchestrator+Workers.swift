import Analysis
import FIMLCore
import LinuxSystem

// How one worker's result comes about.
extension AgentOrchestrator {
    /// From the cache, from who computes the same at this moment, or computed.
    func result(_ type: WorkerType, _ asset: Asset, _ gathering: FigureGathering) async -> WorkerResult {
        let begun = now()
        let key = FlightKey(type: type, asset: asset)
        repeat {
            let found = flights.withLock { flights -> Found in
                if let flight = flights[key], !flight.isAbandoned { return .flight(flight, isNew: false) }
                // Looked for here, since a flight is kept before it is taken from the table.
                if let result = cache.result(type, asset) { return .kept(result) }
                let flight = Flight<WorkerResult>()
                flights[key] = flight
                return .flight(flight, isNew: true)
            }
            switch found {
            case .kept(let result): return result
            case .flight(let flight, let isNew):
                if isNew { begin(flight, key, gathering) }
                if let result = await flight.value() { return result }
            }
            // Abandoned by all others in the moment when this one came to it: begun again.
        } while !Task.isCancelled
        return ended(type, asset, .cancelled, begun: begun)
    }

    private enum Found {
        case kept(WorkerResult)
        case flight(Flight<WorkerResult>, isNew: Bool)
    }

    private func begin(_ flight: Flight<WorkerResult>, _ key: FlightKey, _ gathering: FigureGathering) {
        flight.begin {
            if let kept = await self.kept(key) { return kept }
            let result = await self.compute(key.type, key.asset, gathering)
            self.cache.keep(result)
            self.keptFindings?.keep(result, milliseconds: self.cache.lifetime(result))
            return result
        } land: { _ in
            self.flights.withLock { flights in
                if flights[key] === flight { flights[key] = nil }
            }
        }
    }

    /// From the store, where somebody else computed it: this gateway before a restart, or another one.
    private func kept(_ key: FlightKey) async -> WorkerResult? {
        let kept = await keptFindings?.finding(key.type, key.asset, lifetime: cache.lifetime)
        guard let kept else { return nil }
        cache.keep(kept.result, milliseconds: kept.milliseconds)
        return kept.result
    }

    private func compute(
        _ type: WorkerType, _ asset: Asset, _ gathering: FigureGathering
    ) async -> WorkerResult {
        let begun = now()
        let figures = await gathering.figures(for: type)
        if Task.isCancelled { return ended(type, asset, .cancelled, begun: begun) }
        guard figures.suffice(for: type) else {
            var result = ended(type, asset, .insufficientData, begun: begun)
            result.missing = figures.missing
            return result
        }
        guard let pool = pool(type) else { return ended(type, asset, .unavailable, begun: begun) }
        var last: (failure: WorkerFailure, worker: Int)?
        for attempt in 1...(settings.workers.retryAttempts + 1) {
            if attempt > 1, (try? await Task.sleep(for: pause(after: last?.failure))) == nil { break }
            do throws(AttemptFailure) {
                let (answer, worker) = try await pool.attempt(figures, avoiding: last?.worker)
                var result = await result(type, asset, answer, pool.id(worker), attempt, begun)
                if market.isLive, !figures.missing.isEmpty { result.isPartial = true }
                return result
            } catch {
                switch error {
                case .unavailable(let milliseconds):
                    var result = ended(type, asset, .unavailable, begun: begun)
                    let why = last.map { "; the last failure: \($0.failure)" } ?? ""
                    let seconds = milliseconds / 1000 + 1
                    result.error =
                        "no \(type.rawValue) worker takes tasks for \(seconds) s, after failures\(why)"
                    result.attempts = attempt - 1
                    return result
                case .worker(.stopped, _):
                    var result = ended(type, asset, .cancelled, begun: begun)
                    if !Task.isCancelled { result.error = "the workers are being shut down" }
                    return result
                case .worker(let failure, let worker):
                    last = (failure, worker)
                }
            }
        }
        if Task.isCancelled { return ended(type, asset, .cancelled, begun: begun) }
        return failed(type, asset, last, pool, begun)
    }

    private func failed(
        _ type: WorkerType, _ asset: Asset, _ last: (failure: WorkerFailure, worker: Int)?,
        _ pool: WorkerPool, _ begun: UInt64
    ) -> WorkerResult {
        var result = ended(type, asset, last?.failure.isTimeout == true ? .timedOut : .failed, begun: begun)
        result.error = last?.failure.description
        result.workerID = last.map { pool.id($0.worker) }
        result.attempts = settings.workers.retryAttempts + 1
        return result
    }

    private func result(
        _ type: WorkerType, _ asset: Asset, _ answer: WorkerAnswer, _ workerID: String, _ attempts: Int,
        _ begun: UInt64
    ) async -> WorkerResult {
        var result: WorkerResult
        switch answer {
        case .insufficient(let missing):
            result = ended(type, asset, .insufficientData, begun: begun)
            result.missing = missing
        case .finding(let finding):
            var interpreted = finding
            var by = WorkerResult.Interpreted.byRules(nil)
            if let interpreter {
                switch await interpreter.interpret(finding, of: type, asset: asset) {
                case .model(let finding): (interpreted, by) = (finding, .byModel)
                case .rules(let reason): by = .byRules(reason)
                }
            }
            result = ended(type, asset, .completed, begun: begun)
            result.isPartial = interpreter != nil && type.interpretable != nil && by != .byModel
            result.finding = interpreted
            result.interpreted = by
        }
        result.workerID = workerID
        result.attempts = attempts
        return result
    }

    /// The pause before another try, a quarter more or less, so that many that failed together do not come
    /// back together.
    private func pause(after failure: WorkerFailure?) -> Duration {
        var pause = settings.workers.retryDelay
        // A process is started again within some tenths of a second.
        if case .hostLost = failure { pause = max(pause, .milliseconds(500)) }
        return pause * Double.random(in: 0.75...1.25)
    }

    private func ended(
        _ type: WorkerType, _ asset: Asset, _ status: WorkerResult.Status, begun: UInt64
    ) -> WorkerResult {
        var result = WorkerResult(type, asset, status, at: Timestamp(milliseconds: wallMilliseconds()))
        result.durationMS = Int(clamping: now() - min(begun, now()))
        return result
    }
}
