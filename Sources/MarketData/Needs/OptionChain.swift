import FIMLCore

/// The options on one asset.
public struct OptionChain: Hashable, Sendable {
    /// When it was taken.
    public var observedAt: Timestamp
    /// What the asset itself was worth then; nil where the source does not say.
    public var underlyingPrice: Double?
    /// In the order of the source.
    public var contracts: [OptionContract]

    /// A chain with every part given.
    public init(observedAt: Timestamp, underlyingPrice: Double?, contracts: [OptionContract]) {
        self.observedAt = observedAt
        self.underlyingPrice = underlyingPrice
        self.contracts = contracts
    }
}

/// One option; what is nil the source does not say.
public struct OptionContract: Hashable, Sendable {
    /// The right that it gives.
    public enum Kind: String, CaseIterable, Sendable {
        case call, put
    }

    /// As the source names it.
    public var symbol: String
    /// Call or put.
    public var kind: Kind
    /// The price at which it may be used; greater than 0.
    public var strike: Double
    /// The start, in UTC, of the day on which it ends.
    public var expiresOn: Timestamp
    /// The best bid.
    public var bid: Double?
    /// The best ask.
    public var ask: Double?
    /// The last price.
    public var last: Double?
    /// Contracts traded today.
    public var volume: Double?
    /// Contracts that are open.
    public var openInterest: Double?
    /// A year's standard deviation, as a fraction: 0.25 is 25 %.
    public var impliedVolatility: Double?

    /// An option of which only its terms are known.
    public init(symbol: String, kind: Kind, strike: Double, expiresOn: Timestamp) {
        self.symbol = symbol
        self.kind = kind
        self.strike = strike
        self.expiresOn = expiresOn
    }
}
