import FIMLCore
import Foundation
import Locking
import MarketData
import Testing

@testable import FIMLWatchdogs

/// Tells moments that are known beforehand.
private struct ScriptedClock: MarketClock {
    var script: [MarketMoment]

    func moments() -> AsyncStream<MarketMoment> {
        AsyncStream { continuation in
            for moment in script { continuation.yield(moment) }
            continuation.finish()
        }
    }
}

/// Lets those who wait pass once it is opened.
private actor Gate {
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

/// Collects what was published.
private actor Collector {
    private(set) var events: [WatchdogEvent] = []
    let whenFirst: Gate

    init(whenFirst: Gate = Gate()) {
        self.whenFirst = whenFirst
    }

    func add(_ newEvents: [WatchdogEvent]) async {
        events += newEvents
        await whenFirst.open()
    }
}

/// Collects what an observer is told.
private final class Observations: WatchdogObserver {
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

private struct Failure: Error {}

/// Judges as told, asset A.
private struct ScriptedWatchdog: Watchdog {
    var name: WatchdogName
    var schedule = WatchdogSchedule(intervalSeconds: 60)
    var judge: @Sendable (Timestamp) async throws -> Anomaly?

    func check(at moment: Timestamp) async throws -> [Judgement] {
        let anomaly = try await judge(moment)
        return [
            Judgement(
                subject: "A", assets: [equity("A")], observedAt: moment, anomaly: anomaly, description: "it",
                data: [:],
                evidence: Evidence(
                    rule: "r", operator: "gt", threshold: 1, observed: anomaly == nil ? 0 : 2))
        ]
    }
}

private func moments(_ seconds: Int64..., lap: Int = 0) -> [MarketMoment] {
    seconds.map { MarketMoment(lap: lap, time: at($0)) }
}

/// A policy with one try, so that a failing check fails at once.
private func oneTry(_ change: (inout WatchdogManager.Configuration) -> Void = { _ in })
    -> WatchdogManager.Configuration
{
    var configuration = WatchdogManager.Configuration()
    configuration.policy.tries = 1
    change(&configuration)
    return configuration
}

private let spike = Anomaly(type: .fundingSpike, severity: .high)
private let volume = Anomaly(type: .unusualVolume, severity: .critical)

@Suite("The manager checks each watchdog at its own interval")
struct WatchdogManagerTests {
    @Test(
        "the first moment of each interval is due, and of each lap",
        arguments: [
            (60, moments(0, 59, 60, 61, 120), [0, 60, 120]), (60, moments(59, 60), [59, 60]),
            (300, moments(0, 86_400, 86_401, 172_800), [0, 86_400, 172_800]),
            (60, moments(30, 10) + moments(10, 30, lap: 1), [30, 10]), (60, moments(-1, 0), [-1, 0]),
            (0, moments(0, 1, 1), [0, 1]), (.max, moments(0, 1_000_000), [0]),
        ] as [(Int64, [MarketMoment], [Int64])])
    func schedule(interval: Int64, moments: [MarketMoment], expected: [Int64]) {
        var schedule = CheckSchedule(intervalSeconds: interval)
        #expect(moments.filter { schedule.isDue(at: $0) }.map(\.time) == expected.map(at))
    }

    @Test("checks and events are counted by FIML's names")
    func figures() async throws {
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { $0 == at(60) ? spike : nil },
                ScriptedWatchdog(name: .unusualVolume, schedule: .init(isEnabled: false, intervalSeconds: 60))
                { _ in volume },
                ScriptedWatchdog(name: .priceAnomaly) { _ in throw Failure() },
            ],
            clock: ScriptedClock(script: moments(0, 60, 120, 130)), publish: { await collector.add($0) })
        await manager.start()
        await manager.finish()
        let events = await collector.events
        #expect(events.map(\.status) == [.firing, .resolved])
        #expect(events.map(\.timestamp) == [at(60), at(120)])

        let funding = try #require(await manager.metrics(of: .fundingRate))
        #expect(funding.status == .healthy)
        #expect((funding.checksPerformed, funding.checksFailed, funding.eventsEmitted) == (3, 0, 2))
        #expect((funding.lastCheck, funding.lastEvent) == (at(120), at(120)))
        #expect(funding.eventsBySeverity == [.high: 1])
        #expect(funding.detectionRate == 1.0 / 3)
        let failing = try #require(await manager.metrics(of: .priceAnomaly))
        #expect(failing.status == .unhealthy)
        #expect((failing.checksPerformed, failing.checksFailed, failing.consecutiveFailures) == (3, 3, 3))
        #expect(failing.lastError == "Failure()")
        #expect(failing.successRate == 0)
        #expect(await manager.metrics(of: .unusualVolume)?.status == .disabled)
        #expect(await manager.metrics(of: .whaleMovement) == nil)

        let health = await manager.health()
        #expect((health.totalWatchdogs, health.enabledWatchdogs, health.healthyWatchdogs) == (3, 2, 1))
        #expect((health.totalChecks, health.totalFailures, health.totalEvents) == (6, 3, 2))
        #expect(health.overallSuccessRate == 0.5)
        #expect(health.timestamp == at(130))
        guard case .object(let json) = health.json else {
            Issue.record("not an object")
            return
        }
        #expect(json["timestamp"] == .string("1970-01-01T00:02:10.000Z"))
        #expect(
            json["events_by_severity"]
                == .object([
                    "low": .integer(0), "medium": .integer(0), "high": .integer(1), "critical": .integer(0),
                ]))
        await manager.stop()
        #expect(await manager.status().running == false)
    }

    @Test("one that hangs holds back no other")
    func hanging() async throws {
        let gate = Gate()
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .unusualVolume) { _ in
                    await gate.pass()
                    return volume
                },
                ScriptedWatchdog(name: .fundingRate) { _ in spike },
            ],
            clock: ScriptedClock(script: moments(0)), publish: { await collector.add($0) })
        await manager.start()
        await collector.whenFirst.pass()
        #expect(await collector.events.map(\.watchdog) == [.fundingRate])
        #expect(await manager.metrics(of: .unusualVolume)?.checksPerformed == 0)
        #expect(await manager.metrics(of: .unusualVolume)?.status == .stale)
        await gate.open()
        await manager.finish()
        #expect(await collector.events.map(\.watchdog) == [.fundingRate, .unusualVolume])
    }

    @Test("when checks take too long the oldest are left out and counted; the newest is made")
    func overload() async throws {
        let gate = Gate()
        let last = Int64(3_000 - 1) * 60
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .unusualVolume) { _ in
                    await gate.pass()
                    return nil
                },
                // Is offered each moment after the one above, and always gets the newest.
                ScriptedWatchdog(name: .fundingRate) { moment in
                    if moment == at(last) { await gate.open() }
                    return nil
                },
            ],
            clock: ScriptedClock(script: (0..<3_000).map { MarketMoment(lap: 0, time: at($0 * 60)) }),
            publish: { _ in })
        await manager.start()
        await manager.finish()
        let metrics = try #require(await manager.metrics(of: .unusualVolume))
        #expect(metrics.checksSkipped >= 3_000 - 1 - 1_440)
        #expect(metrics.checksPerformed + metrics.checksSkipped == 3_000)
        #expect(metrics.lastCheck == at(last))
    }

    @Test("an observer is told of each check and each detection")
    func observer() async {
        let observations = Observations()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in
                    if moment == at(120) { throw Failure() }
                    return moment == at(0) ? spike : nil
                }
            ],
            clock: ScriptedClock(script: moments(0, 60, 120)), observer: observations, publish: { _ in })
        await manager.start()
        await manager.finish()
        observations.finish()
        var seen: [String] = []
        for await line in observations.seen { seen.append(line) }
        #expect(
            seen == [
                "funding_rate true true", "funding_rate high", "funding_rate true true",
                "funding_rate false true",
            ])
    }

    @Test("stopped and started again, a replay begins anew and its conditions too")
    func restart() async {
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
            clock: ScriptedClock(script: moments(0, 60)), publish: { await collector.add($0) })
        for _ in 0..<2 {
            await manager.start()
            await manager.finish()
            await manager.stop()
        }
        #expect(await collector.events.map(\.status) == [.firing, .resolved, .firing])
    }

    @Test("a failure degrades, three in a row make unhealthy, a check that goes well heals")
    func statuses() {
        var metrics = WatchdogMetrics(name: .fundingRate, status: .stale)
        func status(enabled: Bool = true, idle: Int = 0) -> WatchdogStatus {
            metrics.status(
                isEnabled: enabled, failureThreshold: 3, sinceLastCheck: .seconds(idle),
                staleAfter: .seconds(300))
        }
        #expect(status() == .stale)
        metrics.count(checkAt: at(0), seconds: 0.5, judged: 2, error: nil, events: [])
        #expect(status() == .healthy)
        #expect(status(idle: 301) == .stale)
        #expect(status(enabled: false) == .disabled)
        metrics.count(checkAt: at(1), seconds: 1.5, judged: nil, error: "e", events: [])
        #expect(status() == .degraded)
        metrics.count(checkAt: at(2), seconds: 1, judged: nil, error: "e", events: [])
        metrics.count(checkAt: at(3), seconds: 1, judged: nil, error: "e", events: [])
        #expect(status() == .unhealthy)
        #expect((metrics.minCheckSeconds, metrics.maxCheckSeconds, metrics.avgCheckSeconds) == (0.5, 1.5, 1))
        metrics.count(checkAt: at(4), seconds: 1, judged: 0, error: nil, events: [])
        #expect(status() == .stale)
    }

    @Test("when the recording starts over, conditions end with the lap, and begin anew in the next")
    func laps() async {
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
            clock: ScriptedClock(script: moments(0, 60) + moments(0, lap: 1)),
            publish: { await collector.add($0) })
        await manager.start()
        await manager.finish()
        let events = await collector.events
        #expect(events.map(\.status) == [.firing, .resolved, .firing])
        #expect(events.map(\.timestamp) == [at(0), at(60), at(0)])
    }

    @Test("a global switch keeps all from being checked")
    func disabled() async {
        let manager = WatchdogManager(
            oneTry { $0.isEnabled = false }, watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
            clock: ScriptedClock(script: moments(0)), publish: { _ in Issue.record("published") })
        await manager.start()
        await manager.finish()
        #expect(await manager.health().enabledWatchdogs == 0)
    }

    @Test("a check is tried three times, with a pause, before it fails")
    func tries() async throws {
        let tries = Locked(0)
        let manager = WatchdogManager(
            oneTry {
                $0.policy.tries = 3
                $0.policy.retryDelay = .zero
            },
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in
                    let isLast = tries.withLock { tries in
                        tries += 1
                        return tries == 3
                    }
                    if moment == at(0), isLast { return spike }
                    throw Failure()
                }
            ],
            clock: ScriptedClock(script: moments(0, 60)))
        await manager.start()
        await manager.finish()
        let metrics = try #require(await manager.metrics(of: .fundingRate))
        #expect((metrics.checksPerformed, metrics.checksFailed) == (2, 1))
        #expect(tries.withLock { $0 } == 6)
    }

    @Test("a check that takes too long fails; while it hangs no second one is begun, until a restart")
    func timeLimit() async throws {
        let gate = Gate()
        let begun = Locked(0)
        let manager = WatchdogManager(
            oneTry { $0.policy.timeLimit = .milliseconds(20) },
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in
                    begun.withLock { $0 += 1 }
                    if moment == at(0) { await gate.pass() }
                    return nil
                }
            ],
            clock: ScriptedClock(script: moments(0, 60)))
        await manager.start()
        await manager.finish()
        var metrics = try #require(await manager.metrics(of: .fundingRate))
        #expect((metrics.checksFailed, metrics.lastError) == (2, "the check before has not ended yet"))
        #expect(begun.withLock { $0 } == 1)
        #expect(await manager.restart(.fundingRate))
        await manager.stop()
        await manager.start()
        await manager.finish()
        metrics = try #require(await manager.metrics(of: .fundingRate))
        #expect(metrics.lastError == "the check before has not ended yet")
        #expect(begun.withLock { $0 } == 2)
        await gate.open()
    }

    @Test("switched off, what fires ends and nothing is checked; switched on, it begins anew")
    func switching() async throws {
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
            clock: ScriptedClock(script: moments(0)), publish: { await collector.add($0) })
        await manager.start()
        await manager.finish()
        #expect(await manager.firing().map(\.type) == [.fundingSpike])
        #expect(await manager.enable(.fundingRate, false))
        #expect(await manager.metrics(of: .fundingRate)?.status == .disabled)
        #expect(await manager.firing() == [])
        #expect(await collector.events.map(\.status) == [.firing, .resolved])
        #expect(await collector.events.last?.metadata == ["reason": .string("watchdog_disabled")])
        #expect(await manager.enable(.whaleMovement, true) == false)
        #expect(await manager.restart(.whaleMovement) == false)
        await manager.stop()
        await manager.start()
        await manager.finish()
        #expect(await collector.events.count == 2)
        #expect(await manager.enable(.fundingRate, true))
        await manager.stop()
        await manager.start()
        await manager.finish()
        #expect(await collector.events.map(\.status) == [.firing, .resolved, .firing])
    }

    @Test("what fires outlives the manager in its file; a file that cannot be used is said and no obstacle")
    func conditionFile() async throws {
        let path = FileManager.default.temporaryDirectory.path + "/conditions-\(UUID().uuidString).json"
        defer { try? FileManager.default.removeItem(atPath: path) }
        let collector = Collector()
        func manager(_ second: Int64) -> WatchdogManager {
            WatchdogManager(
                oneTry { $0.conditionFile = ConditionFile(path: path) },
                watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
                clock: ScriptedClock(script: moments(second)), publish: { await collector.add($0) })
        }
        let first = manager(0)
        await first.start()
        await first.finish()
        let second = manager(60)
        #expect(await second.firing().map(\.startsAt) == [at(0)])
        await second.start()
        await second.finish()
        #expect(await collector.events.map(\.status) == [.firing])
        try Data("{".utf8).write(to: URL(filePath: path))
        let third = manager(120)
        #expect(await third.persistenceProblem?.contains("cannot be read") == true)
        #expect(await third.firing() == [])
    }

    @Test("callbacks receive what passes their filter, until they are cancelled")
    func subscribers() async throws {
        let (seen, continuation) = AsyncStream<WatchdogEvent>.makeStream()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { _ in spike },
                ScriptedWatchdog(name: .unusualVolume) { _ in volume },
            ], clock: ScriptedClock(script: moments(0)))
        let subscription = await manager.subscribe(to: try EventFilter.parse(["severities": ["critical"]])) {
            continuation.yield($0)
        }
        #expect(await manager.status().activeSubscribers == 1)
        await manager.start()
        await manager.finish()
        var events = seen.makeAsyncIterator()
        #expect(await events.next()?.type == .unusualVolume)
        await subscription.cancel()
        #expect(await manager.status().activeSubscribers == 0)
    }
}
