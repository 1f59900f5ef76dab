import FIMLCore

/// How often a provider may be asked: a bucket of tokens, of which each request takes one, or as many as it
/// weighs.
///
/// As many as the rate's burst may go at once, the others come back evenly within its stretch of time, so
/// that no such stretch sees more than are allowed.
struct TokenBucket {
    private let capacity: Double
    private let tokensPerMillisecond: Double
    /// Below 0 where requests wait for tokens that come later.
    private var tokens: Double
    private var filledAt = Timestamp(milliseconds: 0)

    /// A full one.
    init(_ rate: RequestRate) {
        let burst = rate.burst.map(Double.init) ?? Double(rate.requests) / 2
        capacity = max(1, burst.rounded(.down))
        tokensPerMillisecond = (Double(rate.requests) - burst) / Double(rate.stretch.rawValue)
        tokens = capacity
    }

    /// Takes so many tokens, the last of which comes in so many milliseconds; nil, and none is taken, where
    /// that is longer than `limit`.
    mutating func take(_ weight: Int = 1, at now: Timestamp, within limit: Int64) -> Int64? {
        let passed = Double(max(0, now.milliseconds - filledAt.milliseconds))
        tokens = min(capacity, tokens + passed * tokensPerMillisecond)
        filledAt = max(filledAt, now)
        let wait = Int64(max(0, (Double(weight) - tokens) / tokensPerMillisecond).rounded(.up))
        guard wait <= limit else { return nil }
        tokens -= Double(weight)
        return wait
    }
}
