import FIMLCore

/// Why a source did not answer.
public struct MarketDataError: Error, Hashable, CustomStringConvertible {
    /// One sentence for people.
    public var description: String

    /// An error that says why.
    public init(_ description: String) {
        self.description = description
    }
}

/// Where bars come from. A source answers as of a moment, so a replayed market and a live one look the same.
public protocol BarSource: Sendable {
    /// The assets that it has bars of, ordered by symbol.
    var barAssets: [Asset] { get }

    /// The newest bars that were over at `moment`, oldest first, at most `limit`; none for an asset it does
    /// not know.
    func bars(of asset: Asset, closedBy moment: Timestamp, limit: Int) async throws(MarketDataError) -> [Bar]

    /// The bar that ended exactly at `moment`; nil where there is none.
    func bar(of asset: Asset, closedAt moment: Timestamp) async throws(MarketDataError) -> Bar?
}

/// Where funding rates come from.
public protocol FundingRateSource: Sendable {
    /// The assets that it has rates of, ordered by symbol.
    var fundingAssets: [Asset] { get }

    /// The newest rate of each exchange that was known at `moment`, ordered by exchange.
    func fundingRates(of asset: Asset, at moment: Timestamp) async throws(MarketDataError) -> [FundingRate]
}

/// A moment in the time of a market.
public struct MarketMoment: Hashable, Sendable {
    /// How often the market has started over; 0 for a live one.
    public var lap: Int
    /// The market's time. It only grows within a lap.
    public var time: Timestamp

    /// A moment in a lap.
    public init(lap: Int, time: Timestamp) {
        self.lap = lap
        self.time = time
    }
}

/// Tells the time of a market.
public protocol MarketClock: Sendable {
    /// The moments worth looking at, each delivered when it has come. Ends when the task that reads is
    /// cancelled.
    func moments() -> AsyncStream<MarketMoment>
}
