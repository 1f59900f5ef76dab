import FIMLCore
import MarketData

/// Judges an asset by how much, and how badly, its daily closes varied.
///
/// `metrics`, all fractions (0.2 is 20 %): volatility, mean_return and downside_deviation of a year, var_95,
/// var_99 and cvar_95 of a day, max_drawdown, sharpe_ratio and sortino_ratio. Definitions, conventions and
/// sources are at `ReturnStatistics`; what is a loss is negative. var_99 is null with fewer than 100 returns,
/// of which not one is the worst hundredth; sharpe_ratio without variance; sortino_ratio where no day fell
/// short of the risk-free rate, though downside_deviation is 0 then.
///
/// The score is 10 less these points, which grow evenly between the two ends. Where a figure is null, the
/// others count for it in proportion, so that 10 can be lost all the same:
///
/// | figure | no point | all points |
/// |---|---|---|
/// | volatility | up to 10 % | 4 from 80 % on |
/// | max_drawdown | 0 | 3 from −50 % down |
/// | var_95 | from −1 % up | 2 from −6 % down |
/// | sharpe_ratio | from 1 up | 1 from −1 down |
///
/// `risk_level` is low from a score of 7, moderate from 5, high from 3, else very_high. `warnings` are
/// sentences: of a volatility over 40 %, a var_95 below −4 %, a drawdown below −20 %, a negative
/// sharpe_ratio. `risk_assessment` is one sentence of the main figures.
///
/// `confidence` is the share of the metrics that have a value, times √(returns / 252) where there are fewer
/// than a year's: the error of an estimated deviation falls with the root of the number of returns.
public struct RiskWorker: Worker {
    /// Below so many bars there is nothing to say: of 20 returns one is the worst twentieth.
    static let minBars = 21
    /// Of so many returns one is the worst hundredth.
    static let minReturnsOf99 = 100

    /// `risk`.
    public var type: WorkerType { .risk }

    /// A worker without state.
    public init() {}

    /// Throws where there are fewer than 21 bars.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        let prices = DailyPrices(figures.bars)
        guard prices.count >= Self.minBars, let asOf = prices.newestClosesAt else {
            throw InsufficientData(bars: prices.count, needed: Self.minBars, figures)
        }
        let returns = prices.returns
        let statistics = ReturnStatistics(returns)
        let drawdown = ReturnStatistics.maxDrawdown(prices.closes)
        let sheet = Self.sheet(statistics, drawdown: drawdown, returns: returns.count, figures)
        let score = Self.score(statistics, drawdown: drawdown)
        let level = Self.level(score)
        return Finding(
            score: score, confidence: sheet.share * Self.historyShare(returns: returns.count), asOf: asOf,
            details: [
                "metrics": .object(sheet.members), "risk_level": .string(level),
                "risk_assessment": .string(Self.assessment(statistics, drawdown: drawdown, level: level)),
                "warnings": .array(Self.warnings(statistics, drawdown: drawdown).map(JSONValue.string)),
            ], missing: sheet.missing)
    }

    /// √(returns / 252), at most 1.
    static func historyShare(returns: Int) -> Double {
        min(Double(returns) / ReturnStatistics.periodsPerYear, 1).squareRoot()
    }

    private static func sheet(
        _ statistics: ReturnStatistics, drawdown: Double, returns: Int, _ figures: Figures
    ) -> FigureSheet {
        var sheet = FigureSheet(.risk, figures)
        func add(
            _ name: String, _ value: Double?, needs needed: Int = 20,
            undefined: String = "its returns are too large to compute with"
        ) {
            sheet.add(
                name, .figure(value), available: returns, needed: needed, of: "daily returns",
                undefined: undefined)
        }
        add("volatility", statistics.volatility)
        add("var_95", statistics.valueAtRisk95)
        add("var_99", returns < minReturnsOf99 ? nil : statistics.valueAtRisk99, needs: minReturnsOf99)
        add("cvar_95", statistics.conditionalValueAtRisk95)
        add(
            "sharpe_ratio", statistics.sharpeRatio,
            undefined: statistics.volatility == nil
                ? "its returns are too large to compute with" : "its returns do not vary")
        add(
            "sortino_ratio", statistics.sortinoRatio,
            undefined: statistics.downsideDeviation == nil
                ? "its returns are too large to compute with" : "no day fell short of the risk-free rate")
        add("max_drawdown", drawdown)
        add("downside_deviation", statistics.downsideDeviation)
        add("mean_return", statistics.meanReturn)
        return sheet
    }

    static func score(_ statistics: ReturnStatistics, drawdown: Double) -> Double {
        var (points, possible) = (0.0, 0.0)
        func add(_ value: Double?, from none: Double, to all: Double, points most: Double) {
            guard let value else { return }
            points += most * min(max((value - none) / (all - none), 0), 1)
            possible += most
        }
        add(statistics.volatility, from: 0.1, to: 0.8, points: 4)
        add(drawdown, from: 0, to: -0.5, points: 3)
        add(statistics.valueAtRisk95, from: -0.01, to: -0.06, points: 2)
        add(statistics.sharpeRatio, from: 1, to: -1, points: 1)
        return 10 * (1 - points / possible)
    }

    static func level(_ score: Double) -> String {
        switch score {
        case 7...: "low"
        case 5...: "moderate"
        case 3...: "high"
        default: "very_high"
        }
    }

    private static func warnings(_ statistics: ReturnStatistics, drawdown: Double) -> [String] {
        var warnings: [String] = []
        if let volatility = statistics.volatility, volatility > 0.4 {
            warnings.append("Volatility is high: \(DecimalText.percent(volatility)) a year.")
        }
        if let loss = statistics.valueAtRisk95, loss < -0.04 {
            warnings.append("One day in twenty lost \(DecimalText.percent(-loss)) or more.")
        }
        if drawdown < -0.2 {
            warnings.append("The price fell by up to \(DecimalText.percent(-drawdown)) from a peak.")
        }
        if let sharpe = statistics.sharpeRatio, sharpe < 0 {
            warnings.append("The mean return was below the risk-free rate.")
        }
        return warnings
    }

    private static func assessment(
        _ statistics: ReturnStatistics, drawdown: Double, level: String
    ) -> String {
        var clauses: [String] = []
        if let volatility = statistics.volatility {
            clauses.append("volatility \(DecimalText.percent(volatility)) a year")
        }
        if let quantile = statistics.valueAtRisk95 {
            clauses.append("the worst twentieth of days at \(DecimalText.percent(quantile)) or below")
        }
        clauses.append("deepest fall from a peak \(DecimalText.percent(-drawdown))")
        if let sharpe = statistics.sharpeRatio {
            clauses.append("Sharpe ratio \(DecimalText.decimals(sharpe))")
        }
        let risk = level == "very_high" ? "Very high" : level.prefix(1).uppercased() + level.dropFirst()
        return "\(risk) risk: \(clauses.joined(separator: ", "))."
    }
}
