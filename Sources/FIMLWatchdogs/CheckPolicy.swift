import Configuration

/// How hard a check is tried, and when a watchdog counts as unwell.
public struct CheckPolicy: Hashable, Sendable {
    /// Tries of one check, at least 1.
    public var tries = 3
    /// Between two tries, in real time.
    public var retryDelay = Duration.seconds(5)
    /// All tries of a check together take no longer, in real time.
    public var timeLimit = Duration.seconds(60)
    /// So many failed checks in a row make a watchdog unhealthy, at least 1.
    public var failureThreshold = 3
    /// Without anything fresh to judge for so long in real time, or for two of its intervals where that is
    /// longer, a watchdog is stale.
    public var staleAfter = Duration.seconds(300)

    /// How many due checks wait at most, while one is under way: a day of checks each minute. One for a live
    /// market, of which only the present can be asked for.
    public var queuedChecks = 1_440

    /// FIML's values.
    public init() {}

    /// As configured.
    public init(_ settings: Settings.Watchdogs) {
        retryDelay = settings.retryDelay
        timeLimit = settings.checkTimeout
        failureThreshold = settings.failureThreshold
        staleAfter = settings.staleAfter
    }
}
