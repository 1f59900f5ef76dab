import FIMLCore
import MarketData

/// Judges an asset by the options on it: what their traders fear and hope, and how far they expect it to
/// move.
///
/// All figures are of one day of expiry, the nearest that is at least a week away (`OptionSeries`).
///
/// - `total_call_volume` and `total_put_volume` are what was traded of the contracts of which that is given;
///   `put_call_ratio` is puts over calls, `put_call_oi_ratio` the same of open interest. Where none of a
///   kind is given, or the calls sum up to 0, there is no ratio.
/// - `call_implied_volatility` and `put_implied_volatility` are plain means over the contracts, fractions a
///   year; `avg_implied_volatility` is the mean of the two, or the one that there is; `volatility_skew` is
///   puts less calls.
/// - The implied volatility is the source's. Where it gives none, it is computed from the middle of bid and
///   ask (Black-Scholes-Merton, as if the option were European, T in calendar days over 365), if the ask is
///   not below the bid, and the bid alone implies one too. Two things are assumed: a riskless rate of 4 %
///   and no dividends. What the asset is worth is the chain's word, else the newest bar's close. On the day
///   of expiry nothing is computed.
/// - `unusual_call_count` and `unusual_put_count` are contracts traded more than 100 times and more than
///   twice their open interest; one that is not given counts as 1. `unusual_activity` lists at most 10 of
///   them, most traded first, each {contract, kind, strike, expires_on, volume, open_interest,
///   implied_volatility}; the last two are null where the source does not say.
///
/// `sentiment` is of the volumes, without any of the open interest: bullish where puts are less than 0.7 of
/// calls, bearish where they are more than calls, else neutral; null where neither is known.
/// `volatility_outlook` is of avg_implied_volatility: compressed below 0.15, normal below 0.35, elevated
/// below 0.6, else extreme. `interpretation` is a sentence.
///
/// Each figure is worth a share of its weight, which grows evenly from none to all; the score is 10 × the
/// share of all weights that count. Figures that are not there do not.
///
/// | figure | none | all | weight |
/// |---|---|---|---|
/// | puts of all volume | from 0.65 up | up to 0.25 | 2 |
/// | puts of all open interest | from 0.65 up | up to 0.25 | 1 |
/// | volatility_skew | from 0.15 up | up to −0.05 | 1 |
/// | avg_implied_volatility | from 0.6 up | up to 0.15 | 1 |
///
/// `confidence` is the share of the ten metrics that have a value, times the share of 20 contracts that there
/// are at least, less a fifth of it for the share of implied volatilities that were computed.
public struct OptionsWorker: Worker {
    /// The assumed riskless rate, a fraction a year.
    private static let rate = 0.04
    /// The assumed dividends, a fraction a year.
    private static let yield = 0.0
    private static let listedCount = 10
    private static let fullCount = 20.0

    /// The two sides of a series.
    private struct Sides {
        var calls = OptionActivity()
        var puts = OptionActivity()

        var skew: Double? {
            guard let put = puts.meanVolatility, let call = calls.meanVolatility else { return nil }
            return put - call
        }

        var volatility: Double? {
            guard let put = puts.meanVolatility, let call = calls.meanVolatility else {
                return puts.meanVolatility ?? calls.meanVolatility
            }
            return (put + call) / 2
        }

        /// The share of implied volatilities that were computed.
        var computedShare: Double {
            let all = calls.volatilityCount + puts.volatilityCount
            return all > 0 ? Double(calls.computedCount + puts.computedCount) / Double(all) : 0
        }
    }

    /// `options`.
    public var type: WorkerType { .options }

    /// A worker without state.
    public init() {}

    /// Throws where there are no options that have not expired, or nothing of them is known to judge by.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        guard let chain = figures.optionChain else {
            throw Self.insufficient(figures, "there is no chain of options")
        }
        guard let series = OptionSeries(of: chain) else {
            let reason = chain.contracts.isEmpty ? "the chain has no options" : "all options have expired"
            throw Self.insufficient(figures, reason)
        }
        let sides = Self.sides(series, Self.spot(chain, figures.bars))
        guard let share = Self.share(sides) else {
            throw Self.insufficient(
                figures, "neither volumes, open interest nor implied volatilities tell anything")
        }
        var missing: [MissingFigures] = []
        let sheet = Self.sheet(sides, figures)
        let sentiment = Self.sentiment(sides)
        let outlook = sides.volatility.map(Self.outlook)
        for (name, label) in [("sentiment", sentiment), ("volatility_outlook", outlook)] where label == nil {
            missing.append(MissingFigures(.optionChain, name, reason: "none of its figures is known"))
        }
        let confidence = sheet.share * min(1, Double(series.contracts.count) / Self.fullCount)
        return Finding(
            score: 10 * share, confidence: confidence * (1 - sides.computedShare / 5),
            asOf: chain.observedAt,
            details: [
                "metrics": .object(sheet.members), "sentiment": sentiment.map(JSONValue.string) ?? .null,
                "volatility_outlook": outlook.map(JSONValue.string) ?? .null,
                "interpretation": .string(Self.interpretation(series, sides, sentiment, outlook)),
                "unusual_activity": .array(Self.unusual(series)),
            ], missing: sheet.missing + missing)
    }

    private static func insufficient(_ figures: Figures, _ reason: String) -> InsufficientData {
        let carried = figures.missing.filter { $0.need == .optionChain }
        return InsufficientData(
            figures.optionChain == nil && !carried.isEmpty
                ? carried : [MissingFigures(.optionChain, reason: reason)] + carried)
    }

    // MARK: - Figures

    /// What the asset is worth; nil where nobody says.
    private static func spot(_ chain: OptionChain, _ bars: [Bar]) -> Double? {
        if let price = chain.underlyingPrice, price > 0, price.isFinite { return price }
        return bars.last(where: \.isUsable)?.close
    }

    private static func sides(_ series: OptionSeries, _ spot: Double?) -> Sides {
        func computed(_ contract: OptionContract) -> Double? {
            guard let spot, series.days > 0, let bid = contract.bid, let ask = contract.ask, bid > 0,
                ask >= bid
            else { return nil }
            let model = BlackScholesMerton(
                spot: spot, strike: contract.strike, rate: rate, yield: yield,
                years: Double(series.days) / 365)
            // Where even the bid implies none, the middle's would come of the spread alone.
            guard let model, model.impliedVolatility(contract.kind, price: bid) != nil else { return nil }
            return model.impliedVolatility(contract.kind, price: bid / 2 + ask / 2)
        }
        var sides = Sides()
        for contract in series.contracts {
            switch contract.kind {
            case .call: sides.calls.add(contract, computed: computed)
            case .put: sides.puts.add(contract, computed: computed)
            }
        }
        return sides
    }

    private static func sheet(_ sides: Sides, _ figures: Figures) -> FigureSheet {
        let (calls, puts) = (sides.calls, sides.puts)
        let unknown = "neither an implied volatility nor prices to compute it from are given"
        var sheet = FigureSheet(.options, figures)
        func add(_ name: String, _ value: Double?, _ reason: String) {
            sheet.add(name, value, need: .optionChain, reason: reason)
        }
        add(
            "put_call_ratio", ratio(puts.volume, calls.volume),
            calls.volume == nil || puts.volume == nil ? "the volume is not given" : "no call was traded")
        add(
            "put_call_oi_ratio", ratio(puts.openInterest, calls.openInterest),
            calls.openInterest == nil || puts.openInterest == nil
                ? "the open interest is not given" : "no call is open")
        add("avg_implied_volatility", sides.volatility, unknown)
        add("call_implied_volatility", calls.meanVolatility, "of calls, \(unknown)")
        add("put_implied_volatility", puts.meanVolatility, "of puts, \(unknown)")
        add("volatility_skew", sides.skew, "calls or puts have no implied volatility")
        for (name, side) in [("call", calls), ("put", puts)] {
            let reason = "the volume of \(name)s is not given"
            add("unusual_\(name)_count", side.volume.map { _ in Double(side.unusualCount) }, reason)
            add("total_\(name)_volume", side.volume, reason)
        }
        return sheet
    }

    private static func ratio(_ puts: Double?, _ calls: Double?) -> Double? {
        guard let puts, let calls, calls > 0 else { return nil }
        return puts / calls
    }

    private static func unusual(_ series: OptionSeries) -> [JSONValue] {
        var unusual = series.contracts.filter(OptionActivity.isUnusual).map { contract in
            (contract: contract, volume: contract.volume ?? 0)
        }
        unusual.sort { ($1.volume, $0.contract.symbol) < ($0.volume, $1.contract.symbol) }
        return unusual.prefix(listedCount).map { contract, volume in
            [
                "contract": .string(contract.symbol), "kind": .string(contract.kind.rawValue),
                "strike": .figure(contract.strike), "expires_on": .string(date(contract.expiresOn)),
                "volume": .figure(volume),
                "open_interest": .figure(OptionActivity.count(contract.openInterest)),
                "implied_volatility": .figure(OptionActivity.volatility(contract.impliedVolatility)),
            ]
        }
    }

    private static func date(_ moment: Timestamp) -> String { String(moment.rfc3339.prefix(10)) }

    // MARK: - Rules

    private static func share(_ sides: Sides) -> Double? {
        func putShare(_ puts: Double?, _ calls: Double?) -> Double? {
            guard let puts, let calls, puts + calls > 0 else { return nil }
            return puts / (puts + calls)
        }
        var shares = WeightedShares()
        shares.add(putShare(sides.puts.volume, sides.calls.volume), from: 0.65, to: 0.25, weight: 2)
        shares.add(
            putShare(sides.puts.openInterest, sides.calls.openInterest), from: 0.65, to: 0.25, weight: 1)
        shares.add(sides.skew, from: 0.15, to: -0.05, weight: 1)
        shares.add(sides.volatility, from: 0.6, to: 0.15, weight: 1)
        return shares.mean
    }

    private static func sentiment(_ sides: Sides) -> String? {
        func label(_ puts: Double?, _ calls: Double?) -> String? {
            guard let puts, let calls, puts + calls > 0 else { return nil }
            return puts > calls ? "bearish" : puts < 0.7 * calls ? "bullish" : "neutral"
        }
        return label(sides.puts.volume, sides.calls.volume)
            ?? label(sides.puts.openInterest, sides.calls.openInterest)
    }

    static func outlook(_ volatility: Double) -> String {
        switch volatility {
        case ..<0.15: "compressed"
        case ..<0.35: "normal"
        case ..<0.6: "elevated"
        default: "extreme"
        }
    }

    private static func interpretation(
        _ series: OptionSeries, _ sides: Sides, _ sentiment: String?, _ outlook: String?
    ) -> String {
        let heads = [
            sentiment.map { "traders are \($0)" }, outlook.map { "expected volatility is \($0)" },
        ].compactMap { $0 }
        let unusual = sides.calls.unusualCount + sides.puts.unusualCount
        let computed = sides.calls.computedCount + sides.puts.computedCount
        let clauses = [
            ratio(sides.puts.volume, sides.calls.volume).map {
                "\(DecimalText.decimals($0)) puts traded per call"
            },
            sides.volatility.map { "implied volatility \(DecimalText.percent($0))" },
            sides.skew.map { "puts less calls \(DecimalText.decimals($0 * 100, 1)) points" },
            unusual > 0 ? "\(unusual) with unusual volume" : nil,
            computed > 0 ? "\(computed) of the implied volatilities computed from bid and ask" : nil,
        ].compactMap { $0 }
        let reasons = clauses.isEmpty ? "" : ": \(clauses.joined(separator: ", "))"
        return "By \(series.contracts.count) options that expire on \(date(series.expiresOn)), "
            + heads.joined(separator: " and ") + reasons + "."
    }
}
