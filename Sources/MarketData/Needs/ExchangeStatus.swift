import FIMLCore

/// How an exchange answered when it was asked whether it is there.
public struct ExchangeStatus: Hashable, Sendable {
    /// The exchange: `binance`.
    public var exchange: String
    /// When it was asked.
    public var observedAt: Timestamp
    /// How far apart it is usually asked, in seconds; at least 1.
    public var intervalSeconds: Int64
    /// The HTTP status of its answer; nil where none came in time.
    public var statusCode: Int?
    /// How long the answer took, or was waited for.
    public var responseMilliseconds: Double
    /// Why no answer came; nil where one did.
    public var error: String?

    /// A status with every part given.
    public init(
        exchange: String, observedAt: Timestamp, intervalSeconds: Int64, statusCode: Int?,
        responseMilliseconds: Double, error: String? = nil
    ) {
        self.exchange = exchange
        self.observedAt = observedAt
        self.intervalSeconds = intervalSeconds
        self.statusCode = statusCode
        self.responseMilliseconds = responseMilliseconds
        self.error = error
    }
}
