import FIMLCore
import MarketData
import Testing

@testable import FIMLWatchdogs

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
            publish: { _ in .taken })
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
            clock: ScriptedClock(script: moments(0, 60, 120)), observer: observations,
            publish: { _ in .taken })
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
                isEnabled: enabled, failureThreshold: 3, sinceLastInput: .seconds(idle),
                staleAfter: .seconds(300))
        }
        func count(_ second: Int64, seconds: Double = 1, judgements: [Judgement]?) {
            metrics.count(
                checkAt: at(second), seconds: seconds, judgements: judgements,
                error: judgements == nil ? "e" : nil)
        }
        #expect(status() == .stale)
        count(0, seconds: 0.5, judgements: [])
        #expect(status() == .stale)
        metrics.hasJudged = true
        #expect(status() == .healthy)
        #expect(status(idle: 300) == .healthy && status(idle: 301) == .stale)
        #expect(status(enabled: false) == .disabled)
        count(1, seconds: 1.5, judgements: nil)
        #expect(status() == .degraded)
        count(2, judgements: nil)
        count(3, judgements: nil)
        #expect(status() == .unhealthy)
        #expect(
            (metrics.minCheckSeconds, metrics.maxCheckSeconds, metrics.avgCheckSeconds) == (0.5, 1.5, 1))
        count(4, judgements: [])
        #expect(status() == .healthy)
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
            clock: ScriptedClock(script: moments(0)),
            publish: { _ in
                Issue.record("published")
                return .taken
            })
        await manager.start()
        await manager.finish()
        #expect(await manager.health().enabledWatchdogs == 0)
    }
}
