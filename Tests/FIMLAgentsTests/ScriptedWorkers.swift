import Analysis
import Configuration
import FIMLCore
import Locking
import Testing

@testable import FIMLAgents

/// Waits until something is so, at most 20 seconds.
func until(
    _ what: String, _ location: SourceLocation = #_sourceLocation, _ isMet: () async -> Bool
) async {
    // All suites run beside each other, on two cores or on one.
    let end = ContinuousClock.now + .seconds(120)
    while ContinuousClock.now < end {
        if await isMet() { return }
        try? await Task.sleep(for: .milliseconds(1))
    }
    Issue.record("not in time: \(what)", sourceLocation: location)
}

/// A clock that goes on when it is told to, in milliseconds.
final class ManualClock: Sendable {
    private let time = Locked<UInt64>(1_000_000)

    var now: UInt64 { time.withLock { $0 } }

    func advance(seconds: UInt64) { advance(milliseconds: seconds * 1000) }

    func advance(milliseconds: UInt64) { time.withLock { $0 += milliseconds } }
}

/// Closed, then open for good; who passes can be cancelled.
final class Latch: Sendable {
    private let isOpen = Locked(false)

    func open() { isOpen.withLock { $0 = true } }

    /// Whether it was opened before the task was cancelled.
    func pass() async -> Bool {
        while !isOpen.withLock({ $0 }) {
            guard (try? await Task.sleep(for: .milliseconds(1))) != nil else { return false }
        }
        return true
    }
}

/// Workers that do as a script says.
final class ScriptedHost: WorkerHost {
    struct Call: Sendable {
        let figures: Figures
        let worker: Int
        let limit: Duration
        /// From 0.
        let number: Int
    }

    enum Move: Sendable {
        case score(Double, confidence: Double)
        case answer(WorkerAnswer)
        case fail(WorkerFailure)
        /// Answers once the latch is open; `stopped` where it is cancelled before.
        indirect case hold(Latch, then: Move)
    }

    private struct State {
        var calls: [Call] = []
        var running = 0
        var mostRunning = 0
        var shutDowns = 0
        var status: WorkerHostStatus
    }

    private let script: @Sendable (Call) -> Move
    private let ending: Latch?
    private let state: Locked<State>

    /// `ending`, where given, keeps the host from ending before it is open.
    init(
        _ type: WorkerType, ending: Latch? = nil,
        _ script: @escaping @Sendable (Call) -> Move = { _ in .score(6, confidence: 0.5) }
    ) {
        self.script = script
        self.ending = ending
        state = Locked(State(status: WorkerHostStatus(type, .running)))
    }

    var calls: [Call] { state.withLock { $0.calls } }
    var running: Int { state.withLock { $0.running } }
    var mostRunning: Int { state.withLock { $0.mostRunning } }
    var shutDowns: Int { state.withLock { $0.shutDowns } }

    func set(_ change: (inout WorkerHostStatus) -> Void) {
        state.withLock { change(&$0.status) }
    }

    func run(
        _ figures: Figures, by worker: Int, within limit: Duration
    ) async throws(WorkerFailure) -> WorkerAnswer {
        let call = state.withLock { state in
            let call = Call(figures: figures, worker: worker, limit: limit, number: state.calls.count)
            state.calls.append(call)
            state.running += 1
            state.mostRunning = max(state.mostRunning, state.running)
            return call
        }
        defer { state.withLock { $0.running -= 1 } }
        var move = script(call)
        while true {
            switch move {
            case .score(let score, let confidence):
                return .finding(.scripted(score, confidence: confidence))
            case .answer(let answer): return answer
            case .fail(let failure): throw failure
            case .hold(let latch, let then):
                guard await latch.pass() else { throw .stopped }
                move = then
            }
        }
    }

    func status() -> WorkerHostStatus { state.withLock { $0.status } }

    func shutDown() async {
        state.withLock { $0.shutDowns += 1 }
        guard let ending else { return }
        // Not even a cancellation ends it.
        await Task.detached { _ = await ending.pass() }.value
    }
}

extension Finding {
    static func scripted(_ score: Double, confidence: Double) -> Finding {
        Finding(
            score: score, confidence: confidence, asOf: Timestamp(milliseconds: 1_700_000_000_000),
            details: ["trend": "up"])
    }
}

/// Writes down what an observer is told.
final class WorkerObservations: WorkerObserver {
    private let told = Locked<[String]>([])

    var lines: [String] { told.withLock { $0 } }

    func taskEnded(_ type: WorkerType, status: String, seconds: Double) {
        told.withLock { $0.append("task \(type.rawValue) \(status)") }
    }

    func circuitChanged(workerID: String, from: CircuitState, to: CircuitState) {
        told.withLock { $0.append("circuit \(workerID) \(from.rawValue) \(to.rawValue)") }
    }

    func workerStatusChanged(
        workerID: String, type: WorkerType, from: WorkerStatus, to: WorkerStatus, reason: String
    ) {
        told.withLock { $0.append("status \(workerID) \(from.rawValue) \(to.rawValue): \(reason)") }
    }
}

/// An orchestrator with everything around it scripted.
struct AnalysisRig {
    let clock: ManualClock
    let market: ScriptedMarket
    let hosts: [WorkerType: ScriptedHost]
    let observations = WorkerObservations()
    let orchestrator: AgentOrchestrator

    /// Settings without pauses, changed by `change`; hosts that score 6 but for those given.
    init(
        _ hosts: [WorkerType: ScriptedHost] = [:], market: ScriptedMarket = ScriptedMarket(),
        isLive: Bool = true, interpreter: (any Interpreter)? = nil, clock: ManualClock = ManualClock(),
        keeping: ResultKeeping? = nil, _ change: (inout Settings) -> Void = { _ in }
    ) {
        var settings = Settings()
        settings.workers.retryDelay = .zero
        change(&settings)
        let all = Dictionary(
            uniqueKeysWithValues: WorkerType.allCases.map { ($0, hosts[$0] ?? ScriptedHost($0)) })
        self.hosts = all
        self.market = market
        self.clock = clock
        orchestrator = AgentOrchestrator(
            settings, market: AnalysisMarket(market, isLive: isLive),
            hosts: { type in all[type] ?? ScriptedHost(type) }, interpreter: interpreter,
            observer: observations, keeping: keeping, now: { clock.now })
    }

    func host(_ type: WorkerType) -> ScriptedHost { hosts[type] ?? ScriptedHost(type) }

    /// What one worker makes of an asset.
    func result(_ type: WorkerType, _ asset: Asset = .apple) async throws -> WorkerResult {
        let analysis = try await orchestrator.analyzeAsset(asset, agents: [type])
        return try #require(analysis[type])
    }
}

extension Asset {
    static let apple = Asset(symbol: "AAPL", assetType: .equity)
    static let bitcoin = Asset(symbol: "BTC", assetType: .crypto, market: .crypto)

    static func numbered(_ number: Int) -> Asset { Asset(symbol: "S\(number)", assetType: .equity) }
}
