import FIMLCore
import MarketData

/// The returns of two assets between the days, in UTC, on which both have a bar, oldest first.
///
/// Of a cryptocurrency against a share the weekends drop out; Monday's return then runs from Friday on both
/// sides. Of several bars on one day the last counts; a bar older than the one before it is left out.
struct JointReturns {
    private(set) var first: [Double] = []
    private(set) var second: [Double] = []
    /// When the later of the two newest joint bars was over; nil where no day is joint.
    private(set) var closesAt: Timestamp?

    init(_ first: DailyCloses, _ second: DailyCloses) {
        var (mine, others) = (0, 0)
        var previous: (first: Double, second: Double)?
        while mine < first.days.count, others < second.days.count {
            let (day, otherDay) = (first.days[mine], second.days[others])
            if day == otherDay {
                let prices = (first: first.closes[mine], second: second.closes[others])
                if let previous {
                    self.first.append(prices.first / previous.first - 1)
                    self.second.append(prices.second / previous.second - 1)
                }
                previous = prices
                closesAt = max(first.closesAt[mine], second.closesAt[others])
            }
            if day <= otherDay { mine += 1 }
            if otherDay <= day { others += 1 }
        }
    }

    var count: Int { first.count }

    /// How the newest `count` move together; nil where there are fewer.
    func comovement(newest count: Int) -> Comovement? {
        guard count > 0, first.count >= count else { return nil }
        return Comovement(first.suffix(count), second.suffix(count))
    }
}

/// Closes by the day, in UTC, on which their bars opened.
struct DailyCloses {
    /// Days since 1970-01-01, ascending.
    private(set) var days: [Int64] = []
    private(set) var closes: [Double] = []
    private(set) var closesAt: [Timestamp] = []

    init(_ bars: [Bar]) {
        days.reserveCapacity(bars.count)
        closes.reserveCapacity(bars.count)
        closesAt.reserveCapacity(bars.count)
        for bar in bars where bar.isUsable {
            let (quotient, rest) = bar.opensAt.milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
            let day = rest < 0 ? quotient - 1 : quotient
            guard day >= days.last ?? .min else { continue }
            if day == days.last {
                days.removeLast()
                closes.removeLast()
                closesAt.removeLast()
            }
            days.append(day)
            closes.append(bar.close)
            closesAt.append(bar.endsAt)
        }
    }
}
