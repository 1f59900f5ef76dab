/// What a series of daily returns says about risk.
///
/// All assets have 252 days a year, also those that trade on all 365, and money without risk earns 4 % a
/// year; both as in FIML. Where FIML and the textbook differ, the textbook's definition is used, in the
/// reading of the library empyrical: a year's return and deviation from daily ones by 252 and its root, the
/// sample's deviation (n − 1), the ratios over the daily rate that compounds to 4 %, Sortino's with the
/// deviation below that rate over all days. A loss is negative everywhere: value at risk, expected
/// shortfall and drawdown.
///
/// A figure is nil where it is not defined or not finite.
struct ReturnStatistics {
    static let periodsPerYear = 252.0
    static let annualRiskFreeRate = 0.04
    /// What compounds to 4 % in 252 days: 1.04^(1/252) − 1.
    static let dailyRiskFreeRate = 0.000_155_649_862_791_329_14
    /// Below this standard deviation returns are constant but for rounding: those of prices of a fixed growth
    /// differ in the sixteenth digit.
    static let constantDeviation = 1e-12

    /// The mean daily return times 252.
    private(set) var meanReturn: Double?
    /// The sample standard deviation of the daily returns times √252.
    private(set) var volatility: Double?
    /// The 5th percentile of the daily returns; above 0 where hardly a day lost.
    private(set) var valueAtRisk95: Double?
    /// The 1st percentile of the daily returns.
    private(set) var valueAtRisk99: Double?
    /// The mean of the returns that are not above `valueAtRisk95`: the expected shortfall (R. T. Rockafellar,
    /// S. Uryasev, "Optimization of Conditional Value-at-Risk", 2000).
    private(set) var conditionalValueAtRisk95: Double?
    /// The mean return above the risk-free rate over the standard deviation, times √252 (W. F. Sharpe, "The
    /// Sharpe Ratio", 1994). Nil where returns are constant.
    private(set) var sharpeRatio: Double?
    /// The root of the mean square of what returns fell short of the risk-free rate, all days counted, times
    /// √252 (F. A. Sortino, R. van der Meer, "Downside Risk", 1991). 0 where none did.
    private(set) var downsideDeviation: Double?
    /// The year's mean return above the risk-free rate over `downsideDeviation`. Nil where that is 0.
    private(set) var sortinoRatio: Double?

    /// Of a series, the newest last. Everything is nil for fewer than two returns.
    init(_ returns: [Double]) {
        guard returns.count >= 2 else { return }
        let count = Double(returns.count)
        let mean = returns.reduce(0, +) / count
        var (squares, shortfalls) = (0.0, 0.0)
        for value in returns {
            let deviation = value - mean
            let shortfall = min(value - Self.dailyRiskFreeRate, 0)
            squares += deviation * deviation
            shortfalls += shortfall * shortfall
        }
        let year = Self.periodsPerYear
        let deviation = (squares / (count - 1)).squareRoot()
        let downside = (shortfalls / count).squareRoot() * year.squareRoot()
        let excess = mean - Self.dailyRiskFreeRate
        meanReturn = finite(mean * year)
        volatility = finite(deviation * year.squareRoot())
        downsideDeviation = finite(downside)
        if deviation > Self.constantDeviation, deviation.isFinite {
            sharpeRatio = finite(excess / deviation * year.squareRoot())
        }
        if downside > Self.constantDeviation, downside.isFinite {
            sortinoRatio = finite(excess * year / downside)
        }
        addTail(returns.sorted())
    }

    private mutating func addTail(_ sorted: [Double]) {
        valueAtRisk95 = finite(Self.percentile(sorted, 0.05))
        valueAtRisk99 = finite(Self.percentile(sorted, 0.01))
        guard let limit = valueAtRisk95 else { return }
        var (sum, count) = (0.0, 0.0)
        for value in sorted {
            guard value <= limit else { break }
            sum += value
            count += 1
        }
        conditionalValueAtRisk95 = finite(sum / count)
    }

    /// Interpolates linearly between the two closest of at least one sorted value: type 7 of R. J. Hyndman,
    /// Y. Fan, "Sample Quantiles in Statistical Packages" (1996), which numpy takes too.
    static func percentile(_ sorted: [Double], _ fraction: Double) -> Double {
        let position = fraction * Double(sorted.count - 1)
        let below = Int(position)
        let above = min(below + 1, sorted.count - 1)
        return sorted[below] + (position - Double(below)) * (sorted[above] - sorted[below])
    }

    /// The deepest fall from a peak to a later close, as a fraction, −1 to 0: −0.2 is a fall by a fifth. The
    /// first close counts as a peak. 0 where no close is below an earlier one, or there is none.
    static func maxDrawdown(_ closes: [Double]) -> Double {
        var (peak, deepest) = (0.0, 0.0)
        for close in closes {
            if close >= peak { peak = close } else { deepest = min(deepest, close / peak - 1) }
        }
        return deepest
    }
}

private func finite(_ value: Double) -> Double? {
    value.isFinite ? value : nil
}
