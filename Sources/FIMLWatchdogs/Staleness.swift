import FIMLCore

/// When a figure is too old to be judged.
enum Staleness {
    /// How many of its own intervals a figure may be old: a daily bar lives through a long weekend.
    static let intervals: Int64 = 5

    /// How far ahead of ours another's clock may be, in seconds, where its interval is not longer anyway.
    static let aheadSeconds: Int64 = 60

    /// Whether what is from `observedAt`, and should come every `intervalSeconds`, is too old at `moment`; or
    /// from so far ahead of it that a clock must be wrong.
    static func isStale(_ observedAt: Timestamp, intervalSeconds: Int64, at moment: Timestamp) -> Bool {
        let age = moment.milliseconds - observedAt.milliseconds
        return age > intervals * intervalSeconds * 1_000
            || age < -max(intervalSeconds, aheadSeconds) * 1_000
    }
}
