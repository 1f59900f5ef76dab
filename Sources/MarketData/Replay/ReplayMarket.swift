import FIMLCore

/// A recorded market, replayed: answers as of any moment, and tells the moments at the speed asked for, in a
/// loop.
///
/// Answers depend on the moment alone, so each lap sees the same, and what lies before the start is history.
public struct ReplayMarket: BarSource, FundingRateSource, MarketClock {
    /// How often the driver looks at the real clock.
    private static let tick = Duration.milliseconds(100)

    /// The pure clock behind `moments()`, at the start of the first lap.
    public let clock: ReplayClock
    /// The assets that there are bars of, ordered by symbol.
    public let barAssets: [Asset]
    /// The assets that there are funding rates of, ordered by symbol.
    public let fundingAssets: [Asset]
    private let bars: [String: [Bar]]
    private let fundingRates: [String: [[FundingRate]]]

    /// A replay that starts at `start`, or with the first figure when nil, at `speed` seconds of the
    /// recording a second (`REPLAY_SPEED`, kept within 1…31,536,000). Throws when the recording has nothing
    /// after `start`.
    public init(_ recording: Recording, from start: Timestamp?, speed: Int64) throws(MarketDataError) {
        let firstBars = recording.bars.compactMap { $0.bars.first?.opensAt }
        let firstRates = recording.fundingRates.flatMap(\.exchanges).compactMap { $0.first?.knownAt }
        let arrivals =
            recording.bars.flatMap { $0.bars.map(\.closesAt) }
            + recording.fundingRates.flatMap { $0.exchanges.flatMap { $0.map(\.knownAt) } }
        // One second earlier, so that a recording of a single rate has a lap too.
        let first = (firstBars + firstRates.map { Timestamp(milliseconds: $0.milliseconds - 1_000) }).min()
        guard let start = start ?? first,
            let clock = ReplayClock(start: start, arrivals: arrivals, speed: speed)
        else {
            throw MarketDataError("the recording has no figure after the start of the replay")
        }
        self.clock = clock
        barAssets = recording.bars.map(\.asset)
        fundingAssets = recording.fundingRates.map(\.asset)
        bars = Dictionary(recording.bars.map { ($0.asset.symbol, $0.bars) }) { first, _ in first }
        fundingRates = Dictionary(recording.fundingRates.map { ($0.asset.symbol, $0.exchanges) }) {
            first, _ in first
        }
    }

    /// Bars that were over at `moment`, as `BarSource` says. A recording has no unfinished ones.
    public func bars(of assets: [Asset], closedBy moment: Timestamp, limit: Int, unfinished: Bool)
        -> [Answer<[Bar]>]
    {
        assets.map { asset in
            guard let series = bars[asset.symbol], limit > 0 else { return Answer(asset, .success([])) }
            let end = Self.count(in: series, notAfter: moment, \.closesAt)
            return Answer(asset, .success(Array(series[max(0, end - min(limit, end))..<end])))
        }
    }

    /// The newest rate of each exchange at `moment`.
    public func fundingRates(of assets: [Asset], at moment: Timestamp) -> [Answer<[FundingRate]>] {
        assets.map { asset in
            let newest = (fundingRates[asset.symbol] ?? []).compactMap { rates -> FundingRate? in
                let end = Self.count(in: rates, notAfter: moment, \.knownAt)
                return end > 0 ? rates[end - 1] : nil
            }
            return Answer(asset, .success(newest))
        }
    }

    /// The moments of the replay by the real clock, from the call on, without end. Each call is a replay of
    /// its own.
    public func moments() -> AsyncStream<MarketMoment> {
        let driver = ReplayDriver(clock, tick: Self.tick)
        return AsyncStream { await driver.next() }
    }

    /// How many elements of an ordered series are not later than `moment` (binary search).
    private static func count<Element>(
        in series: [Element], notAfter moment: Timestamp, _ time: (Element) -> Timestamp
    ) -> Int {
        var low = 0
        var high = series.count
        while low < high {
            let middle = low + (high - low) / 2
            if time(series[middle]) <= moment { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

/// Moves a replay clock by the real one. The only place of the replay that reads a clock.
private actor ReplayDriver {
    private var clock: ReplayClock
    private let tick: Duration
    private let begin = ContinuousClock.now
    private var moments: [MarketMoment] = []
    private var next = 0

    init(_ clock: ReplayClock, tick: Duration) {
        self.clock = clock
        self.tick = tick
    }

    /// The next moment, once it has come; nil when the task was cancelled.
    func next() async -> MarketMoment? {
        while next == moments.count {
            moments = clock.advance(to: begin.duration(to: .now))
            next = 0
            if moments.isEmpty {
                guard (try? await Task.sleep(for: tick)) != nil else { return nil }
            }
        }
        defer { next += 1 }
        return Task.isCancelled ? nil : moments[next]
    }
}
