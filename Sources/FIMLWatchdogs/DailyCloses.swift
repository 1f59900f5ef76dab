import FIMLCore
import MarketData

/// The closing prices of one asset by the day, in UTC, on which their bars opened.
struct DailyCloses {
    /// The returns of two assets over the same days, oldest first.
    struct JointReturns {
        var first: [Double]
        var second: [Double]
        /// When the later of the two newest bars was over.
        var closedAt: Timestamp
        /// How long the longer of the two lasts.
        var intervalSeconds: Int64
    }

    private struct Close {
        var day: Int64
        var price: Double
        var closedAt: Timestamp
        var intervalSeconds: Int64
    }

    /// Oldest first, one a day.
    private var closes: [Close] = []

    /// The closes of the bars that were over at `moment`; of several on one day the last counts.
    init(_ bars: [Bar], by moment: Timestamp) {
        closes.reserveCapacity(bars.count)
        for bar in bars.chronological() where bar.closesAt <= moment {
            let close = Close(
                day: bar.opensAt.milliseconds / 86_400_000, price: bar.close, closedAt: bar.closesAt,
                intervalSeconds: bar.intervalSeconds)
            if closes.last?.day == close.day { closes.removeLast() }
            closes.append(close)
        }
    }

    /// The newest `count` returns from one day to the next of those on which both assets have a close; nil
    /// where there are fewer.
    func joined(with other: DailyCloses, returns count: Int) -> JointReturns? {
        var joint: [(first: Close, second: Close)] = []
        joint.reserveCapacity(count + 1)
        var mine = closes.count - 1
        var others = other.closes.count - 1
        while mine >= 0, others >= 0, joint.count <= count {
            let (first, second) = (closes[mine], other.closes[others])
            if first.day == second.day { joint.append((first, second)) }
            if first.day >= second.day { mine -= 1 }
            if second.day >= first.day { others -= 1 }
        }
        guard joint.count > count, let newest = joint.first else { return nil }
        joint.reverse()
        return JointReturns(
            first: zip(joint, joint.dropFirst()).map { $1.first.price / $0.first.price - 1 },
            second: zip(joint, joint.dropFirst()).map { $1.second.price / $0.second.price - 1 },
            closedAt: max(newest.first.closedAt, newest.second.closedAt),
            intervalSeconds: max(newest.first.intervalSeconds, newest.second.intervalSeconds))
    }
}
