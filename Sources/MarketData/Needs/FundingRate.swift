import FIMLCore

/// What holders of a perpetual future pay each other on one exchange.
public struct FundingRate: Hashable, Sendable {
    /// The exchange: `binance`.
    public var exchange: String
    /// The rate for eight hours, as a fraction: 0.001 is 0.1 %. Positive: longs pay shorts.
    public var rate: Double
    /// From when on it is known.
    public var knownAt: Timestamp
    /// How far apart the exchange's rates usually are, in seconds; at least 1.
    public var intervalSeconds: Int64

    /// A rate with every part given.
    public init(exchange: String, rate: Double, knownAt: Timestamp, intervalSeconds: Int64) {
        self.exchange = exchange
        self.rate = rate
        self.knownAt = knownAt
        self.intervalSeconds = intervalSeconds
    }
}
