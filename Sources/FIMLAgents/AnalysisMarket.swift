import FIMLCore
import MarketData

/// Where each need of the eight workers is met.
public struct AnalysisMarket: Sendable {
    /// A market that meets all of them.
    public typealias Market = BarSource & FundamentalsSource & MacroSource & NewsSource & OptionChainSource

    /// Daily bars.
    public var bars: any BarSource
    /// What companies reported.
    public var fundamentals: any FundamentalsSource
    /// Figures of the economy.
    public var macro: any MacroSource
    /// Articles.
    public var news: any NewsSource
    /// Options.
    public var optionChains: any OptionChainSource
    /// Whether it is the market as it is now: then bars must not be older than `Freshness` says. Of a
    /// recorded one the newest figures of all that was recorded count, whatever moment is being replayed.
    public var isLive: Bool

    /// What else an asset is compared with, beside the usual benchmarks: of a recorded market all that it has
    /// bars of, since it may not have those of the usual ones.
    public var otherBenchmarks: [Asset]

    /// One market for all needs.
    public init(_ market: any Market, isLive: Bool) {
        bars = market
        fundamentals = market
        macro = market
        news = market
        optionChains = market
        self.isLive = isLive
        otherBenchmarks = []
    }

    /// A recorded market.
    public init(recorded market: ReplayMarket) {
        self.init(market, isLive: false)
        otherBenchmarks = market.barAssets
    }
}
