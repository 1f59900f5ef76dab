import FIMLCore

/// When a figure is too old to be judged, or to stand in for one that no provider gives.
public enum Freshness {
    /// What an interval between figures may be, in seconds: up to 100 days, so that sums of a few do not
    /// overflow.
    public static let intervals: ClosedRange<Int64> = 1...8_640_000
    /// How many of its own intervals a figure may be old: a daily bar lives through a long weekend.
    public static let intervalCount: Int64 = 5
    /// How far another's clock may be ahead of ours, in seconds.
    public static let skewSeconds: Int64 = 60

    /// An interval kept within what it may be.
    public static func interval(_ seconds: Int64) -> Int64 {
        min(max(seconds, intervals.lowerBound), intervals.upperBound)
    }

    /// By how many milliseconds what is from `observedAt`, and should come every `intervalSeconds`, is too
    /// old; 0 or less where it is young enough.
    public static func lateness(_ observedAt: Timestamp, intervalSeconds: Int64, at moment: Timestamp)
        -> Int64
    {
        moment.milliseconds - observedAt.milliseconds - intervalCount * interval(intervalSeconds) * 1_000
    }

    /// Whether such a figure is young enough.
    public static func isFresh(_ observedAt: Timestamp, intervalSeconds: Int64, at moment: Timestamp) -> Bool
    {
        lateness(observedAt, intervalSeconds: intervalSeconds, at: moment) <= 0
    }

    /// Whether what is said to be from `observedAt` lies further ahead than clocks differ.
    public static func isAhead(_ observedAt: Timestamp, of moment: Timestamp) -> Bool {
        observedAt.milliseconds > moment.milliseconds + skewSeconds * 1_000
    }

    /// Whether a figure must not be judged: too old, or from so far ahead, where its interval is not longer
    /// anyway, that a clock must be wrong.
    public static func isStale(_ observedAt: Timestamp, intervalSeconds: Int64, at moment: Timestamp) -> Bool
    {
        let ahead = observedAt.milliseconds - moment.milliseconds
        return !isFresh(observedAt, intervalSeconds: intervalSeconds, at: moment)
            || ahead > max(interval(intervalSeconds), skewSeconds) * 1_000
    }
}
