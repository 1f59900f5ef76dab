import FIMLCore

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
