import FIMLCore

/// Figures that an analysis may need, by the names that `insufficient_data` uses.
public enum DataNeed: String, CaseIterable, JSONWritable, Sendable {
    /// Daily bars of the asset.
    case bars
    /// Daily bars of what the asset is compared with.
    case benchmarkBars = "benchmark_bars"
    /// What a company reported.
    case fundamentals
    /// Figures of the economy.
    case macro
    /// Articles about the asset.
    case news
    /// The options on the asset.
    case optionChain = "option_chain"
}

/// Figures that could not be had.
public struct MissingFigures: Hashable, Sendable {
    /// Which need they would have met.
    public var need: DataNeed
    /// What exactly is missing: `SPY`, `unemployment`, `sma_200`; nil where it is the need as a whole.
    public var subject: String?
    /// Why, in one line for people, with the provider where one said so.
    public var reason: String

    /// Missing figures with every part given.
    public init(_ need: DataNeed, _ subject: String? = nil, reason: String) {
        self.need = need
        self.subject = subject
        self.reason = reason
    }
}

extension WorkerType {
    /// What a worker of this type is given.
    public var needs: [DataNeed] {
        switch self {
        case .fundamentals: [.fundamentals, .bars]
        case .technical, .risk: [.bars]
        case .macro: [.macro]
        case .sentiment, .news: [.news]
        case .correlation: [.bars, .benchmarkBars]
        case .options: [.optionChain, .bars]
        }
    }

    /// How many daily bars it is given at most: the newest. 0 where it needs none.
    public var barLimit: Int {
        switch self {
        // The longest average is of 200 days; 60 more let the exponential ones settle.
        case .technical: 260
        // A year of returns.
        case .risk, .correlation: 253
        // Only the newest price.
        case .fundamentals, .options: 1
        case .macro, .sentiment, .news: 0
        }
    }
}
