import FIMLCore
import MarketData

/// What a worker is given about one asset: everything that it judges by. What its type does not need is
/// empty.
public struct Figures: Hashable, Sendable {
    /// The daily bars of something that the asset is compared with.
    public struct Benchmark: Hashable, Sendable {
        /// What they are of.
        public var asset: Asset
        /// Oldest first.
        public var bars: [Bar]

        /// A benchmark of both.
        public init(_ asset: Asset, bars: [Bar]) {
            self.asset = asset
            self.bars = bars
        }
    }

    /// What is analysed.
    public var asset: Asset
    /// When it is analysed. Of a recorded market the figures may be years older: each has its own time.
    public var moment: Timestamp
    /// Daily bars of the asset, oldest first.
    public var bars: [Bar] = []
    /// In the order in which they are compared; the first is the market that beta is against.
    public var benchmarks: [Benchmark] = []
    /// What the company reported.
    public var fundamentals: Fundamentals?
    /// Observations of the economy, oldest first.
    public var observations: [MacroIndicator: [MacroObservation]] = [:]
    /// Articles, newest first.
    public var articles: [NewsArticle] = []
    /// The options on the asset.
    public var optionChain: OptionChain?
    /// What could not be had, and why.
    public var missing: [MissingFigures] = []

    /// No figures yet.
    public init(_ asset: Asset, at moment: Timestamp) {
        self.asset = asset
        self.moment = moment
    }
}
