import FIMLCore
import MarketData

/// What a `ProviderClient` keeps of a provider: whether and when it may be asked, and how it has answered.
struct ProviderState {
    private(set) var circuit = ProviderCircuit()
    private var buckets: [TokenBucket]
    /// Until when the provider wants to be left alone.
    private var retryAt: Timestamp?
    private var figures: ProviderHealth

    init(_ name: ProviderName, _ rates: [RequestRate]) {
        buckets = rates.map(TokenBucket.init)
        figures = ProviderHealth(name: name)
    }

    // MARK: - Before a request

    /// Takes a place for a request of that weight, whose turn comes in so many milliseconds. Throws, with
    /// why, where that is too long.
    mutating func reserve(_ weight: Int, at now: Timestamp, within limit: Int64) throws(MarketDataError)
        -> Int64
    {
        try checkCircuit(at: now)
        let asked = max(0, (retryAt?.milliseconds ?? 0) - now.milliseconds)
        guard asked <= limit else { throw leftAlone(until: retryAt ?? now) }
        // None takes a token where another has none.
        var taken = buckets
        var wait = asked
        for index in taken.indices {
            guard let turn = taken[index].take(weight, at: now, within: limit) else {
                throw MarketDataError("its rate of requests is used up")
            }
            wait = max(wait, turn)
        }
        buckets = taken
        return wait
    }

    /// A request whose turn has come begins. Throws, with why, where the provider must not be asked any more.
    mutating func begin(at now: Timestamp) throws(MarketDataError) {
        try checkCircuit(at: now)
        if let retryAt, retryAt > now { throw leftAlone(until: retryAt) }
        circuit.began(at: now)
        figures.requests += 1
    }

    private func checkCircuit(at now: Timestamp) throws(MarketDataError) {
        guard let until = circuit.blocked(at: now) else { return }
        throw MarketDataError(
            "not asked until \(until.rfc3339) after \(ProviderCircuit.failuresToOpen) failures in a row")
    }

    private func leftAlone(until moment: Timestamp) -> MarketDataError {
        MarketDataError("it asked not to be asked until \(moment.rfc3339)")
    }

    // MARK: - After it

    /// The provider answered, in so many milliseconds.
    mutating func answered(in milliseconds: Double) {
        figures.answers += 1
        figures.lastLatencyMilliseconds = milliseconds
        let mean = figures.averageLatencyMilliseconds ?? 0
        figures.averageLatencyMilliseconds = mean + (milliseconds - mean) / Double(figures.answers)
    }

    /// It wants to be left alone.
    mutating func wantsRest(until moment: Timestamp) {
        retryAt = max(retryAt ?? moment, moment)
    }

    /// A request brought nothing of use. To the circuit that is a failure where nobody else would get more;
    /// where the provider only lacks what was asked for (a symbol it does not know), all is well with it.
    mutating func failed(_ error: MarketDataError, at now: Timestamp) {
        switch error.cause {
        case .failure, .unauthorized: circuit.failed(at: now)
        case .hasNone, .tooOften: circuit.succeeded()
        }
        figures.failures += 1
        if error.cause != .hasNone { figures.consecutiveFailures += 1 }
        figures.lastFailure = now
        figures.lastError = error.description
    }

    /// A request brought figures, and with them some that were refused.
    mutating func succeeded(refused: Int, reasons: [String], at now: Timestamp) {
        circuit.succeeded()
        figures.consecutiveFailures = 0
        figures.lastSuccess = now
        figures.refusedFigures += refused
        if refused > 0 { figures.refusedReasons = reasons }
    }

    /// How it is.
    func health(at now: Timestamp) -> ProviderHealth {
        var health = figures
        let rest = retryAt.flatMap { $0 > now ? $0 : nil }
        let blocked = circuit.blocked(at: now)
        health.retryAt = [rest, blocked].compactMap(\.self).max()
        health.state =
            if blocked != nil {
                .circuitOpen
            } else if rest != nil {
                .rateLimited
            } else if health.consecutiveFailures > 0 {
                .degraded
            } else {
                health.lastSuccess == nil ? .unused : .ok
            }
        return health
    }
}
