import FIMLCore
import MarketData

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
