import FIMLCore
import MarketData

/// Judges an asset by how closely its daily returns follow those of what it is compared with.
///
/// Returns are between the days that both have (`JointReturns`), the newest among them; coefficients are
/// Pearson's (`Comovement`). An asset is not compared with itself, but for beta.
///
/// - `correlations`: by symbol over all joint returns, at least 7.
/// - `rolling_correlations`: by symbol over the newest 7, 30 and 90 returns.
/// - `beta`: against the first benchmark, over all joint returns; `beta_benchmark` is its symbol.
/// - `correlation_shift`: {benchmark, shift}, where the 7-day coefficient is furthest from the 90-day one:
///   the first less the second, −2 to 2; null where no benchmark has both.
/// - `diversification_score`: 10 × (1 − the mean of `correlations`), at most 10: 10 beside what moves
///   independently or the other way, 0 beside what moves the same.
///
/// The score is `diversification_score` less 2 × the size of the shift, which counts up to 1: what does not
/// hold cannot be relied on.
///
/// `confidence` is the share of the coefficients and beta that have a value, times the root of the joint
/// returns' share of a year, 252, as that of `RiskWorker`, by the mean over the benchmarks.
public struct CorrelationWorker: Worker {
    /// Over how many returns coefficients roll.
    static let windows = [7, 30, 90]
    /// Fewer joint returns say nothing.
    static let minReturns = 7

    /// What was computed against one benchmark.
    private struct Comparison {
        let symbol: String
        let returns: JointReturns
        let whole: Comovement?
        /// By `windows`.
        let rolling: [Double?]

        init(_ symbol: String, _ returns: JointReturns) {
            self.symbol = symbol
            self.returns = returns
            whole = returns.comovement(newest: max(returns.count, minReturns))
            rolling = windows.map { returns.comovement(newest: $0)?.correlation }
        }

        /// How far the shortest window is from the longest.
        var shift: Double? {
            guard let short = rolling.first ?? nil, let long = rolling.last ?? nil else { return nil }
            return short - long
        }
    }

    /// `correlation`.
    public var type: WorkerType { .correlation }

    /// A worker without state.
    public init() {}

    /// Throws where no benchmark has a correlation with the asset.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        let closes = DailyCloses(figures.bars)
        guard closes.days.count > Self.minReturns else {
            throw InsufficientData(bars: closes.days.count, needed: Self.minReturns + 1, figures)
        }
        var comparisons: [Comparison] = []
        for benchmark in figures.benchmarks
        where !comparisons.contains(where: { $0.symbol == benchmark.asset.symbol }) {
            let joint = JointReturns(closes, DailyCloses(benchmark.bars))
            comparisons.append(Comparison(benchmark.asset.symbol, joint))
        }
        let others = comparisons.filter { $0.symbol != figures.asset.symbol }
        let known = others.compactMap { $0.whole?.correlation }
        let missing = Self.missing(others, beta: comparisons.first, figures)
        guard !known.isEmpty, let asOf = others.compactMap(\.returns.closesAt).max() else {
            guard !missing.isEmpty else {
                throw InsufficientData([
                    MissingFigures(.benchmarkBars, reason: "there is nothing to compare it with")
                ])
            }
            throw InsufficientData(missing)
        }
        let shift = others.max { abs($0.shift ?? 0) < abs($1.shift ?? 0) }.flatMap { furthest in
            furthest.shift.map { (benchmark: furthest.symbol, value: $0) }
        }
        let mean = known.reduce(0, +) / Double(known.count)
        let diversification = 10 * (1 - max(mean, 0))
        return Finding(
            score: diversification - 2 * min(abs(shift?.value ?? 0), 1),
            confidence: Self.confidence(others, beta: comparisons.first), asOf: asOf,
            details: [
                "correlations": Self.bySymbol(others) { .figure($0.whole?.correlation) },
                "rolling_correlations": Self.bySymbol(others) { comparison in
                    .object(
                        Dictionary(
                            uniqueKeysWithValues: zip(Self.windows, comparison.rolling).map {
                                ("\($0)", .figure($1))
                            }))
                },
                "beta": .figure(comparisons.first?.whole?.beta),
                "beta_benchmark": comparisons.first.map { .string($0.symbol) } ?? .null,
                "correlation_shift": shift.map {
                    ["benchmark": .string($0.benchmark), "shift": .number($0.value)]
                } ?? .null,
                "diversification_score": .number(diversification),
            ], missing: missing)
    }

    private static func bySymbol(
        _ comparisons: [Comparison], _ value: (Comparison) -> JSONValue
    ) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: comparisons.map { ($0.symbol, value($0)) }))
    }

    private static func missing(
        _ comparisons: [Comparison], beta: Comparison?, _ figures: Figures
    ) -> [MissingFigures] {
        let constant = "one of the two series of returns does not vary, or is too large to compute with"
        var missing = figures.missing.filter { WorkerType.correlation.needs.contains($0.need) }
        for comparison in comparisons {
            let count = comparison.returns.count
            if comparison.whole?.correlation == nil {
                let reason = count < minReturns ? "\(count) joint returns, \(minReturns) needed" : constant
                missing.append(MissingFigures(.benchmarkBars, comparison.symbol, reason: reason))
                continue
            }
            for (window, value) in zip(windows, comparison.rolling) where value == nil {
                let reason = count < window ? "\(count) joint returns, \(window) needed" : constant
                missing.append(
                    MissingFigures(.benchmarkBars, "\(comparison.symbol) \(window)", reason: reason))
            }
        }
        if let beta, beta.whole?.beta == nil {
            missing.append(
                MissingFigures(
                    .benchmarkBars, "beta", reason: "it cannot be computed against \(beta.symbol)"))
        }
        return missing
    }

    private static func confidence(_ comparisons: [Comparison], beta: Comparison?) -> Double {
        let values = comparisons.flatMap { [$0.whole?.correlation] + $0.rolling } + [beta?.whole?.beta]
        let share = Double(values.count { $0 != nil }) / Double(values.count)
        let history = comparisons.reduce(0) { $0 + RiskWorker.historyShare(returns: $1.returns.count) }
        return share * history / Double(comparisons.count)
    }
}
