import FIMLCore
import MarketData

/// Judges an asset by the state of the US economy.
///
/// `factors` are interest_rate, inflation, gdp_growth and unemployment, all in percent; each {value,
/// previous, year_ago, change, period} or, without any observation, null.
///
/// - `previous` is of the observation before, `year_ago` of the same month a year before.
/// - `change` is value less previous, in points.
/// - `period` is the day on which the value's month or quarter began.
/// - Inflation is the change of the consumer price index since the same month a year before, of the newest
///   month that has one. Growth is the quarter's at an annual rate.
///
/// `environment`, by the first rule that holds:
///
/// | | |
/// |---|---|
/// | stagflation | growth below 1, and inflation from 4 up |
/// | recession | growth below 0 |
/// | slowdown | growth below 2, unless unemployment fell by 0.5 points in a year; or it rose by as much |
/// | recovery | unemployment fell by 0.5 points or more in a year |
/// | expansion | none of them, with growth or the change of unemployment known |
///
/// With neither it is null.
///
/// `correlation_impact` says per factor whether more of it tends to lift (1) or to press (−1) the asset:
///
/// | type | interest_rate | inflation | gdp_growth | unemployment |
/// |---|---|---|---|---|
/// | equity, index, etf, option | −1 | −1 | 1 | −1 |
/// | crypto | −1 | 0 | 1 | 0 |
/// | commodity, future | −1 | 1 | 1 | −1 |
/// | forex that buys dollars (USDJPY) | 1 | −1 | 1 | −1 |
/// | forex that sells dollars (EURUSD) | −1 | 1 | −1 | 1 |
/// | other forex | 0 | 0 | 0 | 0 |
///
/// A factor's pull is that number times how far the factor is from what counts as neutral, −1 to 1: for the
/// interest rate (value − 3) / 3, inflation (value − 2) / 4, growth (value − 2) / 4, unemployment
/// (value − 4.5) / 3. The score is 5 + 5 × the mean pull of the factors that have a value and not 0 in the
/// table. `impact` is positive from a score of 6, negative up to 4, else neutral. `narrative` is a sentence.
///
/// `confidence` is the share of values, previous and year-ago values of the four factors that are there,
/// times the share of the factors that move the score, times 0.5 for an asset of another country's market.
public struct MacroWorker: Worker {
    /// One factor as it was found.
    private struct Factor {
        let name: String
        let words: String
        let indicator: MacroIndicator
        let series: ObservedSeries
        /// What counts as neither high nor low, and how far from it a value counts fully.
        let neutral: Double
        let span: Double
        /// 1 where more of it tends to lift the asset, −1 where it presses it.
        let impact: Double

        /// −1 to 1; nil where it has no value, or none that moves the asset.
        var pull: Double? {
            guard let value = series.latest?.value, impact != 0 else { return nil }
            // Clamped before the division, so that nothing overflows.
            return impact * (min(max(value, neutral - span), neutral + span) - neutral) / span
        }
    }

    /// `macro`.
    public var type: WorkerType { .macro }

    /// A worker without state.
    public init() {}

    /// Throws where no factor has a value.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        let factors = Self.factors(figures)
        var missing = Self.missing(factors, figures)
        guard let asOf = factors.compactMap({ $0.series.latest?.period }).max() else {
            throw InsufficientData(missing)
        }
        let environment = Self.environment(factors)
        if environment == nil {
            missing.append(
                MissingFigures(
                    .macro, "environment", reason: "neither growth nor the change of unemployment is known"))
        }
        let pulls = factors.compactMap(\.pull)
        let score = 5 + 5 * pulls.reduce(0, +) / Double(max(pulls.count, 1))
        let impact = score >= 6 ? "positive" : score <= 4 ? "negative" : "neutral"
        let known = factors.flatMap { [$0.series.latest?.value, $0.series.previous, $0.series.yearAgo] }
        let moving = factors.count { $0.impact != 0 }
        let confidence =
            Double(known.count { $0 != nil }) / Double(known.count)
            * Double(pulls.count) / Double(max(moving, 1)) * Self.marketShare(figures.asset.market)
        return Finding(
            score: score, confidence: confidence, asOf: asOf,
            details: [
                "factors": Self.byName(factors) { Self.members($0.series) },
                "environment": environment.map(JSONValue.string) ?? .null, "impact": .string(impact),
                "correlation_impact": Self.byName(factors) {
                    .integer($0.impact > 0 ? 1 : $0.impact < 0 ? -1 : 0)
                },
                "narrative": .string(Self.narrative(factors, environment, impact, figures.asset)),
            ], missing: missing)
    }

    // MARK: - Factors

    private static func factors(_ figures: Figures) -> [Factor] {
        let impact = impact(on: figures.asset)
        func series(_ indicator: MacroIndicator) -> ObservedSeries {
            ObservedSeries(figures.observations[indicator] ?? [])
        }
        return [
            Factor(
                name: "interest_rate", words: "interest rate", indicator: .interestRate,
                series: series(.interestRate), neutral: 3, span: 3, impact: impact[0]),
            Factor(
                name: "inflation", words: "inflation", indicator: .consumerPrices,
                series: series(.consumerPrices).yearOnYear, neutral: 2, span: 4, impact: impact[1]),
            Factor(
                name: "gdp_growth", words: "growth", indicator: .realGrowth, series: series(.realGrowth),
                neutral: 2, span: 4, impact: impact[2]),
            Factor(
                name: "unemployment", words: "unemployment", indicator: .unemployment,
                series: series(.unemployment), neutral: 4.5, span: 3, impact: impact[3]),
        ]
    }

    /// The table's row, in the order of `factors`.
    private static func impact(on asset: Asset) -> [Double] {
        switch asset.assetType {
        case .equity, .index, .etf, .option: return [-1, -1, 1, -1]
        case .crypto: return [-1, 0, 1, 0]
        case .commodity, .future: return [-1, 1, 1, -1]
        case .forex:
            let pair = (asset.pair ?? asset.symbol).uppercased()
            if pair.hasPrefix("USD") { return [1, -1, 1, -1] }
            return pair.contains("USD") ? [-1, 1, -1, 1] : [0, 0, 0, 0]
        }
    }

    private static func marketShare(_ market: Market) -> Double {
        switch market {
        case .us, .crypto, .global: 1
        case .uk, .eu, .jp, .cn, .hk: 0.5
        }
    }

    private static func byName(_ factors: [Factor], _ value: (Factor) -> JSONValue) -> JSONValue {
        .object(Dictionary(uniqueKeysWithValues: factors.map { ($0.name, value($0)) }))
    }

    private static func members(_ series: ObservedSeries) -> JSONValue {
        guard let latest = series.latest else { return .null }
        return [
            "value": .figure(latest.value), "previous": .figure(series.previous),
            "year_ago": .figure(series.yearAgo), "change": .figure(series.change),
            "period": .string(String(latest.period.rfc3339.prefix(10))),
        ]
    }

    /// What could not be had, and by `factor` or `factor.member` what is null for it.
    private static func missing(_ factors: [Factor], _ figures: Figures) -> [MissingFigures] {
        var missing = figures.missing.filter { $0.need == .macro }
        let carried = Set(missing.compactMap(\.subject))
        func add(_ subject: String, _ reason: String) {
            // What the source said of it is the better reason.
            guard !carried.contains(subject) else { return }
            missing.append(MissingFigures(.macro, subject, reason: reason))
        }
        for factor in factors {
            let series = factor.series
            guard series.latest != nil else {
                let isObserved = !(figures.observations[factor.indicator] ?? []).isEmpty
                add(
                    factor.name,
                    !isObserved
                        ? "there are no observations of \(factor.indicator.rawValue)"
                        : factor.indicator == .consumerPrices
                            ? "no month of the index has the same month a year before"
                            : "no observation is a finite number")
                continue
            }
            if series.previous == nil { add("\(factor.name).previous", "there is only one observation") }
            if series.yearAgo == nil {
                add("\(factor.name).year_ago", "the same month a year before has no observation")
            }
            if series.change == nil {
                add("\(factor.name).change", "there are not two observations to compute it from")
            }
        }
        return missing
    }

    // MARK: - Rules

    private static func environment(_ factors: [Factor]) -> String? {
        func series(_ indicator: MacroIndicator) -> ObservedSeries? {
            factors.first { $0.indicator == indicator }?.series
        }
        let growth = series(.realGrowth)?.latest?.value
        let inflation = series(.consumerPrices)?.latest?.value
        let slack = series(.unemployment)?.changeOverYear
        guard growth != nil || slack != nil else { return nil }
        if let growth {
            if growth < 1, let inflation, inflation >= 4 { return "stagflation" }
            if growth < 0 { return "recession" }
            if growth < 2, slack ?? 0 > -0.5 { return "slowdown" }
        }
        guard let slack else { return "expansion" }
        return slack >= 0.5 ? "slowdown" : slack <= -0.5 ? "recovery" : "expansion"
    }

    private static func narrative(
        _ factors: [Factor], _ environment: String?, _ impact: String, _ asset: Asset
    ) -> String {
        let clauses = factors.compactMap { factor -> String? in
            guard let value = factor.series.latest?.value else { return nil }
            return "\(factor.words) at \(DecimalText.decimals(value)) %"
        }
        let state = environment.map { "The US economy is in \($0)" } ?? "The state of the US economy is open"
        return "\(state), with \(clauses.joined(separator: ", ")); for \(asset.symbol)"
            + " (\(asset.assetType.rawValue)) this is \(impact)."
    }
}
