import FIMLCore
import MarketData

/// Tells the real time once a second: what the live market takes for the present.
actor LiveClock {
    /// From one moment to the next.
    private static let tick = Duration.seconds(1)

    private var last: Timestamp?

    /// The next moment, once it has come; nil when the task was cancelled.
    func next() async -> MarketMoment? {
        if last != nil {
            guard (try? await Task.sleep(for: Self.tick)) != nil else { return nil }
        }
        let now = Self.later(.present, than: last)
        last = now
        return Task.isCancelled ? nil : MarketMoment(lap: 0, time: now)
    }

    /// What to tell for `now` after `last`: when the clock was set back, time goes on by itself until it has
    /// caught up, for a market's time only grows.
    static func later(_ now: Timestamp, than last: Timestamp?) -> Timestamp {
        guard let last, now <= last else { return now }
        return last.adding(seconds: 1)
    }
}
