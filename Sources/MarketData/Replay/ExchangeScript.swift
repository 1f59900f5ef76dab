import FIMLCore

/// One line of the script by which the exchanges of a replayed market answer: from a moment on, one of them
/// answers so.
public struct ExchangeScriptEntry: Hashable, Sendable {
    /// From which market time on, until the exchange's next entry.
    public var time: Timestamp
    /// The exchange: `binance`.
    public var exchange: String
    /// The HTTP status that it answers with, 200 to 599; nil where it closes without an answer.
    public var statusCode: Int?
    /// How long it takes to answer, or to close, in milliseconds; at least 0.
    public var delayMilliseconds: Int

    /// An entry with every part given.
    public init(time: Timestamp, exchange: String, statusCode: Int?, delayMilliseconds: Int) {
        self.time = time
        self.exchange = exchange
        self.statusCode = statusCode
        self.delayMilliseconds = delayMilliseconds
    }
}
