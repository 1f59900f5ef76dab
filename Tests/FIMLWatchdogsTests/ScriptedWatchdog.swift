import FIMLCore
import MarketData

@testable import FIMLWatchdogs

/// Tells moments that are known beforehand.
struct ScriptedClock: MarketClock {
    var script: [MarketMoment]

    func moments() -> AsyncStream<MarketMoment> {
        AsyncStream { continuation in
            for moment in script { continuation.yield(moment) }
            continuation.finish()
        }
    }
}

/// Tells moments as a test gives them.
struct ManualClock: MarketClock {
    private let stream: AsyncStream<MarketMoment>
    private let continuation: AsyncStream<MarketMoment>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream()
    }

    func moments() -> AsyncStream<MarketMoment> { stream }

    func tell(_ seconds: Int64...) {
        for second in seconds { continuation.yield(MarketMoment(lap: 0, time: at(second))) }
    }

    func finish() {
        continuation.finish()
    }
}

/// Lets those who wait pass once it is opened.
actor Gate {
    private var isOpen = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func pass() async {
        if isOpen { return }
        await withCheckedContinuation { waiting.append($0) }
    }

    func open() {
        isOpen = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }
}

/// Takes news as a store does: the events, and the newest state of each watchdog with them.
actor Collector {
    private(set) var events: [WatchdogEvent] = []
    private(set) var news: [WatchdogNews] = []
    private(set) var states: [String: [UInt8]] = [:]
    let whenFirst: Gate

    init(whenFirst: Gate = Gate(), states: [String: [UInt8]] = [:]) {
        self.whenFirst = whenFirst
        self.states = states
    }

    func add(_ one: WatchdogNews) async -> NewsOutcome {
        news.append(one)
        events += one.events
        states[WatchdogNews.stateName(of: one.watchdog)] = one.state
        await whenFirst.open()
        return .taken
    }

    /// What of a watchdog fires as it is kept.
    func kept(_ name: WatchdogName) -> [Condition] {
        WatchdogState(states[WatchdogNews.stateName(of: name)], of: name).conditions
    }
}

/// Collects what an observer is told.
final class Observations: WatchdogObserver {
    let seen: AsyncStream<String>
    private let continuation: AsyncStream<String>.Continuation

    init() {
        (seen, continuation) = AsyncStream.makeStream()
    }

    func checkEnded(_ watchdog: WatchdogName, succeeded: Bool, seconds: Double) {
        continuation.yield("\(watchdog.rawValue) \(succeeded) \(seconds >= 0)")
    }

    func detected(_ watchdog: WatchdogName, severity: Severity) {
        continuation.yield("\(watchdog.rawValue) \(severity.rawValue)")
    }

    func statusChanged(
        _ watchdog: WatchdogName, from: WatchdogStatus, to: WatchdogStatus, reason: String
    ) {
        continuation.yield("\(watchdog.rawValue) \(from.rawValue) \(to.rawValue)")
    }

    func finish() {
        continuation.finish()
    }
}

struct Failure: Error {}

/// Judges as told, asset A.
struct ScriptedWatchdog: Watchdog {
    var name: WatchdogName
    var schedule = WatchdogSchedule(intervalSeconds: 60)
    var judge: @Sendable (Timestamp) async throws -> Anomaly?

    func check(at moment: Timestamp) async throws -> [Judgement] {
        [judgement("A", at: moment, try await judge(moment))]
    }
}

/// Judges all that a script says.
struct ListWatchdog: Watchdog {
    var name = WatchdogName.fundingRate
    var schedule = WatchdogSchedule(intervalSeconds: 60)
    var judge: @Sendable (Timestamp) async throws -> [Judgement]

    func check(at moment: Timestamp) async throws -> [Judgement] {
        try await judge(moment)
    }
}

/// A judgement about an asset, by figures of that moment.
func judgement(_ symbol: String, at moment: Timestamp, _ anomaly: Anomaly?) -> Judgement {
    Judgement(
        subject: symbol, assets: [equity(symbol)], observedAt: moment, anomaly: anomaly, description: "it",
        data: [:],
        evidence: Evidence(
            rule: "r", operator: "gt", threshold: 1, observed: anomaly == nil ? 0 : 2))
}

func moments(_ seconds: Int64..., lap: Int = 0) -> [MarketMoment] {
    seconds.map { MarketMoment(lap: lap, time: at($0)) }
}

/// A policy with one try, so that a failing check fails at once.
func oneTry(_ change: (inout WatchdogManager.Configuration) -> Void = { _ in })
    -> WatchdogManager.Configuration
{
    var configuration = WatchdogManager.Configuration()
    configuration.policy.tries = 1
    change(&configuration)
    return configuration
}

let spike = Anomaly(type: .fundingSpike, severity: .high)
let volume = Anomaly(type: .unusualVolume, severity: .critical)
