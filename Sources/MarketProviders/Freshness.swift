import FIMLCore

/// When a figure that was kept may stand in for one that no provider gives.
enum Freshness {
    /// What an interval between figures may be, in seconds: up to 100 days, so that sums of a few do not
    /// overflow.
    static let intervals: ClosedRange<Int64> = 1...8_640_000
    /// How many of its own intervals a figure may be old; the watchdogs hold those that are older for stale.
    static let intervalCount: Int64 = 5
    /// How far a provider's clock may be ahead of ours, in seconds.
    static let skewSeconds: Int64 = 60

    /// An interval that is set, kept within what it may be.
    static func interval(_ seconds: Int64) -> Int64 {
        min(max(seconds, intervals.lowerBound), intervals.upperBound)
    }

    /// Whether what is from `observedAt`, and should come every `intervalSeconds`, is young enough.
    static func isFresh(_ observedAt: Timestamp, intervalSeconds: Int64, at moment: Timestamp) -> Bool {
        lateness(observedAt, intervalSeconds: intervalSeconds, at: moment) <= 0
    }

    /// By how many milliseconds such a figure is too old; of one that is young enough 0 or less.
    static func lateness(_ observedAt: Timestamp, intervalSeconds: Int64, at moment: Timestamp) -> Int64 {
        moment.milliseconds - observedAt.milliseconds - intervalCount * intervalSeconds * 1_000
    }

    /// Whether what is said to be from `observedAt` lies further ahead than clocks differ.
    static func isAhead(_ observedAt: Timestamp, of moment: Timestamp) -> Bool {
        observedAt.milliseconds > moment.milliseconds + skewSeconds * 1_000
    }
}
