import Analysis
import Configuration
import FIMLCore
import LinuxSystem
import Locking

/// Told what happens to workers.
public protocol WorkerObserver: Sendable {
    /// A try of a task has ended: `success`, `failed` or `timeout`.
    func taskEnded(_ type: WorkerType, status: String, seconds: Double)
    /// A worker's circuit has another state.
    func circuitChanged(workerID: String, from: CircuitState, to: CircuitState)
    /// A worker has another status.
    func workerStatusChanged(
        workerID: String, type: WorkerType, from: WorkerStatus, to: WorkerStatus, reason: String)
}

/// The workers of one type: who gets the next task, and how each fares.
///
/// A task goes to the worker with the fewest, among those that have room and whose circuit admits it. Where
/// none has room it waits; how many can wait is bounded by the analyses that are under way.
final class WorkerPool: Sendable {
    private struct Instance {
        var inProgress = 0
        var circuit: CircuitBreaker
        var tally = TaskTally()
        var told = WorkerStatus.initializing
    }

    private struct State {
        var instances: [Instance]
        /// Where the search for the least loaded begins, so that equals take turns.
        var next = 0
        var waiting: [(id: UInt64, turn: CheckedContinuation<Void, Never>)] = []
        var lastID: UInt64 = 0
        var isStopped = false
    }

    let type: WorkerType
    /// Whether its workers are those of other gateways.
    let isRemote: Bool
    private let settings: Settings.Workers
    private let host: any WorkerHost
    /// Where tasks go while the host has no process; nil where there are no other gateways.
    private let elsewhere: RemoteHost?
    private let observer: (any WorkerObserver)?
    private let now: @Sendable () -> UInt64
    private let state: Locked<State>

    init(
        _ type: WorkerType, _ settings: Settings.Workers, host: any WorkerHost, elsewhere: RemoteHost? = nil,
        observer: (any WorkerObserver)?, now: @escaping @Sendable () -> UInt64
    ) {
        self.type = type
        self.settings = settings
        self.host = host
        self.elsewhere = elsewhere
        isRemote = host is RemoteHost
        self.observer = observer
        self.now = now
        let circuit = CircuitBreaker(
            threshold: settings.circuitBreakerThreshold,
            openMilliseconds: UInt64(clamping: settings.circuitBreakerTimeout.components.seconds * 1000))
        let size = isRemote ? 1 : Self.size(of: type, settings)
        state = Locked(State(instances: (0..<size).map { _ in Instance(circuit: circuit) }))
    }

    /// How many workers of a type there are.
    static func size(of type: WorkerType, _ settings: Settings.Workers) -> Int {
        switch type {
        case .macro, .correlation, .risk, .options: max(1, settings.poolSize / 2)
        case .fundamentals, .technical, .sentiment, .news: settings.poolSize
        }
    }

    /// The id of the one that stands for a type's workers at other gateways: `fundamentals@redis`.
    static func remoteID(_ type: WorkerType) -> String { "\(type.rawValue)@redis" }

    /// A worker's id: `fund_0`.
    func id(_ worker: Int) -> String {
        isRemote ? Self.remoteID(type) : "\(type.idPrefix)\(worker)"
    }

    /// Whether an id can be one of its workers'.
    func mayHave(_ id: String) -> Bool {
        isRemote ? id == Self.remoteID(type) : id.hasPrefix(type.idPrefix)
    }

    // MARK: - Tasks

    /// Has one worker try a task, once. Not by `avoided` where there is another with room. One that `stays`
    /// here is not sent to another gateway, whatever becomes of it. Throws `unavailable` where no circuit
    /// admits a task.
    func attempt(
        _ figures: Figures, avoiding avoided: Int?, stays: Bool = false
    ) async throws(AttemptFailure) -> (answer: WorkerAnswer, worker: Int) {
        let (worker, isTrial) = try await take(avoiding: avoided)
        let begun = now()
        do throws(WorkerFailure) {
            let place = stays ? host : place()
            let answer = try await place.run(figures, by: worker, within: settings.taskTimeout)
            if case .finding(let finding) = answer { try Self.check(finding) }
            give(back: worker, .success(()), isTrial, begun)
            return (answer, worker)
        } catch {
            give(back: worker, .failure(error), isTrial, begun)
            throw .worker(error, worker)
        }
    }

    /// The host; other gateways while it has no process and they have one.
    private func place() -> any WorkerHost {
        guard let elsewhere else { return host }
        switch host.status().state {
        case .starting, .running: return host
        case .restarting, .stopped: return elsewhere.status().state == .running ? elsewhere : host
        }
    }

    /// A host of this process passes on what its worker makes up: a score that is no number would make none
    /// of the verdict either. NaN is in no range.
    private static func check(_ finding: Finding) throws(WorkerFailure) {
        guard (0...10).contains(finding.score) else { throw .rubbish("a score of \(finding.score)") }
        guard (0...1).contains(finding.confidence) else {
            throw .rubbish("a confidence of \(finding.confidence)")
        }
    }

    private enum Choice {
        case worker(Int, isTrial: Bool)
        case wait
        case unavailable(milliseconds: UInt64)
        case stopped
    }

    private func take(avoiding avoided: Int?) async throws(AttemptFailure) -> (worker: Int, isTrial: Bool) {
        while true {
            let (choice, change) = state.withLock { choose(&$0, avoided) }
            tell(change)
            switch choice {
            case .worker(let worker, let isTrial): return (worker, isTrial)
            case .unavailable(let milliseconds): throw .unavailable(milliseconds)
            case .stopped: throw .worker(.stopped, 0)
            case .wait: await waitForRoom()
            }
            if Task.isCancelled {
                // It may have been woken for a place just when it was cancelled: the next may have that.
                wakeNext()
                throw .worker(.stopped, 0)
            }
        }
    }

    /// How many tasks wait for room.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    private func wakeNext() {
        let turn = state.withLock { $0.waiting.isEmpty ? nil : $0.waiting.removeFirst().turn }
        turn?.resume()
    }

    /// The least loaded that may be given a task, which it then has.
    private func choose(_ state: inout State, _ avoided: Int?) -> (Choice, CircuitChange?) {
        guard !state.isStopped else { return (.stopped, nil) }
        let now = now()
        let count = state.instances.count
        let order = (0..<count).map { (state.next + $0) % count }
        let admitted = order.filter { state.instances[$0].circuit.admits(at: now) }
        guard !admitted.isEmpty else {
            let open = state.instances.filter { $0.circuit.state == .open }.map(\.circuit.opensAt).min()
            return (.unavailable(milliseconds: open.map { $0 - min($0, now) } ?? 1000), nil)
        }
        let free = admitted.filter { state.instances[$0].inProgress < settings.maxConcurrentTasks }
        let others = free.filter { $0 != avoided }
        let candidates = others.isEmpty ? free : others
        guard
            let worker = candidates.min(by: {
                state.instances[$0].inProgress < state.instances[$1].inProgress
            })
        else { return (.wait, nil) }
        state.next = (worker + 1) % count
        state.instances[worker].inProgress += 1
        let before = state.instances[worker].circuit.state
        let isTrial = state.instances[worker].circuit.began()
        let change = CircuitChange(worker, before, state.instances[worker].circuit.state)
        return (.worker(worker, isTrial: isTrial), change)
    }

    /// Until some worker gives a task back, or the task that waits is cancelled.
    private func waitForRoom() async {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let mayWait = state.withLock { state in
                    let isFull = state.instances.allSatisfy {
                        $0.inProgress >= settings.maxConcurrentTasks || $0.circuit.state != .closed
                    }
                    // Somebody must be there to wake who waits.
                    let isBusy = state.instances.contains { $0.inProgress > 0 }
                    guard isFull, isBusy, !state.isStopped, !Task.isCancelled else { return false }
                    state.waiting.append((id, turn))
                    return true
                }
                if !mayWait { turn.resume() }
            }
        } onCancel: {
            let turn = state.withLock { state in
                state.waiting.firstIndex { $0.id == id }.map { state.waiting.remove(at: $0).turn }
            }
            turn?.resume()
        }
    }

    private func give(
        back worker: Int, _ result: Result<Void, WorkerFailure>, _ isTrial: Bool, _ begun: UInt64
    ) {
        let now = now()
        let seconds = Double(now - min(begun, now)) / 1000
        let time = Timestamp(milliseconds: wallMilliseconds())
        let (change, turns) = state.withLock { state in
            let before = state.instances[worker].circuit.state
            state.instances[worker].inProgress -= 1
            switch result {
            case .success:
                state.instances[worker].circuit.succeeded(isTrial: isTrial)
                state.instances[worker].tally.answered(in: seconds, at: time)
            // Neither says anything about the worker.
            case .failure(.stopped), .failure(.refused):
                state.instances[worker].circuit.abandoned(isTrial: isTrial, at: now)
            case .failure(let failure):
                state.instances[worker].circuit.failed(isTrial: isTrial, begun: begun, at: now)
                state.instances[worker].tally.failed(
                    failure.description, isTimeout: failure.isTimeout, at: time)
            }
            // A circuit that opened leaves those who wait without hope, and one that closed has room for
            // many: all look again.
            let after = state.instances[worker].circuit.state
            let isAsBefore = before == .closed && after == .closed
            let woken = isAsBefore ? min(1, state.waiting.count) : state.waiting.count
            let turns = state.waiting.prefix(woken).map(\.turn)
            state.waiting.removeFirst(woken)
            return (CircuitChange(worker, before, after), turns)
        }
        for turn in turns { turn.resume() }
        tell(change)
        switch result {
        case .success: observer?.taskEnded(type, status: "success", seconds: seconds)
        case .failure(.stopped): break
        case .failure(let failure):
            observer?.taskEnded(type, status: failure.isTimeout ? "timeout" : "failed", seconds: seconds)
        }
    }

    /// Ends the host; whoever waits is let go.
    func shutDown() async {
        let turns = state.withLock { state in
            state.isStopped = true
            defer { state.waiting = [] }
            return state.waiting.map(\.turn)
        }
        for turn in turns { turn.resume() }
        await host.shutDown()
    }

    // MARK: - Health

    private struct CircuitChange {
        let worker: Int
        let from: CircuitState
        let to: CircuitState

        init?(_ worker: Int, _ from: CircuitState, _ to: CircuitState) {
            guard from != to else { return nil }
            (self.worker, self.from, self.to) = (worker, from, to)
        }
    }

    private func tell(_ change: CircuitChange?) {
        guard let change else { return }
        observer?.circuitChanged(workerID: id(change.worker), from: change.from, to: change.to)
        check()
    }

    func hostStatus() -> WorkerHostStatus { host.status() }

    /// Whether it is of interest to anybody: what is switched off here, and offered nowhere else, is not.
    var isShown: Bool { !isRemote || host.status().state != .stopped }

    /// Whether it has a process, and a worker whose circuit would admit a task.
    var takesTasks: Bool {
        let now = now()
        return host.status().state == .running
            && state.withLock { !$0.isStopped && $0.instances.contains { $0.circuit.admits(at: now) } }
    }

    /// Each worker's figures.
    func metrics() -> [WorkerMetrics] {
        let host = host.status()
        let now = now()
        let (instances, isStopped) = state.withLock { ($0.instances, $0.isStopped) }
        return instances.enumerated().map { index, instance in
            let (status, reason) = isStopped ? (.shutdown, nil) : judge(instance, host)
            return WorkerMetrics(
                id: id(index), type: type, isRemote: isRemote, status: status, reason: reason,
                circuit: instance.circuit.state,
                consecutiveFailures: instance.circuit.failures,
                circuitRetryMilliseconds: instance.circuit.state == .open
                    ? instance.circuit.opensAt - min(instance.circuit.opensAt, now) : nil,
                tasksInProgress: instance.inProgress, tally: instance.tally,
                lastHeartbeat: host.lastHeartbeat, memoryMB: host.memoryMB, cpuPercent: host.cpuPercent)
        }
    }

    private func judge(_ worker: Instance, _ host: WorkerHostStatus) -> (WorkerStatus, String?) {
        switch host.state {
        case .starting: return (.initializing, "its process is starting")
        case .restarting where host.isRemote: return (.unhealthy, host.lastExit)
        case .restarting: return (.unhealthy, host.lastExit.map { "its process ended: \($0)" })
        case .stopped: return (.shutdown, nil)
        case .running: break
        }
        if let heard = host.lastHeartbeat {
            let age = (wallMilliseconds() - heard.milliseconds) / 1000
            if age > settings.maxHeartbeatAge.components.seconds {
                return (.unhealthy, "not heard of for \(age) s")
            }
        }
        if worker.circuit.state == .open {
            return (.unhealthy, "its circuit is open after \(worker.circuit.failures) failures in a row")
        }
        let rate = worker.tally.errorRate
        if worker.tally.recentCount >= Self.fewTasks, rate > settings.errorRateThreshold {
            return (.unhealthy, "\(Int(rate * 100)) % of its last tasks failed")
        }
        if worker.circuit.state == .halfOpen { return (.degraded, "one task tries whether it is back") }
        return worker.tally.lastFailed ? (.degraded, "its last task failed") : (.healthy, nil)
    }

    /// Of fewer tasks an error rate says nothing.
    private static let fewTasks = 5

    /// Tells whose status has changed since the last look.
    func check() {
        guard let observer else { return }
        let metrics = metrics()
        let changes = state.withLock { state in
            metrics.enumerated().compactMap { index, worker -> (WorkerMetrics, WorkerStatus)? in
                let before = state.instances[index].told
                guard before != worker.status else { return nil }
                state.instances[index].told = worker.status
                return (worker, before)
            }
        }
        for (worker, before) in changes {
            observer.workerStatusChanged(
                workerID: worker.id, type: type, from: before, to: worker.status,
                reason: worker.reason ?? "well")
        }
    }
}

/// Why a try of a task led to nothing.
enum AttemptFailure: Error, Equatable {
    /// The worker failed.
    case worker(WorkerFailure, Int)
    /// Every circuit is open; the first may be tried after so many milliseconds.
    case unavailable(UInt64)
}

extension WorkerFailure {
    var isTimeout: Bool {
        if case .timedOut = self { true } else { false }
    }
}
