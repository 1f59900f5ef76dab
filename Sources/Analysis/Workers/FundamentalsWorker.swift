import FIMLCore
import MarketData

/// Judges a company by what it reported: how dear it is, and how well it earns and is financed.
///
/// `metrics` are as reported (`Fundamentals`): roe, roa, debt_to_equity, revenue_growth and profit_margin are
/// fractions, 1.45 being 145 %. Where the source has no pe_ratio, it is the newest bar's close over eps;
/// without a positive eps there is none.
///
/// Each figure is worth a share of its weight, which grows evenly from none to all:
///
/// | figure | none | all | weight |
/// |---|---|---|---|
/// | pe_ratio | from 40 up | up to 10 | 2 |
/// | pb_ratio | from 10 up | up to 1 | 1 |
/// | roe | up to 0 | from 0.25 | 2 |
/// | roa | up to 0 | from 0.1 | 1 |
/// | debt_to_equity | from 2 up | 0 | 1.5 |
/// | profit_margin | up to 0 | from 0.2 | 1.5 |
/// | revenue_growth | up to −0.1 | from 0.2 | 1 |
///
/// A negative pe_ratio, pb_ratio or debt_to_equity comes of a loss, or of more debt than property: none. So
/// does, for pe_ratio, an eps of 0 or less. Figures that are not there do not count.
///
/// The score is 10 × the share of all weights that count. `valuation` is of the first two figures alone:
/// undervalued from a share of 0.6, overvalued up to 0.25, else fairly_valued. `financial_health` is of the
/// other five: excellent from 0.75, healthy from 0.5, concerning from 0.25, else poor. A label without any of
/// its figures is null. `interpretation` is a sentence of them.
///
/// `confidence` is the share of the nine metrics that have a value, times 0.8 where the source does not say
/// of which period they are.
public struct FundamentalsWorker: Worker {
    /// `fundamentals`.
    public var type: WorkerType { .fundamentals }

    /// A worker without state.
    public init() {}

    /// Throws where the asset is no company, or nothing is reported that the score rests on.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        guard let reported = figures.fundamentals else {
            let missing = figures.missing.filter { $0.need == .fundamentals }
            throw InsufficientData(
                missing.isEmpty ? [MissingFigures(.fundamentals, reason: "nothing is reported")] : missing)
        }
        guard figures.asset.assetType == .equity else {
            let reason =
                "only companies report, and \(figures.asset.symbol) is \(figures.asset.assetType.rawValue)"
            throw InsufficientData([MissingFigures(.fundamentals, reason: reason)])
        }
        let ratio = Self.priceToEarnings(reported, figures.bars)
        let sheet = Self.sheet(reported, ratio, figures)
        let price = Self.price(reported, ratio: ratio.value)
        let health = Self.health(reported)
        var all = price
        all.add(health)
        guard let share = all.mean else { throw InsufficientData(sheet.missing) }
        let valuation = price.mean.map(Self.valuation)
        let label = health.mean.map(Self.financialHealth)
        return Finding(
            score: 10 * share, confidence: sheet.share * (reported.asOf == nil ? 0.8 : 1),
            asOf: reported.asOf ?? figures.moment,
            details: [
                "metrics": .object(sheet.members), "valuation": valuation.map(JSONValue.string) ?? .null,
                "financial_health": label.map(JSONValue.string) ?? .null,
                "interpretation": .string(
                    Self.interpretation(reported, ratio: ratio.value, valuation, label)),
            ], missing: sheet.missing + Self.missingLabels(price: price, health: health))
    }

    /// As reported, or computed; else why it is not there.
    private static func priceToEarnings(
        _ reported: Fundamentals, _ bars: [Bar]
    ) -> (value: Double?, reason: String) {
        if let ratio = reported.priceToEarnings, ratio.isFinite { return (ratio, "") }
        guard let earnings = reported.earningsPerShare, earnings.isFinite else {
            return (nil, "neither it nor earnings per share are reported")
        }
        guard earnings > 0 else { return (nil, "earnings per share are not positive") }
        guard let close = bars.last(where: \.isUsable)?.close else {
            return (nil, "it is not reported, and there is no price to compute it from")
        }
        let ratio = close / earnings
        return ratio.isFinite ? (ratio, "") : (nil, "earnings per share are too small to compute with")
    }

    private static func sheet(
        _ reported: Fundamentals, _ ratio: (value: Double?, reason: String), _ figures: Figures
    ) -> FigureSheet {
        var sheet = FigureSheet(.fundamentals, figures)
        sheet.add("pe_ratio", ratio.value, need: .fundamentals, reason: ratio.reason)
        for (name, value) in [
            ("pb_ratio", reported.priceToBook), ("eps", reported.earningsPerShare),
            ("roe", reported.returnOnEquity), ("roa", reported.returnOnAssets),
            ("debt_to_equity", reported.debtToEquity), ("revenue_growth", reported.revenueGrowth),
            ("profit_margin", reported.profitMargin), ("market_cap", reported.marketCap),
        ] {
            sheet.add(name, value, need: .fundamentals, reason: "it is not reported")
        }
        return sheet
    }

    // MARK: - Rules

    private static func price(_ reported: Fundamentals, ratio: Double?) -> WeightedShares {
        let makesNoProfit = reported.earningsPerShare.map { $0.isFinite && $0 <= 0 } ?? false
        var shares = WeightedShares()
        shares.add(makesNoProfit ? .infinity : ratio.map(positive), from: 40, to: 10, weight: 2)
        shares.add(finite(reported.priceToBook).map(positive), from: 10, to: 1, weight: 1)
        return shares
    }

    private static func health(_ reported: Fundamentals) -> WeightedShares {
        var shares = WeightedShares()
        shares.add(finite(reported.returnOnEquity), from: 0, to: 0.25, weight: 2)
        shares.add(finite(reported.returnOnAssets), from: 0, to: 0.1, weight: 1)
        shares.add(finite(reported.debtToEquity).map { $0 < 0 ? .infinity : $0 }, from: 2, to: 0, weight: 1.5)
        shares.add(finite(reported.profitMargin), from: 0, to: 0.2, weight: 1.5)
        shares.add(finite(reported.revenueGrowth), from: -0.1, to: 0.2, weight: 1)
        return shares
    }

    /// A price ratio; one that is not positive counts as the dearest.
    private static func positive(_ ratio: Double) -> Double { ratio > 0 ? ratio : .infinity }

    private static func finite(_ value: Double?) -> Double? { value.flatMap { $0.isFinite ? $0 : nil } }

    static func valuation(_ share: Double) -> String {
        share >= 0.6 ? "undervalued" : share <= 0.25 ? "overvalued" : "fairly_valued"
    }

    static func financialHealth(_ share: Double) -> String {
        switch share {
        case 0.75...: "excellent"
        case 0.5...: "healthy"
        case 0.25...: "concerning"
        default: "poor"
        }
    }

    private static func missingLabels(price: WeightedShares, health: WeightedShares) -> [MissingFigures] {
        [("valuation", price), ("financial_health", health)].filter { $0.1.mean == nil }.map {
            MissingFigures(.fundamentals, $0.0, reason: "none of its figures is reported")
        }
    }

    private static func interpretation(
        _ reported: Fundamentals, ratio: Double?, _ valuation: String?, _ health: String?
    ) -> String {
        func words(_ label: String) -> String { label.split(separator: "_").joined(separator: " ") }
        let heads = [
            valuation.map { "the share looks \(words($0))" },
            health.map { "financial health is \(words($0))" },
        ].compactMap { $0 }
        let clauses = [
            ratio.map { "price over earnings \(DecimalText.decimals($0, 1))" },
            finite(reported.priceToBook).map { "price over book \(DecimalText.decimals($0, 1))" },
            finite(reported.returnOnEquity).map { "return on equity \(DecimalText.percent($0))" },
            finite(reported.profitMargin).map { "profit margin \(DecimalText.percent($0))" },
            finite(reported.debtToEquity).map { "debt over equity \(DecimalText.percent($0))" },
            finite(reported.revenueGrowth).map { "revenue growth \(DecimalText.percent($0))" },
        ].compactMap { $0 }
        let head = heads.joined(separator: " and ")
        let reasons = clauses.isEmpty ? "" : ": \(clauses.joined(separator: ", "))"
        return head.prefix(1).uppercased() + head.dropFirst() + reasons + "."
    }
}
