import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import FIMLWatchdogs

@Suite("What a watchdog told is kept with its events: no end of the process tells one twice or leaves it out")
struct WatchdogStateTests {
    private static func manager(
        _ collector: Collector, at second: Int64, isEnabled: Bool = true, isOn: Bool = true,
        startsOver: Bool = false, _ anomaly: Anomaly? = spike
    ) async -> WatchdogManager {
        WatchdogManager(
            oneTry {
                $0.isEnabled = isEnabled
                $0.startsOver = startsOver
            },
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate, schedule: .init(isEnabled: isOn, intervalSeconds: 60)) {
                    _ in anomaly
                }
            ], clock: ScriptedClock(script: moments(second)), states: await collector.states,
            publish: { await collector.add($0) })
    }

    /// One life of the process.
    private static func run(_ manager: WatchdogManager) async {
        await manager.start()
        await manager.finish()
    }

    @Test("what fires goes on from its state: it is not told again, and ends with its true beginning")
    func goesOn() async throws {
        let collector = Collector()
        await Self.run(await Self.manager(collector, at: 0))
        let second = await Self.manager(collector, at: 60)
        #expect(await second.firing().map(\.startsAt) == [at(0)])
        await Self.run(second)
        #expect(await collector.events.map(\.status) == [.firing])
        await Self.run(await Self.manager(collector, at: 120, nil))
        let events = await collector.events
        #expect(events.map(\.status) == [.firing, .resolved])
        #expect(events.map(\.startsAt) == [at(0), at(0)])
        #expect(Set(events.map(\.fingerprint)).count == 1)
        #expect(await collector.kept(.fundingRate) == [])
    }

    /// What is told, without what is new in each process.
    private struct Told: Hashable, CustomStringConvertible {
        let description: String

        init(_ event: WatchdogEvent) {
            description =
                "\(event.timestamp) \(event.fingerprint) \(event.status) \(event.severity) \(event.startsAt)"
        }
    }

    @Test(
        "a process that ends at any piece of news tells in its next life exactly the rest", arguments: 1...4)
    func killed(seed: UInt64) async {
        let symbols = ["A", "B", "C"]
        var random = SeededGenerator(seed: seed)
        let script: [[Anomaly?]] = (0..<25).map { _ in
            symbols.map { _ in [nil, nil, spike, volume].randomElement(using: &random) ?? nil }
        }
        func live(from first: Int, _ collector: Collector, takes limit: Int) async {
            let manager = WatchdogManager(
                oneTry { $0.lifeCycle.flapCount = 1_000 },
                watchdogs: [
                    ListWatchdog { moment in
                        let index = Int(moment.milliseconds / 60_000)
                        return zip(symbols, script[index]).map { judgement($0, at: moment, $1) }
                    }
                ],
                clock: ScriptedClock(
                    script: (first..<script.count).map { MarketMoment(lap: 0, time: at(Int64($0) * 60)) }),
                states: await collector.states
            ) { news in
                await collector.news.count < limit ? await collector.add(news) : .standDown
            }
            await Self.run(manager)
        }
        let whole = Collector()
        await live(from: 0, whole, takes: .max)
        let expected = await whole.events.map(Told.init)
        #expect(expected.count > 20)
        for limit in await 0...whole.news.count {
            let collector = Collector()
            await live(from: 0, collector, takes: limit)
            // At the latest the moment after the last news that were taken is judged once more.
            let last = await collector.events.last.map { Int($0.timestamp.milliseconds / 60_000) }
            await live(from: last ?? 0, collector, takes: .max)
            #expect(await collector.events.map(Told.init) == expected, "ended after \(limit)")
        }
    }

    @Test(
        "a state that is damaged is said and no obstacle",
        arguments: [
            ("{", "cannot be read"), ("[]", "no list"), ("{}", "no list"), (#"{"conditions":1}"#, "no list"),
            (#"{"conditions":[{}, null, 1, []]}"#, "4 conditions of funding_rate could not be read"),
        ])
    func damaged(text: String, problem: String) async {
        let collector = Collector(
            states: [WatchdogNews.stateName(of: .fundingRate): Array(text.utf8)])
        let manager = await Self.manager(collector, at: 0)
        #expect(await manager.persistenceProblem?.contains(problem) == true)
        #expect(await manager.firing() == [])
        await Self.run(manager)
        #expect(await collector.events.map(\.status) == [.firing])
        #expect(await Self.manager(collector, at: 60).persistenceProblem == nil)
    }

    @Test("a state of another watchdog, and one that is too large, are not taken up")
    func foreign() async {
        let collector = Collector()
        await Self.run(await Self.manager(collector, at: 0))
        let bytes = await collector.states[WatchdogNews.stateName(of: .fundingRate)]
        let own = WatchdogState(bytes, of: .fundingRate)
        #expect(own.conditions.count == 1 && own.problem == nil)
        let foreign = WatchdogState(bytes, of: .whaleMovement)
        #expect(foreign.conditions == [] && foreign.problem != nil)
        let large = WatchdogState(
            [UInt8](repeating: UInt8(ascii: " "), count: WatchdogState.maxBytes + 1), of: .fundingRate)
        #expect(large.problem?.contains("at most") == true)
    }

    @Test("an orderly stop keeps figures that changed without an event, and nothing where none did")
    func orderlyStop() async {
        for seconds in [[0], [0, 60]] as [[Int64]] {
            let collector = Collector()
            let manager = WatchdogManager(
                oneTry(), watchdogs: [ScriptedWatchdog(name: .fundingRate) { _ in spike }],
                clock: ScriptedClock(script: seconds.flatMap { moments($0) }),
                publish: { await collector.add($0) })
            await Self.run(manager)
            #expect(await collector.kept(.fundingRate).map(\.observedAt) == [at(0)])
            await manager.stop()
            #expect(await collector.news.map(\.events.count) == (seconds.count == 1 ? [1] : [1, 0]))
            #expect(await collector.kept(.fundingRate).map(\.observedAt) == seconds.suffix(1).map(at))
        }
    }

    @Test("what was kept ends at the start where its watchdog is switched off, or all are")
    func keptOfDisabled() async {
        for (isEnabled, isOn) in [(false, true), (true, false)] {
            let collector = Collector()
            await Self.run(await Self.manager(collector, at: 0))
            let second = await Self.manager(collector, at: 0, isEnabled: isEnabled, isOn: isOn)
            #expect(await second.firing().count == 1)
            await Self.run(second)
            let ended = await collector.events.dropFirst()
            #expect(ended.map(\.status) == [.resolved])
            #expect(ended.map(\.metadata) == [["reason": .string("watchdog_disabled")]])
            // Nothing was checked, so the real time is told.
            #expect(ended.allSatisfy { $0.timestamp > at(1_000_000_000) })
            #expect(await Self.manager(collector, at: 0).firing() == [])
        }
    }

    @Test("of a recording, what fired ends before the first check, for it starts over")
    func startsOver() async {
        let collector = Collector()
        await Self.run(await Self.manager(collector, at: 600, startsOver: true))
        await Self.run(await Self.manager(collector, at: 0, startsOver: true))
        let events = await collector.events
        #expect(events.map(\.status) == [.firing, .resolved, .firing])
        #expect(events.map(\.timestamp) == [at(600), at(600), at(0)])
        #expect(events[1].metadata == ["reason": .string("recording_started_over")])
        #expect(await collector.kept(.fundingRate).map(\.event.startsAt) == [at(0)])
    }

    @Test("much that happens at once comes in pieces, each with what has been told up to it")
    func pieces() async {
        let collector = Collector()
        let count = EventStream.maxConditions + 300
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ListWatchdog { moment in
                    (0..<count).map { judgement("A\($0)", at: moment, moment < at(60) ? spike : nil) }
                }
            ], clock: ScriptedClock(script: moments(0, 60)), publish: { await collector.add($0) })
        await Self.run(manager)
        var firing: Set<String> = []
        for news in await collector.news {
            #expect((1...WatchdogNews.maxEvents).contains(news.events.count))
            for event in news.events {
                if event.status == .resolved {
                    #expect(firing.remove(event.fingerprint) != nil)
                } else {
                    firing.insert(event.fingerprint)
                }
            }
            let state = WatchdogState(news.state, of: .fundingRate)
            #expect(state.problem == nil && Set(state.conditions.map(\.event.fingerprint)) == firing)
        }
        #expect(firing == [])
        let tooMany = await collector.events.filter {
            $0.metadata["reason"] == .string("too_many_conditions")
        }
        #expect(tooMany.count == 300)
    }

    @Test("a watchdog's own alarm is kept with what it has found, and ends when all are switched off")
    func alarm() async {
        let collector = Collector()
        let told = Gate()
        let clock = ManualClock()
        let first = WatchdogManager(
            oneTry {
                $0.policy.failureThreshold = 1
                $0.healthCheckInterval = .milliseconds(10)
            },
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { moment in
                    guard moment == at(0) else { throw Failure() }
                    return spike
                }
            ], clock: clock
        ) { news in
            let outcome = await collector.add(news)
            if news.events.contains(where: { $0.type == .watchdogHealth }) { await told.open() }
            return outcome
        }
        await first.start()
        clock.tell(0, 60)
        await told.pass()
        #expect(await collector.kept(.fundingRate).map(\.event.type) == [.fundingSpike, .watchdogHealth])
        #expect(await first.metrics(of: .fundingRate)?.eventsEmitted == 1)
        await first.stop()
        await Self.run(await Self.manager(collector, at: 120, isEnabled: false))
        #expect(await collector.events.suffix(2).map(\.status) == [.resolved, .resolved])
        #expect(await collector.kept(.fundingRate) == [])
    }

    @Test("while news cannot be kept only their watchdog waits, and they are not told")
    func waits() async {
        let collector = Collector()
        let begun = Gate()
        let gate = Gate()
        let manager = WatchdogManager(
            oneTry(),
            watchdogs: [
                ScriptedWatchdog(name: .fundingRate) { _ in spike },
                ScriptedWatchdog(name: .unusualVolume) { _ in volume },
            ], clock: ScriptedClock(script: moments(0, 60))
        ) { news in
            if news.watchdog == .fundingRate {
                await begun.open()
                await gate.pass()
            }
            return await collector.add(news)
        }
        await manager.start()
        await begun.pass()
        await collector.whenFirst.pass()
        #expect(await collector.events.map(\.watchdog) == [.unusualVolume])
        #expect(await manager.metrics(of: .fundingRate)?.eventsEmitted == 0)
        await gate.open()
        await manager.finish()
        #expect(await collector.events.map(\.watchdog) == [.unusualVolume, .fundingRate])
        #expect(await manager.metrics(of: .fundingRate)?.eventsEmitted == 1)
    }
}
