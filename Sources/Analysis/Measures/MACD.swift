/// Moving average convergence/divergence (G. Appel): a fast exponential average of the closes less a slow
/// one, its own exponential average as signal line, and the difference of the two as histogram.
///
/// Begun as TA-Lib's MACD: both averages have their first value on the slow one's first day, each the mean of
/// its own days up to there, so that the fast one is not quite the EMA of the same period; the signal line
/// begins with the mean of the first nine differences.
struct MACD: Equatable {
    static let fastPeriod = 12
    static let slowPeriod = 26
    static let signalPeriod = 9
    /// How many closes it needs.
    static let minCloses = slowPeriod + signalPeriod - 1

    var macd: Double
    var signal: Double
    var histogram: Double { macd - signal }

    /// Nil where there are too few closes, or the result is not finite.
    init?(_ closes: [Double]) {
        guard closes.count >= Self.minCloses else { return nil }
        let (slow, fast) = (Self.slowPeriod, Self.fastPeriod)
        var slowAverage = MovingAverage.sum(closes, 0..<slow) / Double(slow)
        var fastAverage = MovingAverage.sum(closes, (slow - fast)..<slow) / Double(fast)
        let slowSmoothing = 2 / Double(slow + 1)
        let fastSmoothing = 2 / Double(fast + 1)
        let signalSmoothing = 2 / Double(Self.signalPeriod + 1)
        var difference = fastAverage - slowAverage
        var line = difference / Double(Self.signalPeriod)
        for day in slow..<closes.count {
            slowAverage += slowSmoothing * (closes[day] - slowAverage)
            fastAverage += fastSmoothing * (closes[day] - fastAverage)
            difference = fastAverage - slowAverage
            if day < Self.minCloses {
                line += difference / Double(Self.signalPeriod)
            } else {
                line += signalSmoothing * (difference - line)
            }
        }
        macd = difference
        signal = line
        guard macd.isFinite, signal.isFinite, histogram.isFinite else { return nil }
    }
}
