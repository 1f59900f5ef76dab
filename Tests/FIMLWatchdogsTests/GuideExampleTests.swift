import Configuration
import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("The library is used as the production guide's example uses FIML's")
struct GuideExampleTests {
    @Test("initialise, start, subscribe, look at health and status, stop")
    func example() async throws {
        let (printed, printer) = AsyncStream<String>.makeStream()
        let print: @Sendable (String) -> Void = { printer.yield($0) }

        // Initialise the manager: settings by their names, and the recorded market.
        let loaded = try Settings.load(environment: ["REPLAY_SPEED": "31536000"])
        let settings = loaded.settings.watchdogs
        let market = try ReplayMarket(
            Recording.load(directory: Self.recording), from: nil,
            speed: Int64(loaded.settings.marketData.replaySpeed))
        let manager = WatchdogManager(
            settings, assets: WatchedAssets(recorded: market, pairs: settings.correlationBreakdown.pairs),
            market: MarketSources(market, exchanges: AnsweringExchanges()), clock: market)

        // Start monitoring.
        await manager.start()

        // Subscribe to events.
        await manager.subscribe(to: try EventFilter.parse(["severities": ["critical"]])) { event in
            print("CRITICAL: \(event.description)")
        }
        let first = await printed.first { _ in true }

        // Check health.
        let health = await manager.health()
        let status = await manager.status()
        let unhealthy = health.unhealthy
        let stale = health.stale(maxAgeSeconds: 300)

        // Stop monitoring.
        await manager.stop()

        #expect(first?.hasPrefix("CRITICAL: ") == true)
        #expect((health.totalWatchdogs, health.enabledWatchdogs) == (8, 8))
        #expect(health.totalChecks > 0 && health.eventsBySeverity[.critical, default: 0] > 0)
        #expect((status.running, status.runningWatchdogs, status.activeSubscribers) == (true, 8, 1))
        #expect((unhealthy, stale) == ([], []))
        #expect(await manager.status().running == false)
    }

    private static let recording = #filePath.replacing(
        "Tests/FIMLWatchdogsTests/GuideExampleTests.swift", with: "Sources/MarketData/Recording")
}

/// Exchanges that answer at once, whatever the moment: who asks real ones is the library's user.
private struct AnsweringExchanges: ExchangeStatusSource {
    func exchangeStatuses(of exchanges: [String], at moment: Timestamp) async -> [[ExchangeStatus]] {
        exchanges.sorted().map { exchange in
            [
                ExchangeStatus(
                    exchange: exchange, observedAt: moment, intervalSeconds: 60, statusCode: 200,
                    responseMilliseconds: 20)
            ]
        }
    }
}
