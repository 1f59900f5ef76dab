import FIMLCore

/// Why a source did not answer.
public struct MarketDataError: Error, Hashable, CustomStringConvertible {
    /// What it says of whoever was asked.
    public enum Cause: Hashable, Sendable {
        /// There was no answer, or none that can be used.
        case failure
        /// What was asked for is not there; everything else may be.
        case hasNone
        /// It was asked too often.
        case tooOften
        /// It does not accept who asks: the key or cookie is wrong, or there is none.
        case unauthorized
    }

    /// One sentence for people.
    public var description: String
    /// What it says of whoever was asked.
    public var cause: Cause

    /// An error that says why.
    public init(_ description: String, cause: Cause = .failure) {
        self.description = description
        self.cause = cause
    }
}

/// What a source answered about one asset: its figures, or why there are none. An asset of which the source
/// knows nothing at that moment has empty figures, which is no error.
public struct Answer<Figures: Sendable>: Sendable {
    /// Whose figures they are.
    public var asset: Asset
    /// The figures, or why there are none.
    public var result: Result<Figures, MarketDataError>

    /// An answer about one asset.
    public init(_ asset: Asset, _ result: Result<Figures, MarketDataError>) {
        self.asset = asset
        self.result = result
    }
}

// One protocol a data need. A source answers as of a moment, so that a replayed market and a live one look
// the same; it answers about all assets at once, in their order, so that it can ask for them together.

/// Where bars come from.
public protocol BarSource: Sendable {
    /// Of each asset the newest bars that were over at `moment`, oldest first, at most `limit`. Where
    /// `unfinished` is true, the bar that has begun and is not over comes last, if the source has it.
    func bars(of assets: [Asset], closedBy moment: Timestamp, limit: Int, unfinished: Bool) async
        -> [Answer<[Bar]>]
}

/// Where quotes come from.
public protocol QuoteSource: Sendable {
    /// Of each asset the quotes known at `moment`, oldest first: all of the last `seconds` before the newest,
    /// and at least the newest two.
    func quotes(of assets: [Asset], at moment: Timestamp, covering seconds: Int64) async -> [Answer<[Quote]>]
}

/// Where the depth of order books comes from.
public protocol DepthSource: Sendable {
    /// Of each asset the newest depth known at `moment`; nil where there is none.
    func depths(of assets: [Asset], at moment: Timestamp) async -> [Answer<MarketDepth?>]
}

/// Where funding rates come from.
public protocol FundingRateSource: Sendable {
    /// Of each asset the newest rate of each exchange that was known at `moment`, ordered by exchange. An
    /// exchange that does not answer is left out.
    func fundingRates(of assets: [Asset], at moment: Timestamp) async -> [Answer<[FundingRate]>]
}

/// Where earnings reports come from.
public protocol EarningsSource: Sendable {
    /// Of each company the newest report known at `moment`; nil where there is none.
    func earnings(of assets: [Asset], at moment: Timestamp) async -> [Answer<EarningsReport?>]
}

/// Where transfers come from.
public protocol TransferSource: Sendable {
    /// Of each asset the transfers of at least `minUSD` that happened in the `seconds` up to `moment`, oldest
    /// first; nil where the source could not see the asset's chain at that moment.
    func transfers(of assets: [Asset], at moment: Timestamp, within seconds: Int64, minUSD: Double) async
        -> [Answer<[Transfer]?>]
}

/// Who knows whether exchanges answer.
public protocol ExchangeStatusSource: Sendable {
    /// Of each of `exchanges` its last two statuses known at `moment`, the newest last; ordered by exchange.
    /// One that does not answer has a status too, which says so.
    func exchangeStatuses(of exchanges: [String], at moment: Timestamp) async -> [[ExchangeStatus]]
}

/// Where companies' figures come from.
public protocol FundamentalsSource: Sendable {
    /// What is known of a company.
    func fundamentals(of asset: Asset) async throws(MarketDataError) -> Fundamentals
}

/// Where figures of an economy come from.
public protocol MacroSource: Sendable {
    /// The observations of an indicator, oldest first; at least the last two years of what there is.
    func observations(of indicator: MacroIndicator) async throws(MarketDataError) -> [MacroObservation]
}

/// Where news come from.
public protocol NewsSource: Sendable {
    /// The newest articles about an asset, newest first, at most `limit`.
    func news(about asset: Asset, limit: Int) async throws(MarketDataError) -> [NewsArticle]
}

/// Where options come from.
public protocol OptionChainSource: Sendable {
    /// The options on an asset that the source lists.
    func optionChain(of asset: Asset) async throws(MarketDataError) -> OptionChain
}

/// Where each need of the eight watchdogs is met.
public struct MarketSources: Sendable {
    /// A market that meets all needs but for the exchanges' status.
    public typealias Market = BarSource & QuoteSource & DepthSource & FundingRateSource & EarningsSource
        & TransferSource

    /// Of `unusual_volume` and `correlation_breakdown`.
    public var bars: any BarSource
    /// Of `price_anomaly`.
    public var quotes: any QuoteSource
    /// Of `liquidity_drop`.
    public var depths: any DepthSource
    /// Of `funding_rate`.
    public var fundingRates: any FundingRateSource
    /// Of `earnings_anomaly`.
    public var earnings: any EarningsSource
    /// Of `whale_movement`.
    public var transfers: any TransferSource
    /// Of `exchange_outage`.
    public var exchanges: any ExchangeStatusSource

    /// One market for all but the exchanges' status.
    public init(_ market: any Market, exchanges: any ExchangeStatusSource) {
        bars = market
        quotes = market
        depths = market
        fundingRates = market
        earnings = market
        transfers = market
        self.exchanges = exchanges
    }
}

/// A moment in the time of a market.
public struct MarketMoment: Hashable, Sendable {
    /// How often the market's time has jumped; 0 for a live one.
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
