import Configuration
import FIMLCore
import FoundationEssentials
import GatewayTesting
import MarketData
import Testing

@testable import FIMLWatchdogs

/// Exchanges that answer at once as a script says.
private struct ExchangeScript: ExchangeStatusSource {
    let entries: [ExchangeScriptEntry]

    func exchangeStatuses(of exchanges: [String], at moment: Timestamp) async -> [[ExchangeStatus]] {
        exchanges.sorted().map { exchange in
            let entry = entries.last { $0.exchange == exchange && $0.time <= moment }
            return [
                ExchangeStatus(
                    exchange: exchange, observedAt: moment, intervalSeconds: 60,
                    statusCode: entry == nil ? 200 : entry?.statusCode, responseMilliseconds: 1)
            ]
        }
    }
}

@Suite("The recorded market drives all eight watchdogs")
struct DefaultReplayTests {
    private static let directory =
        #filePath.replacing(
            "Tests/FIMLWatchdogsTests/DefaultReplayTests.swift", with: "Sources/MarketData/Recording")

    /// The events of the default replay by the lap and the real time at which they come, clock looked at as
    /// told.
    private static func events(
        upTo end: Duration, tick: () -> Duration
    ) async throws -> [(lap: Int, elapsed: Duration, event: WatchdogEvent)] {
        let market = try ReplayMarket(try Recording.load(directory: directory), from: nil, speed: 86_400)
        let collector = Collector()
        let settings = Settings().watchdogs
        let watchdogs = WatchdogSet.all(
            settings, assets: WatchedAssets(recorded: market, pairs: settings.correlationBreakdown.pairs),
            market: MarketSources(market, exchanges: ExchangeScript(entries: market.exchangeScript)))
        var runners = watchdogs.map { watchdog in
            (
                WatchdogRunner(
                    watchdog, WatchdogManager.Configuration(), conditions: [], observer: nil
                ) { await collector.add($0) },
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

    @Test("the first event comes within two seconds, and all eight watchdogs fire within forty")
    func early() async throws {
        let timed = try await Self.events(upTo: .seconds(40)) { .milliseconds(100) }
        let first = try #require(timed.first)
        #expect(first.elapsed <= .seconds(2))
        let fired = Set(timed.map(\.event).filter { $0.status == .firing }.map(\.watchdog))
        #expect(fired == Set(WatchdogName.allCases))
        let moves = timed.map(\.event).filter { $0.watchdog == .priceAnomaly && $0.status == .firing }
        #expect(moves.count >= 10)
        #expect(
            moves.contains {
                $0.type == .flashCrash && $0.severity == .critical && $0.asset?.symbol == "SPY"
            })
    }

    @Test(
        "each round gives the same events under new ids, however the clock is looked at",
        arguments: UInt64(1)...3)
    func rounds(seed: UInt64) async throws {
        var random = SeededGenerator(seed: seed)
        let episodes = try Recording.load(directory: Self.directory).episodes.count
        let timed = try await Self.events(upTo: .seconds(36 * 2 + 1)) {
            .milliseconds(Int64.random(in: 1...3_000, using: &random))
        }
        #expect(Set(timed.map(\.event.eventID)).count == timed.count)
        // What ends with an episode is told when the next one begins.
        let rounds = Dictionary(grouping: timed) {
            ($0.event.metadata["reason"] == "recording_jumped" ? $0.lap - 1 : $0.lap) / episodes
        }.mapValues { round in
            round.map { timed -> WatchdogEvent in
                var event = timed.event
                event.eventID = ""
                return event
            }
        }
        let first = try #require(rounds[0])
        #expect(first.count > 30)
        #expect(rounds[1] == first)
    }
}
