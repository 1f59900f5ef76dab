import FIMLCore
import FoundationEssentials
import GatewayTesting
import MarketData
import Testing

@testable import FIMLWatchdogs

private actor Collector {
    private(set) var events: [WatchdogEvent] = []

    func add(_ newEvents: [WatchdogEvent]) {
        events += newEvents
    }
}

@Suite("The recorded market drives the watchdogs")
struct DefaultReplayTests {
    private static let directory =
        #filePath.replacing(
            "Tests/FIMLWatchdogsTests/DefaultReplayTests.swift", with: "Sources/MarketData/Recording")

    /// The events of the default replay by the lap and the real time at which they come, clock looked at as
    /// told.
    private static func events(
        upTo end: Duration, tick: () -> Duration
    ) async throws -> [(lap: Int, elapsed: Duration, event: WatchdogEvent)] {
        let recording = try Recording.load(directory: directory)
        let market = try ReplayMarket(recording, from: Recording.shippedStart, speed: 86_400)
        let collector = Collector()
        let watchdogs: [any Watchdog] = [
            UnusualVolumeWatchdog(source: market), PriceAnomalyWatchdog(source: market),
            FundingRateWatchdog(source: market),
        ]
        var runners = watchdogs.map { watchdog in
            (
                WatchdogRunner(watchdog, observer: nil) { await collector.add($0) },
                CheckSchedule(intervalSeconds: watchdog.schedule.intervalSeconds)
            )
        }
        var clock = market.clock
        var elapsed = Duration.zero
        var timed: [(Int, Duration, WatchdogEvent)] = []
        while elapsed <= end {
            for moment in clock.advance(to: elapsed) {
                for index in runners.indices where runners[index].1.isDue(at: moment) {
                    await runners[index].0.check(at: moment)
                }
                timed += await collector.events.dropFirst(timed.count).map { (moment.lap, elapsed, $0) }
            }
            elapsed += tick()
        }
        return timed
    }

    @Test("the first event comes within ten seconds, and all three watchdogs fire within a minute")
    func early() async throws {
        let timed = try await Self.events(upTo: .seconds(60)) { .milliseconds(100) }
        let first = try #require(timed.first)
        #expect(first.elapsed <= .seconds(10))
        let firstMove = try #require(timed.first { $0.event.watchdog == .priceAnomaly })
        #expect(firstMove.elapsed <= .seconds(10))
        #expect(Set(timed.map(\.event.watchdog)) == [.unusualVolume, .priceAnomaly, .fundingRate])
        let urgent = timed.map(\.event).filter { $0.watchdog == .priceAnomaly && $0.status == .firing }
        #expect(urgent.count >= 15)
        #expect(
            urgent.contains {
                $0.type == .flashCrash && $0.severity == .critical && $0.asset?.symbol == "SPY"
            })
    }

    @Test("whoever watches price moves never waits longer than twelve seconds, lap after lap")
    func often() async throws {
        let moves = try await Self.events(upTo: .seconds(140)) { .milliseconds(100) }
            .filter { $0.event.watchdog == .priceAnomaly && $0.event.severity >= .high }
            .map(\.elapsed)
        #expect(zip([.zero] + moves, moves + [.seconds(140)]).allSatisfy { $1 - $0 <= .seconds(12) })
    }

    @Test(
        "each lap gives the same events under new ids, however the clock is looked at",
        arguments: UInt64(1)...3)
    func laps(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let timed = try await Self.events(upTo: .seconds(46 * 3 + 1)) {
            .milliseconds(Int64.random(in: 1...3_000, using: &random))
        }
        #expect(Set(timed.map(\.event.eventID)).count == timed.count)
        let laps = Dictionary(grouping: timed, by: \.lap).mapValues { lap in
            lap.map { timed -> WatchdogEvent in
                var event = timed.event
                event.eventID = ""
                return event
            }
        }
        let first = try #require(laps[0])
        #expect(first.count > 30)
        // A lap begins with what ended with the lap before.
        let ended = laps[1]?.prefix { $0.metadata["reason"] == .string("recording_restarted") } ?? []
        #expect(laps[1].map { Array($0.dropFirst(ended.count)) } == first)
        #expect(laps[2].map { Array($0.dropFirst(ended.count)) } == first)
    }
}
