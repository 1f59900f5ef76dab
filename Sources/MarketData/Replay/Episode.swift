import FIMLCore

/// A stretch of true time that is replayed. What lies between two episodes is jumped over, yet stays history.
public struct Episode: Hashable, Sendable {
    /// Its first moment.
    public var from: Timestamp
    /// Its last moment, after the first.
    public var to: Timestamp
    /// What happened then, for people; empty where nobody said.
    public var what: String

    /// An episode with every part given.
    public init(from: Timestamp, to: Timestamp, what: String = "") {
        self.from = from
        self.to = to
        self.what = what
    }

    /// A longer time without any figure splits a recording: longer than weekends and holidays close a market.
    static let longestHoleMilliseconds: Int64 = 7 * 86_400_000

    /// The episodes of a recording of which nobody said what to replay: all from `start` on, or from the
    /// first figure when nil, to the last figure, without the holes. Empty when no figure is after `start`.
    static func covering(_ spans: [FigureSpan], from start: Timestamp?) -> [Episode] {
        guard var from = start ?? spans.map(\.since).min() else { return [] }
        var to = from
        var episodes: [Episode] = []
        for span in spans.sorted(by: { $0.knownAt < $1.knownAt }) where span.knownAt > from {
            if span.since.milliseconds - to.milliseconds > longestHoleMilliseconds {
                if to > from { episodes.append(Episode(from: from, to: to)) }
                from = span.since
            }
            to = span.knownAt
        }
        if to > from { episodes.append(Episode(from: from, to: to)) }
        return episodes
    }
}

/// The time that one figure of a recording tells of, so that a bar of a month is no hole of a month.
struct FigureSpan {
    let since: Timestamp
    /// Later than `since`.
    let knownAt: Timestamp

    /// A bar's own interval.
    init(_ bar: Bar) {
        since = bar.opensAt
        knownAt = bar.closesAt
    }

    /// What is of one moment gets the second before, so that a recording of a single one has a lap too.
    init(knownAt: Timestamp) {
        since = Timestamp(milliseconds: knownAt.milliseconds - 1_000)
        self.knownAt = knownAt
    }
}
