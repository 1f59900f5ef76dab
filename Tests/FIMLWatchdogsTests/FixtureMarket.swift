import FIMLCore
import FIMLWatchdogs
import MarketData

/// A market made of what a test wants.
struct FixtureMarket {
    var bars: [Asset: [Bar]] = [:]
    var rates: [Asset: [FundingRate]] = [:]
    /// Symbols whose source fails.
    var failing: Set<String> = []

    var barAssets: [Asset] { bars.keys.sorted { $0.symbol < $1.symbol } }
    var fundingAssets: [Asset] { rates.keys.sorted { $0.symbol < $1.symbol } }

    func bars(of asset: Asset, closedBy moment: Timestamp, limit: Int) async throws(MarketDataError) -> [Bar]
    {
        if failing.contains(asset.symbol) { throw MarketDataError("no answer") }
        return (bars[asset] ?? []).filter { $0.closesAt <= moment }.suffix(limit)
    }

    func bar(of asset: Asset, closedAt moment: Timestamp) async throws(MarketDataError) -> Bar? {
        if failing.contains(asset.symbol) { throw MarketDataError("no answer") }
        return bars[asset]?.first { $0.closesAt == moment }
    }

    func fundingRates(of asset: Asset, at moment: Timestamp) async throws(MarketDataError) -> [FundingRate] {
        if failing.contains(asset.symbol) { throw MarketDataError("no answer") }
        return (rates[asset] ?? []).filter { $0.knownAt <= moment }
    }
}

func equity(_ symbol: String) -> Asset {
    Asset(symbol: symbol, assetType: .equity)
}

func at(_ seconds: Int64) -> Timestamp {
    Timestamp(milliseconds: seconds * 1_000)
}

/// A bar that opens at a second, all its prices being `close`.
func bar(_ opensAt: Int64, every interval: Int64 = 60, close: Double = 100, volume: Double? = 1) -> Bar {
    Bar(
        opensAt: at(opensAt), intervalSeconds: interval, open: close, high: close, low: close, close: close,
        volume: volume)
}
