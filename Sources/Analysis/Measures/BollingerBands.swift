/// Bands two standard deviations above and below the 20-day average of the closes.
///
/// The deviation is the population's (divided by 20), as J. Bollinger, "Bollinger on Bollinger Bands" (2001),
/// and TA-Lib have it.
struct BollingerBands: Equatable {
    static let period = 20
    static let deviations = 2.0

    var upper: Double
    var middle: Double
    var lower: Double

    /// Nil where there are too few closes, or the result is not finite.
    init?(_ closes: [Double]) {
        guard let mean = MovingAverage.simple(closes, Self.period) else { return nil }
        // In units of the mean, so that the squares neither overflow nor vanish.
        var squares = 0.0
        for day in (closes.count - Self.period)..<closes.count {
            let deviation = (closes[day] - mean) / mean
            squares += deviation * deviation
        }
        let width = Self.deviations * (squares / Double(Self.period)).squareRoot() * mean
        upper = mean + width
        middle = mean
        lower = mean - width
        guard upper.isFinite, lower.isFinite else { return nil }
    }
}
