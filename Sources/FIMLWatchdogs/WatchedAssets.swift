import Configuration
import FIMLCore
import MarketData

/// Which assets each watchdog watches.
public struct WatchedAssets: Hashable, Sendable {
    /// Companies, by `earnings_anomaly`.
    public var earnings: [Asset] = []
    /// By `unusual_volume`.
    public var volume: [Asset] = []
    /// By `whale_movement`.
    public var transfers: [Asset] = []
    /// By `funding_rate`.
    public var funding: [Asset] = []
    /// By `liquidity_drop`.
    public var depth: [Asset] = []
    /// By `correlation_breakdown`.
    public var pairs: [AssetPair] = []
    /// By `price_anomaly`.
    public var prices: [Asset] = []

    /// None.
    public init() {}

    /// Those that the settings name for a live market.
    public init(live settings: Settings.Watchdogs) {
        earnings = settings.earningsAnomaly.symbols.map(Self.asset)
        volume = settings.unusualVolume.symbols.map(Self.asset)
        transfers = settings.whaleMovement.symbols.map(Self.asset)
        funding = settings.fundingRate.symbols.map(Self.asset)
        depth = settings.liquidityDrop.symbols.map(Self.asset)
        pairs = settings.correlationBreakdown.pairs.map {
            AssetPair(Self.asset($0.first), Self.asset($0.second))
        }
        prices = settings.priceAnomaly.symbols.map(Self.asset)
    }

    /// All that a recording holds, and of `pairs` those of which it has both.
    public init(recorded market: ReplayMarket, pairs: [Settings.SymbolPair]) {
        earnings = market.earningsAssets
        volume = market.barAssets
        transfers = market.transferAssets
        funding = market.fundingAssets
        depth = market.depthAssets
        prices = market.barAssets
        let recorded = Dictionary(market.barAssets.map { ($0.symbol, $0) }) { first, _ in first }
        self.pairs = pairs.compactMap { pair in
            guard let first = recorded[pair.first], let second = recorded[pair.second] else { return nil }
            return AssetPair(first, second)
        }
    }

    /// Symbols that mean a coin or token; a symbol in neither list is that of a share.
    public static let cryptoSymbols: Set<String> = [
        "BTC", "ETH", "SOL", "USDT", "USDC", "XRP", "ADA", "DOGE", "BNB", "AVAX", "DOT", "LINK", "LTC", "BCH",
        "MATIC", "TRX",
    ]
    /// Symbols that mean a fund traded as a share.
    public static let etfSymbols: Set<String> = ["SPY", "QQQ", "GLD", "TLT", "IWM", "DIA"]

    /// What a symbol means. Settings and filters name assets by nothing else.
    public static func asset(_ symbol: String) -> Asset {
        let symbol = symbol.uppercased()
        if cryptoSymbols.contains(symbol) {
            return Asset(symbol: symbol, assetType: .crypto, market: .crypto)
        }
        return Asset(symbol: symbol, assetType: etfSymbols.contains(symbol) ? .etf : .equity)
    }
}
