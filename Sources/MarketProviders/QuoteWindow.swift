import FIMLCore
import MarketData

/// What an asset was worth over the last 24 hours, as often as it was asked, at most 3,000 times.
///
/// A pure value. A quote that is not later than the newest changes nothing, whoever gave it.
struct QuoteWindow: Hashable, Sendable {
    /// How long a quote is kept, in seconds, counted back from the newest.
    static let keptSeconds: Int64 = 86_400
    /// How many are kept: 24 hours of one each 30 seconds are 2,880.
    static let limit = 3_000

    /// Oldest first.
    private(set) var quotes: [Quote] = []

    /// Nothing was seen yet.
    init() {}

    /// The newest quote.
    var newest: Quote? { quotes.last }

    /// Takes in a quote. False where it is not later than the newest, or cannot be.
    @discardableResult
    mutating func add(_ quote: Quote) -> Bool {
        guard AnswerReader.moments.contains(quote.observedAt),
            (.leastNormalMagnitude...AnswerReader.greatest).contains(quote.price),
            Freshness.intervals.contains(quote.intervalSeconds),
            newest.map({ $0.observedAt < quote.observedAt }) ?? true
        else { return false }
        quotes.append(quote)
        forget(before: quote.observedAt.milliseconds - Self.keptSeconds * 1_000)
        if quotes.count > Self.limit { quotes.removeFirst(quotes.count - Self.limit) }
        return true
    }

    /// Drops what is earlier than a moment, given in milliseconds.
    mutating func forget(before milliseconds: Int64) {
        let old = quotes.prefix { $0.observedAt.milliseconds < milliseconds }.count
        if old > 0 { quotes.removeFirst(old) }
    }

    /// All quotes of the last `seconds` before the newest, and at least the newest two.
    func covering(seconds: Int64) -> [Quote] {
        guard let newest else { return [] }
        let kept = min(max(0, seconds), Self.keptSeconds)
        let first = newest.observedAt.milliseconds - kept * 1_000
        let inside = quotes.reversed().prefix { $0.observedAt.milliseconds >= first }.count
        return quotes.suffix(max(2, inside))
    }
}
