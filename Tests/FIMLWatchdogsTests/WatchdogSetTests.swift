import Configuration
import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("All eight watchdogs are built from the settings")
struct WatchdogSetTests {
    @Test("each has its own switch and interval")
    func schedules() {
        var settings = Settings().watchdogs
        settings.whaleMovement.isEnabled = false
        settings.priceAnomaly.checkInterval = .seconds(7)
        let watchdogs = WatchdogSet.all(settings, assets: WatchedAssets(), market: FixtureMarket().sources)
        #expect(watchdogs.map(\.name) == WatchdogName.allCases)
        #expect(watchdogs.map(\.schedule.intervalSeconds) == [300, 60, 120, 300, 180, 600, 60, 7])
        #expect(watchdogs.filter { !$0.schedule.isEnabled }.map(\.name) == [.whaleMovement])
    }

    @Test("an interval below a second counts as one")
    func shortInterval() {
        #expect(WatchdogSchedule(isEnabled: true, interval: .milliseconds(900)).intervalSeconds == 1)
    }

    @Test("a live market watches the symbols of the settings, as coins, funds or shares")
    func liveAssets() {
        let assets = WatchedAssets(live: Settings().watchdogs)
        #expect(assets.earnings.map(\.symbol) == ["AAPL", "MSFT", "GOOGL", "AMZN", "TSLA"])
        #expect(assets.prices.map(\.assetType) == [.crypto, .crypto, .etf, .etf, .equity, .equity])
        #expect(assets.depth.map(\.market) == [.crypto, .crypto, .crypto, .us, .us])
        #expect(assets.transfers.map(\.symbol) == ["BTC", "ETH", "SOL", "USDT", "USDC"])
        #expect(assets.funding.map(\.symbol) == ["BTC", "ETH", "SOL"])
        #expect(assets.volume.map(\.symbol) == ["AAPL", "MSFT", "GOOGL", "AMZN", "TSLA", "SPY", "QQQ"])
        #expect(
            assets.pairs.map { [$0.first.symbol, $0.second.symbol] } == [
                ["BTC", "ETH"], ["SPY", "QQQ"], ["GLD", "TLT"], ["BTC", "SPY"],
            ])
        #expect(WatchedAssets.asset("btc").symbol == "BTC")
        #expect(assets.pairs[3].first == assets.prices[0])
    }
}
