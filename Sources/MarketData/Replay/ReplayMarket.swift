import FIMLCore

/// A recorded market, replayed: answers as of any moment, and tells the moments at the speed asked for, in a
/// loop.
///
/// Answers depend on the moment alone, so each lap sees the same, and what lies outside of the episodes is
/// history.
public struct ReplayMarket: MarketClock {
    /// How often the driver looks at the real clock.
    private static let tick = Duration.milliseconds(100)

    /// The pure clock behind `moments()`, at the start of the first lap.
    public let clock: ReplayClock
    /// What is replayed, in this order.
    public let episodes: [Episode]
    /// How the exchanges of this market answer, ordered by time: for the server that answers for them.
    public let exchangeScript: [ExchangeScriptEntry]
    /// The assets that there are bars of, and so quotes; ordered by symbol, as all these lists are.
    public let barAssets: [Asset]
    /// The assets that there are funding rates of.
    public let fundingAssets: [Asset]
    /// The assets that there is depth of.
    public let depthAssets: [Asset]
    /// The companies that there are earnings of.
    public let earningsAssets: [Asset]
    /// The assets that there are transfers of.
    public let transferAssets: [Asset]

    let bars: [String: [Bar]]
    let fundingRates: [String: [[FundingRate]]]
    let depths: [String: [MarketDepth]]
    let earnings: [String: [EarningsReport]]
    let transfers: [String: [Transfer]]
    let fundamentals: [String: [Fundamentals]]
    let observations: [MacroIndicator: [MacroObservation]]
    let news: [String: [NewsArticle]]
    let optionChains: [String: [OptionChain]]

    /// A replay at `speed` seconds of the recording a second (`REPLAY_SPEED`, kept within 1…31,536,000).
    ///
    /// From `start` on (`REPLAY_FROM`) all of the recording is replayed, except that a hole of more than 7
    /// days without any figure is jumped over. Where it is nil, the recording's own episodes are, or all of
    /// it where it has none. Throws when there is no figure in what is to be replayed.
    public init(_ recording: Recording, from start: Timestamp?, speed: Int64) throws(MarketDataError) {
        let spans = recording.figureSpans
        let episodes =
            start == nil && !recording.episodes.isEmpty
            ? recording.episodes : Episode.covering(spans, from: start)
        // A check is due too when an exchange begins to answer differently.
        let arrivals = spans.map(\.knownAt) + recording.exchangeScript.map(\.time)
        guard !spans.isEmpty, let clock = ReplayClock(episodes: episodes, arrivals: arrivals, speed: speed)
        else {
            throw MarketDataError("the recording has no figure in the time that is to be replayed")
        }
        self.clock = clock
        self.episodes = episodes
        exchangeScript = recording.exchangeScript
        (barAssets, bars) = Self.bySymbol(recording.bars)
        (fundingAssets, fundingRates) = Self.bySymbol(recording.fundingRates)
        (depthAssets, depths) = Self.bySymbol(recording.depths)
        (earningsAssets, earnings) = Self.bySymbol(recording.earnings)
        (transferAssets, transfers) = Self.bySymbol(recording.transfers)
        fundamentals = Self.bySymbol(recording.fundamentals).1
        observations = recording.observations
        news = Self.bySymbol(recording.news).1
        optionChains = Self.bySymbol(recording.optionChains).1
    }

    /// The moments of the replay by the real clock, from the call on, without end. Each call is a replay of
    /// its own.
    public func moments() -> AsyncStream<MarketMoment> {
        let driver = ReplayDriver(clock, tick: Self.tick)
        return AsyncStream { await driver.next() }
    }

    private static func bySymbol<Figure>(_ series: [Series<Figure>]) -> ([Asset], [String: [Figure]]) {
        (
            series.map(\.asset),
            Dictionary(series.map { ($0.asset.symbol, $0.figures) }) { first, _ in first }
        )
    }
}

extension Recording {
    /// The time of each figure that is replayed. How exchanges answer is none: a script may say so long
    /// before; nor are figures of companies and economies, news and options, which are answered whatever
    /// moment is replayed.
    fileprivate var figureSpans: [FigureSpan] {
        var moments = fundingRates.flatMap { $0.figures.joined() }.map(\.knownAt)
        moments += depths.flatMap(\.figures).map(\.observedAt)
        moments += earnings.flatMap(\.figures).compactMap(\.reportedAt)
        moments += transfers.flatMap(\.figures).map(\.observedAt)
        return bars.flatMap(\.figures).map { FigureSpan($0) } + moments.map { FigureSpan(knownAt: $0) }
    }
}
