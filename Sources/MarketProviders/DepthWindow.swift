import FIMLCore
import MarketData

/// How much rested near the price of an asset at one exchange over the last 7 days: the newest snapshot, and
/// of those before it only sum and count of each hour, so that a week fits into 168 buckets.
///
/// A pure value. A snapshot that is not later than the newest changes nothing.
struct DepthWindow: Hashable, Sendable {
    /// The snapshots of one hour.
    struct Hour: Hashable, Sendable {
        /// Hours since 1970.
        var hour: Int64
        /// The sum of their depths, in US dollars.
        var sumUSD: Double
        /// How many they are; at least 1.
        var count: Int
    }

    /// One look at an order book.
    struct Snapshot: Hashable, Sendable {
        /// From when it is.
        var observedAt: Timestamp
        /// In US dollars; at least 0.
        var depthUSD: Double
        /// How far apart snapshots usually are, in seconds; at least 1.
        var intervalSeconds: Int64
    }

    /// 7 days. The hour of the newest snapshot is one of them, so that the mean is over 6 days and 23 hours
    /// at least.
    static let hourLimit = MarketDepth.meanSeconds / 3_600
    /// More snapshots in one hour than anyone asks for.
    static let countLimit = 1_000_000

    /// The snapshots before the newest, oldest hour first.
    private(set) var hours: [Hour] = []
    /// The newest snapshot, which is not in `hours` yet.
    private(set) var newest: Snapshot?

    /// Nothing was seen yet.
    init() {}

    /// A window as it was kept. Nil where a value cannot be, or the hours are not in order.
    init?(hours: [Hour], newest: Snapshot) {
        var previous = Int64.min
        for hour in hours {
            guard hour.hour > previous, hour.sumUSD.isFinite, hour.sumUSD >= 0,
                (1...Self.countLimit).contains(hour.count)
            else { return nil }
            previous = hour.hour
        }
        guard Self.isValid(newest), previous <= Self.hour(newest.observedAt) else { return nil }
        self.hours = hours
        self.newest = newest
        forget()
    }

    /// Takes in a snapshot. False where it is not later than the newest, or cannot be.
    @discardableResult
    mutating func add(_ snapshot: Snapshot) -> Bool {
        guard Self.isValid(snapshot), newest.map({ $0.observedAt < snapshot.observedAt }) ?? true else {
            return false
        }
        if let newest {
            let hour = Self.hour(newest.observedAt)
            if let last = hours.last, last.hour == hour {
                if last.count < Self.countLimit {
                    hours[hours.count - 1].sumUSD += newest.depthUSD
                    hours[hours.count - 1].count += 1
                }
            } else {
                hours.append(Hour(hour: hour, sumUSD: newest.depthUSD, count: 1))
            }
        }
        newest = snapshot
        forget()
        return true
    }

    /// The newest depth beside the mean of those before it; nil where there is none.
    var depth: MarketDepth? {
        guard let newest else { return nil }
        let count = hours.reduce(0) { $0 + $1.count }
        let mean = hours.reduce(0) { $0 + $1.sumUSD } / Double(count)
        return MarketDepth(
            observedAt: newest.observedAt, depthUSD: newest.depthUSD, intervalSeconds: newest.intervalSeconds,
            meanUSD: count > 0 && mean.isFinite ? mean : nil, snapshots: count)
    }

    private mutating func forget() {
        guard let newest else { return }
        let first = Self.hour(newest.observedAt) - Self.hourLimit + 1
        hours.removeAll { $0.hour < first }
    }

    private static func hour(_ moment: Timestamp) -> Int64 {
        moment.milliseconds / 3_600_000
    }

    private static func isValid(_ snapshot: Snapshot) -> Bool {
        AnswerReader.moments.contains(snapshot.observedAt)
            && (0...AnswerReader.greatest).contains(snapshot.depthUSD)
            && Freshness.intervals.contains(snapshot.intervalSeconds)
    }
}
