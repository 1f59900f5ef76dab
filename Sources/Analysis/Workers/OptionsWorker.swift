import FIMLCore
import MarketData

/// Judges an asset by its options: who buys calls and who puts, and what volatility their prices imply.
///
/// All contracts of the chain count that have not ended, whatever their expiry. Volumes and open interest are
/// sums of contracts, put_call_ratio and put_call_oi_ratio puts over calls. An implied volatility is a
/// year's, as a fraction; the mean of a side is over its contracts whose source tells one above 0, as it
/// tells it. Where a source tells none, that of Black, Scholes and Merton at the middle of bid and ask takes
/// its place, with 4 % interest and no yield, for the first 32 calls and 32 puts of which the bid alone
/// implies one too: far in the money the middle would tell of the spread and nothing else. The price of the
/// asset is the chain's, else the newest close. avg_implied_volatility is the mean of both sides,
/// volatility_skew puts less calls. Unusual is a contract with a volume above 100 and above twice its open
/// interest; one that is not told counts as 1.
///
/// `sentiment`: bullish below a put_call_ratio of 0.7, bearish above 1.2, else neutral. `volatility_outlook`
/// by avg_implied_volatility: compressed below 0.15, normal below 0.35, elevated below 0.6, else extreme.
///
/// The score is 10 × the weighted mean of what grows evenly from none to all; what is not there does not
/// count:
///
/// | figure | none | all | weight |
/// |---|---|---|---|
/// | put_call_ratio | from 1.5 up | up to 0.5 | 5 |
/// | put_call_oi_ratio | from 1.5 up | up to 0.5 | 2 |
/// | volatility_skew | from 0.15 up | up to −0.05 | 2 |
/// | avg_implied_volatility | from 0.8 up | up to 0.15 | 1 |
///
/// `confidence` is the share of the metrics that have a value, times v/(v + 1,000) of v contracts traded.
public struct OptionsWorker: Worker {
    /// `options`.
    public var type: WorkerType { .options }

    static let rate = 0.04
    /// So many volatilities are computed of each side: neither uses up what the other needs.
    static let solvesPerSide = 32
    private static let unusualLimit = 10

    /// A worker without state.
    public init() {}

    /// Throws where there is no chain, or nothing in it that the score rests on.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        guard let chain = figures.optionChain else {
            let missing = figures.missing.filter { $0.need == .optionChain }
            throw InsufficientData(
                missing.isEmpty ? [MissingFigures(.optionChain, reason: "there are no options")] : missing)
        }
        let contracts = chain.contracts.filter { $0.years(from: chain.observedAt) > 0 }
        guard !contracts.isEmpty else {
            let reason = chain.contracts.isEmpty ? "the chain is empty" : "all options have ended"
            throw InsufficientData([MissingFigures(.optionChain, reason: reason)])
        }
        let sides = OptionSides(contracts, chain, spot: chain.underlyingPrice ?? figures.bars.last?.close)
        let sheet = Self.sheet(sides, figures)
        guard let share = Self.shares(sides).mean else { throw InsufficientData(sheet.missing) }
        let traded = sides.call.volume + sides.put.volume
        let outlook = sides.volatility.map(Self.outlook)
        let sentiment = sides.volumeRatio.map(Self.sentiment)
        return Finding(
            score: 10 * share, confidence: sheet.share * (traded.isFinite ? traded / (traded + 1_000) : 1),
            asOf: chain.observedAt,
            details: [
                "metrics": .object(sheet.members), "sentiment": sentiment.map(JSONValue.string) ?? .null,
                "volatility_outlook": outlook.map(JSONValue.string) ?? .null,
                "interpretation": .string(Self.interpretation(sides, sentiment, outlook)),
                "unusual_activity": .array(
                    sides.unusual.prefix(Self.unusualLimit).map(Self.activity)),
            ], missing: sheet.missing)
    }

    private static func sheet(_ sides: OptionSides, _ figures: Figures) -> FigureSheet {
        var sheet = FigureSheet(.options, figures)
        func add(_ name: String, _ value: Double?, _ reason: String = "its figures are too large") {
            sheet.add(name, value, need: .optionChain, reason: reason)
        }
        let noVolatility = "no contract of a side has an implied volatility"
        add("put_call_ratio", sides.volumeRatio, "no calls were traded")
        add("put_call_oi_ratio", sides.openInterestRatio, "no calls are open")
        add("avg_implied_volatility", sides.volatility, noVolatility)
        add("call_implied_volatility", sides.call.volatility, noVolatility)
        add("put_implied_volatility", sides.put.volatility, noVolatility)
        add("volatility_skew", sides.skew, noVolatility)
        add("unusual_call_count", Double(sides.call.unusualCount))
        add("unusual_put_count", Double(sides.put.unusualCount))
        add("total_call_volume", sides.call.volume)
        add("total_put_volume", sides.put.volume)
        return sheet
    }

    // MARK: - Rules

    private static func shares(_ sides: OptionSides) -> WeightedShares {
        var shares = WeightedShares()
        shares.add(sides.volumeRatio, from: 1.5, to: 0.5, weight: 5)
        shares.add(sides.openInterestRatio, from: 1.5, to: 0.5, weight: 2)
        shares.add(sides.skew, from: 0.15, to: -0.05, weight: 2)
        shares.add(sides.volatility, from: 0.8, to: 0.15, weight: 1)
        return shares
    }

    private static func sentiment(_ ratio: Double) -> String {
        ratio < 0.7 ? "bullish" : ratio > 1.2 ? "bearish" : "neutral"
    }

    private static func outlook(_ volatility: Double) -> String {
        volatility < 0.15
            ? "compressed" : volatility < 0.35 ? "normal" : volatility < 0.6 ? "elevated" : "extreme"
    }

    private static func interpretation(
        _ sides: OptionSides, _ sentiment: String?, _ outlook: String?
    ) -> String {
        let trade =
            sides.volumeRatio.map {
                "\(DecimalText.decimals($0)) puts were traded a call, which is \(sentiment ?? "neutral")"
            } ?? "No calls were traded"
        let volatility =
            sides.volatility.map {
                "an implied volatility of \(DecimalText.percent($0)) is \(outlook ?? "normal")"
            } ?? "prices imply no volatility"
        let count = sides.unusual.count
        return "\(trade); \(volatility); \(count) contract\(count == 1 ? "" : "s") with unusual volume."
    }

    private static func activity(_ contract: OptionContract) -> JSONValue {
        [
            "contract": .string(contract.symbol), "kind": .string(contract.kind.rawValue),
            "strike": .figure(contract.strike),
            "expires_on": .string(String(contract.expiresOn.rfc3339.prefix(10))),
            "volume": .figure(contract.volume), "open_interest": .figure(contract.openInterest),
        ]
    }
}

/// The calls and the puts of a chain, summed up.
struct OptionSides {
    /// One of them.
    struct Side {
        /// Contracts traded today.
        var volume = 0.0
        /// Contracts that are open.
        var openInterest = 0.0
        /// Contracts whose volume is unusual.
        var unusualCount = 0
        /// Contracts whose volatility had to be computed.
        var solveCount = 0
        private var volatilitySum = 0.0
        private var volatilityCount = 0

        /// The mean implied volatility; nil where no contract has one.
        var volatility: Double? {
            volatilityCount > 0 ? finite(volatilitySum / Double(volatilityCount)) : nil
        }

        mutating func add(volatility: Double) {
            volatilitySum += volatility
            volatilityCount += 1
        }
    }

    private(set) var call = Side()
    private(set) var put = Side()
    /// Largest volume first.
    private(set) var unusual: [OptionContract] = []

    /// Puts over calls; nil without calls.
    var volumeRatio: Double? { call.volume > 0 ? finite(put.volume / call.volume) : nil }
    var openInterestRatio: Double? {
        call.openInterest > 0 ? finite(put.openInterest / call.openInterest) : nil
    }
    /// The mean of both sides; nil where one has none.
    var volatility: Double? { both { ($0 + $1) / 2 } }
    /// Puts less calls.
    var skew: Double? { both { $1 - $0 } }

    private func both(_ figure: (Double, Double) -> Double) -> Double? {
        guard let call = call.volatility, let put = put.volatility else { return nil }
        return finite(figure(call, put))
    }

    /// `spot`: what the asset is worth, for contracts whose volatility has to be computed.
    init(_ contracts: [OptionContract], _ chain: OptionChain, spot: Double?) {
        for contract in contracts {
            var side = contract.kind == .call ? call : put
            let volume = amount(contract.volume)
            side.volume += volume
            side.openInterest += amount(contract.openInterest)
            if volume > 100, volume > 2 * (contract.openInterest.map { amount($0) } ?? 1) {
                side.unusualCount += 1
                unusual.append(contract)
            }
            if let told = contract.impliedVolatility, told > 0, told.isFinite {
                side.add(volatility: told)
            } else if let spot, contract.impliedVolatility == nil,
                side.solveCount < OptionsWorker.solvesPerSide, let prices = Self.prices(contract)
            {
                let option = Self.option(contract, chain, spot)
                // Where the bid alone implies none, what the middle does would come of the spread.
                if option.impliedVolatility(price: prices.bid) != nil {
                    side.solveCount += 1
                    let volatility = option.impliedVolatility(price: prices.middle)
                    if let volatility { side.add(volatility: volatility) }
                }
            }
            if contract.kind == .call { call = side } else { put = side }
        }
        unusual.sort { (amount($0.volume), $1.symbol) > (amount($1.volume), $0.symbol) }
    }

    /// The bid, and the middle of bid and ask; nil unless there are both, in order.
    private static func prices(_ contract: OptionContract) -> (bid: Double, middle: Double)? {
        guard let bid = contract.bid, let ask = contract.ask, bid > 0, ask >= bid else { return nil }
        return (bid, bid / 2 + ask / 2)
    }

    private static func option(
        _ contract: OptionContract, _ chain: OptionChain, _ spot: Double
    ) -> BlackScholesMerton {
        BlackScholesMerton(
            kind: contract.kind, spot: spot, strike: contract.strike, rate: OptionsWorker.rate, yield: 0,
            years: contract.years(from: chain.observedAt))
    }
}

extension OptionContract {
    /// Until the end of its last day, in years of 365 days; not positive where it has ended.
    fileprivate func years(from moment: Timestamp) -> Double {
        let day = 86_400_000.0
        return (Double(expiresOn.milliseconds) + day - Double(moment.milliseconds)) / (365 * day)
    }
}

/// What is at least 0 and finite; else 0.
private func amount(_ value: Double?) -> Double {
    guard let value, value.isFinite, value > 0 else { return 0 }
    return value
}

private func finite(_ value: Double) -> Double? { value.isFinite ? value : nil }
