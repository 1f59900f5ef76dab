import FIMLCore
import MarketData

/// The prices of daily bars as plain series, oldest first.
///
/// A bar whose high, low or close is not a positive finite number is left out. Days without a bar are not
/// filled: the bar before a hole is simply the previous one.
struct DailyPrices {
    private(set) var highs: [Double] = []
    private(set) var lows: [Double] = []
    private(set) var closes: [Double] = []
    /// When the newest bar was over; nil where there is none.
    private(set) var newestClosesAt: Timestamp?

    var count: Int { closes.count }

    init(_ bars: [Bar]) {
        highs.reserveCapacity(bars.count)
        lows.reserveCapacity(bars.count)
        closes.reserveCapacity(bars.count)
        for bar in bars where bar.isUsable {
            highs.append(bar.high)
            lows.append(bar.low)
            closes.append(bar.close)
        }
        newestClosesAt = bars.last(where: \.isUsable)?.endsAt
    }

    /// From one close to the next as fractions: 0.01 is a gain of 1 %.
    var returns: [Double] {
        zip(closes, closes.dropFirst()).map { $1 / $0 - 1 }
    }
}

extension Bar {
    /// Whether its prices are what the type promises.
    var isUsable: Bool {
        high > 0 && low > 0 && close > 0 && high.isFinite && low.isFinite && close.isFinite
    }

    /// `closesAt`, without a trap at the ends of time.
    var endsAt: Timestamp { opensAt.adding(seconds: intervalSeconds) }
}
