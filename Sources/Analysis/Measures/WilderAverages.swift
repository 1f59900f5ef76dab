/// The measures of J. W. Wilder, "New Concepts in Technical Trading Systems" (1978), over 14 days.
///
/// Both begin with the plain mean of their first 14 values and then take 13 parts of the average before and
/// one of the new value, as he did and TA-Lib does.
enum WilderAverages {
    static let period = 14
    /// How many bars either needs: 14 changes from one to the next.
    static let minBars = period + 1

    /// The relative strength index: average gain over average gain plus average loss, times 100. Nil where
    /// there are too few closes, or none of them differs from the one before: nothing over nothing.
    static func relativeStrengthIndex(_ closes: [Double]) -> Double? {
        guard closes.count >= minBars else { return nil }
        var (gain, loss) = (0.0, 0.0)
        for day in 1...period {
            let change = closes[day] - closes[day - 1]
            if change > 0 { gain += change } else { loss -= change }
        }
        gain /= Double(period)
        loss /= Double(period)
        for day in minBars..<closes.count {
            let change = closes[day] - closes[day - 1]
            gain = (gain * Double(period - 1) + max(change, 0)) / Double(period)
            loss = (loss * Double(period - 1) + max(-change, 0)) / Double(period)
        }
        let index = 100 * (gain / (gain + loss))
        return index.isFinite ? index : nil
    }

    /// The average true range, in units of the price. The true range of a day runs from its low, or the close
    /// before where that is lower, to its high, or the close before where that is higher. Nil where there are
    /// too few bars, or it is not finite.
    static func averageTrueRange(_ prices: DailyPrices) -> Double? {
        guard prices.count >= minBars else { return nil }
        func trueRange(_ day: Int) -> Double {
            let before = prices.closes[day - 1]
            return max(prices.highs[day], before) - min(prices.lows[day], before)
        }
        var average = 0.0
        for day in 1...period { average += trueRange(day) }
        average /= Double(period)
        for day in minBars..<prices.count {
            average = (average * Double(period - 1) + trueRange(day)) / Double(period)
        }
        return average.isFinite ? average : nil
    }
}
