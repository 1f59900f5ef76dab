import FIMLCore

/// When a figure is too old to be judged.
enum Staleness {
    /// How many of its own intervals a figure may be old: a daily bar lives through a long weekend.
    static let intervals: Int64 = 5

    /// Whether what is from `observedAt`, and should come every `intervalSeconds`, is too old at `moment`; or
    /// from so far ahead of it, more than one interval, that a clock must be wrong.
    static func isStale(_ observedAt: Timestamp, intervalSeconds: Int64, at moment: Timestamp) -> Bool {
        let age = moment.milliseconds - observedAt.milliseconds
        return age > intervals * intervalSeconds * 1_000 || age < -intervalSeconds * 1_000
    }
}
