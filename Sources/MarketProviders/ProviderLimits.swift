/// How long and how often a provider is asked for one thing.
public struct ProviderLimits: Sendable {
    /// How often at most; again only after a failure that may pass.
    public var tries = 3
    /// How long one try may take.
    public var timeLimit = Duration.seconds(10)
    /// How long a request may wait for its turn, in milliseconds: for the provider's rate, or because the
    /// provider asked to wait.
    public var maxWaitMilliseconds: Int64 = 10_000
    /// The wait before the second try is random up to this many milliseconds, twice as many before the third,
    /// and so on up to `maxBackoffMilliseconds`: "full jitter" of M. Brooker, "Exponential backoff and
    /// jitter".
    public var backoffMilliseconds: Int64 = 500
    /// The longest wait between two tries, in milliseconds.
    public var maxBackoffMilliseconds: Int64 = 8_000
    /// How large an answer may be, in bytes.
    public var maxBytes = 32 << 20

    /// The usual ones.
    public init() {}

    /// The usual ones, but a try takes at most a third of `checkLimit`, though a second at least: one that is
    /// cancelled with the check that wanted it would not count against the provider.
    public init(within checkLimit: Duration) {
        timeLimit = max(.seconds(1), min(timeLimit, checkLimit / 3))
    }

    /// The wait before a try, the second being 1, by a random number from 0 to 1.
    func backoff(before number: Int, random: Double) -> Int64 {
        let longest = min(maxBackoffMilliseconds, backoffMilliseconds << min(max(number - 1, 0), 16))
        return Int64(Double(longest) * min(max(random, 0), 1))
    }
}
