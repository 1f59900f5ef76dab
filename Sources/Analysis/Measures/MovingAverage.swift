/// Averages over the newest prices. Nil where there are too few, or the result is not finite.
enum MovingAverage {
    /// The arithmetic mean of the newest `period`.
    static func simple(_ values: [Double], _ period: Int) -> Double? {
        guard period > 0, values.count >= period else { return nil }
        return finite(sum(values, (values.count - period)..<values.count) / Double(period))
    }

    /// The exponential average with a smoothing of 2 / (period + 1), begun with the mean of the first
    /// `period` values, as TA-Lib's EMA.
    static func exponential(_ values: [Double], _ period: Int) -> Double? {
        guard period > 0, values.count >= period else { return nil }
        let smoothing = 2 / Double(period + 1)
        var average = sum(values, 0..<period) / Double(period)
        for index in period..<values.count { average += smoothing * (values[index] - average) }
        return finite(average)
    }

    static func sum(_ values: [Double], _ range: Range<Int>) -> Double {
        var sum = 0.0
        for index in range { sum += values[index] }
        return sum
    }

    private static func finite(_ value: Double) -> Double? {
        value.isFinite ? value : nil
    }
}
