import FIMLCore
import GatewayTesting
import Locking
import MarketData
import Testing

@testable import FIMLWatchdogs

/// Takes news only of who holds the lease, as a store with fences does.
private actor LeasedStore {
    private(set) var token: Int64 = 0
    private(set) var events: [WatchdogEvent] = []
    private(set) var refused = 0
    private(set) var state: [UInt8]?

    func take(_ news: WatchdogNews) -> NewsOutcome {
        guard news.token == token else {
            refused += 1
            return .standDown
        }
        events += news.events
        state = news.state
        return .taken
    }

    func giveLease() -> Int64 {
        token += 1
        return token
    }
}

@Suite("A watchdog runs from when it is taken until it stands by, and goes on elsewhere where it was")
struct WatchdogLeaseTests {
    private static let standingBy = oneTry { $0.startsStandingBy = true }

    @Test("one that stands by is not checked; taken, it goes on from the state, under its token")
    func taken() async throws {
        let before = Collector()
        let first = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
            clock: ScriptedClock(script: moments(0)), publish: { await before.add($0) })
        await first.start()
        await first.finish()

        let collector = Collector()
        let clock = ManualClock()
        let passed = Gate()
        let manager = WatchdogManager(
            Self.standingBy,
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in moment < at(180) ? spike : nil },
                ScriptedWatchdog(name: .unusualVolume) { _ in
                    Issue.record("checked while it stands by")
                    return nil
                },
            ], clock: clock,
            // What is not taken up is not read.
            states: [WatchdogNews.stateName(of: .fundingRate): [0]]
        ) { news in
            let outcome = await collector.add(news)
            await passed.open()
            return outcome
        }
        #expect(await manager.persistenceProblem == nil)
        await manager.start()
        #expect(await manager.status().runningWatchdogs == 0)
        #expect(await manager.metrics(of: .fundingRate)?.isStandingBy == true)
        #expect(await manager.metrics(of: .fundingRate)?.status == .stale)
        #expect(await manager.metrics(of: .fundingRate)?.uptimeSeconds == 0)
        clock.tell(60)
        let state = await before.states[WatchdogNews.stateName(of: .fundingRate)]
        #expect(await manager.take(.fundingRate, state: state, token: 7))
        #expect(await manager.take(.whaleMovement, state: nil) == false)
        #expect(await manager.firing().map(\.startsAt) == [at(0)])
        #expect(await manager.status().runningWatchdogs == 1)
        clock.tell(120, 180)
        await passed.pass()
        #expect(await collector.events.map(\.status) == [.resolved])
        #expect(await collector.events.map(\.startsAt) == [at(0)])
        #expect(await collector.news.map(\.token) == [7])
        #expect(await manager.standBy(.fundingRate))
        clock.tell(240)
        clock.finish()
        await manager.finish()
        #expect(await manager.metrics(of: .fundingRate)?.lastCheck == at(180))
    }

    @Test("a check that is under way when its watchdog stands by counts for nothing")
    func checkUnderWay() async {
        let begun = Gate()
        let gate = Gate()
        let collector = Collector()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { _ in
                    await begun.open()
                    await gate.pass()
                    return spike
                }
            ], clock: ScriptedClock(script: moments(0)), publish: { await collector.add($0) })
        await manager.start()
        await begun.pass()
        await manager.standBy(.fundingRate)
        await gate.open()
        await manager.finish()
        await manager.stop()
        #expect(await collector.news.isEmpty)
        #expect(await manager.firing() == [])
        #expect(await manager.metrics(of: .fundingRate)?.checksPerformed == 0)
    }

    @Test("news that wait when their watchdog stands by are dropped, and their publishing is given up")
    func newsUnderWay() async {
        let begun = Gate()
        let collector = Collector()
        let clock = ManualClock()
        let manager = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }], clock: clock
        ) { news in
            guard news.token == 0 else { return await collector.add(news) }
            await begun.open()
            // As one that tries again until the store is back.
            while !Task.isCancelled { await Task.yield() }
            return .taken
        }
        await manager.start()
        clock.tell(0)
        await begun.pass()
        await manager.standBy(.fundingRate)
        #expect(await manager.firing() == [])
        await manager.take(.fundingRate, state: nil, token: 1)
        clock.tell(60)
        await collector.whenFirst.pass()
        await manager.stop()
        #expect(await collector.events.map(\.startsAt) == [at(60)])
        #expect(await manager.metrics(of: .fundingRate)?.eventsEmitted == 1)
    }

    @Test("where the lease was lost, the watchdog forgets what it has found and stands by")
    func standDown() async {
        let asked = Gate()
        let clock = ManualClock()
        let manager = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }], clock: clock
        ) { _ in
            await asked.open()
            return .standDown
        }
        let (seen, continuation) = AsyncStream<WatchdogEvent>.makeStream()
        await manager.subscribe { continuation.yield($0) }
        await manager.start()
        clock.tell(0)
        await asked.pass()
        clock.tell(60, 120)
        clock.finish()
        await manager.finish()
        #expect(await manager.metrics(of: .fundingRate)?.isStandingBy == true)
        #expect(await manager.metrics(of: .fundingRate)?.eventsEmitted == 0)
        #expect(await manager.firing() == [])
        await manager.stop()
        continuation.finish()
        for await event in seen { Issue.record("told \(event)") }
    }

    @Test("settings that change while a watchdog stands by apply once it is taken")
    func settings() async {
        let before = Collector()
        let first = WatchdogManager(
            oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
            clock: ScriptedClock(script: moments(0)), publish: { await before.add($0) })
        await first.start()
        await first.finish()
        let state = await before.states[WatchdogNews.stateName(of: .fundingRate)]

        let collector = Collector()
        let clock = ManualClock()
        let manager = WatchdogManager(
            Self.standingBy, watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }], clock: clock,
            publish: { await collector.add($0) })
        await manager.start()
        #expect(await manager.enable(.fundingRate, false))
        #expect(await manager.metrics(of: .fundingRate)?.status == .disabled)
        await manager.take(.fundingRate, state: state)
        await collector.whenFirst.pass()
        #expect(await collector.events.map(\.metadata) == [["reason": .string("watchdog_disabled")]])
        await manager.standBy(.fundingRate)

        let checked = Gate()
        #expect(
            await manager.use(.fundingRate) {
                ScriptedWatchdog(name: .fundingRate) { _ in
                    await checked.open()
                    return nil
                }
            })
        #expect(await manager.restart(.fundingRate))
        #expect(await collector.news.count == 1)
        await manager.take(.fundingRate, state: state)
        clock.tell(60)
        await checked.pass()
        clock.finish()
        await manager.finish()
        #expect(await collector.events.map(\.status) == [.resolved, .resolved])
    }

    @Test(
        "of several nodes, also some that do not know that their lease is over, one tells", arguments: 1...20)
    func moving(seed: UInt64) async {
        var random = SeededGenerator(seed: seed)
        let symbols = ["A", "B", "C"]
        let script: [[Anomaly?]] = (0..<60).map { _ in
            symbols.map { _ in [nil, nil, spike, volume].randomElement(using: &random) ?? nil }
        }
        let watchdog = ListWatchdog { moment in
            zip(symbols, script[Int(moment.milliseconds / 60_000)]).map { judgement($0, at: moment, $1) }
        }
        let configuration = oneTry { $0.lifeCycle.flapCount = 1_000 }
        let single = Collector()
        let expected = WatchdogRunner(watchdog, configuration, conditions: [], observer: nil) {
            await single.add($0)
        }
        let store = LeasedStore()
        let nodes = (0..<3).map { _ in
            WatchdogRunner(watchdog, configuration, conditions: nil, observer: nil) { await store.take($0) }
        }
        var holder = 0
        for index in script.indices {
            if index == 0 || Int.random(in: 0..<4, using: &random) == 0 {
                // Told by its lease's end, or not before its next news.
                if Bool.random(using: &random) { await nodes[holder].standBy() }
                holder = Int.random(in: 0..<nodes.count, using: &random)
                let token = await store.giveLease()
                let state = WatchdogState(await store.state, of: watchdog.name)
                #expect(state.problem == nil)
                await nodes[holder].take(state.conditions, token: token)
            }
            let moment = MarketMoment(lap: 0, time: at(Int64(index) * 60))
            await expected.check(at: moment)
            for node in nodes.shuffled(using: &random) {
                if await node.metrics.isStandingBy { continue }
                await node.check(at: moment)
            }
        }
        func told(_ events: [WatchdogEvent]) -> [String] {
            events.map { "\($0.timestamp) \($0.fingerprint) \($0.status) \($0.severity) \($0.startsAt)" }
        }
        #expect(told(await store.events) == told(await single.events))
        #expect(await store.events.count > 40)
        #expect(await store.refused > 0)
    }
}
