import FIMLCore
import MarketData

/// Judges an asset by the course of its daily prices.
///
/// `indicators` of the newest bar: rsi (0 to 100), macd{macd, signal, histogram}, bollinger{upper, middle,
/// lower}, sma_20, sma_50, sma_200, ema_12, ema_26, atr, support and resistance (the lowest low and the
/// highest high of 20 days), current_price; but for rsi in the currency of the prices. Formulas, smoothing
/// and sources are at `WilderAverages`, `MACD`, `BollingerBands`, `MovingAverage`; all begin as TA-Lib begins
/// them. `trend` is `PriceTrend`'s: bullish, bearish, neutral; null with fewer than 51 bars.
///
/// The score is 5 and these points; what has no value gives none:
///
/// | figure | points |
/// |---|---|
/// | `trend` | bullish +2, bearish −2 |
/// | MACD's histogram | above 0 +1, below 0 −1 |
/// | RSI | +1.5 up to 30 (oversold), falling evenly to −1.5 from 70 on (overbought) |
/// | Bollinger bands | below the lower +0.5, above the upper −0.5 |
///
/// `signal` is strong_buy from 7.5, buy from 6, hold above 4, sell above 2.5, else strong_sell.
/// `pattern_analysis` tells the same figures in words.
///
/// `confidence` is the share of the figures (the indicators and the trend) that have a value: 1 from 200 bars
/// on.
public struct TechnicalWorker: Worker {
    /// Below so many bars there is nothing to say: RSI and ATR need 14 changes.
    static let minBars = WilderAverages.minBars
    static let oversold = 30.0
    static let overbought = 70.0

    /// `technical`.
    public var type: WorkerType { .technical }

    /// A worker without state.
    public init() {}

    /// Throws where there are fewer than 15 bars.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        let prices = DailyPrices(figures.bars)
        guard prices.count >= Self.minBars, let asOf = prices.newestClosesAt,
            let indicators = TechnicalIndicators(prices)
        else { throw InsufficientData(bars: prices.count, needed: Self.minBars, figures) }
        var sheet = Self.sheet(indicators, figures)
        let members = sheet.members
        let trend = indicators.trend.map { JSONValue.string($0.rawValue) }
        sheet.add("trend", trend, available: prices.count, needed: PriceTrend.minCloses)
        let score = Self.score(indicators)
        return Finding(
            score: score, confidence: sheet.share, asOf: asOf,
            details: [
                "indicators": .object(members), "trend": trend ?? .null,
                "signal": .string(Self.signal(score)),
                "pattern_analysis": .string(Self.patternAnalysis(indicators)),
            ], missing: sheet.missing)
    }

    private static func sheet(_ indicators: TechnicalIndicators, _ figures: Figures) -> FigureSheet {
        var sheet = FigureSheet(.technical, figures)
        func add(_ name: String, _ value: Double?, needs needed: Int) {
            sheet.add(name, .figure(value), available: indicators.bars, needed: needed)
        }
        sheet.add(
            "rsi", .figure(indicators.rsi), available: indicators.bars, needed: WilderAverages.minBars,
            undefined: "no change to measure: the closes do not differ, or not within what can be computed")
        sheet.add(
            "macd",
            indicators.macd.map {
                ["macd": .number($0.macd), "signal": .number($0.signal), "histogram": .number($0.histogram)]
            }, available: indicators.bars, needed: MACD.minCloses)
        sheet.add(
            "bollinger",
            indicators.bollinger.map {
                ["upper": .number($0.upper), "middle": .number($0.middle), "lower": .number($0.lower)]
            }, available: indicators.bars, needed: BollingerBands.period)
        add("sma_20", indicators.sma20, needs: 20)
        add("sma_50", indicators.sma50, needs: 50)
        add("sma_200", indicators.sma200, needs: 200)
        add("ema_12", indicators.ema12, needs: 12)
        add("ema_26", indicators.ema26, needs: 26)
        add("atr", indicators.averageTrueRange, needs: WilderAverages.minBars)
        add("support", indicators.support, needs: TechnicalIndicators.rangePeriod)
        add("resistance", indicators.resistance, needs: TechnicalIndicators.rangePeriod)
        add("current_price", indicators.price, needs: 1)
        return sheet
    }

    static func score(_ indicators: TechnicalIndicators) -> Double {
        var score = 5.0
        switch indicators.trend {
        case .bullish: score += 2
        case .bearish: score -= 2
        case .neutral, nil: break
        }
        if let macd = indicators.macd { score += Double(indicators.side(of: macd)) }
        if let rsi = indicators.rsi {
            let middle = (oversold + overbought) / 2
            let deviation = (middle - rsi) / (middle - oversold)
            score += 1.5 * min(max(deviation, -1), 1)
        }
        if let bands = indicators.bollinger {
            if bands.lower.clearlyExceeds(indicators.price) { score += 0.5 }
            if indicators.price.clearlyExceeds(bands.upper) { score -= 0.5 }
        }
        return score
    }

    static func signal(_ score: Double) -> String {
        switch score {
        case 7.5...: "strong_buy"
        case 6...: "buy"
        case ...2.5: "strong_sell"
        case ...4: "sell"
        default: "hold"
        }
    }

    private static func patternAnalysis(_ indicators: TechnicalIndicators) -> String {
        let long =
            indicators.bars < PriceTrend.longPeriod
            ? "mean of all \(indicators.bars) days" : "200-day average"
        var clauses: [String] = []
        switch indicators.trend {
        case .bullish: clauses.append("the price is above its 50-day average, which is above the \(long)")
        case .bearish: clauses.append("the price is below its 50-day average, which is below the \(long)")
        case .neutral:
            clauses.append("the price, its 50-day average and the \(long) show no common direction")
        case nil: break
        }
        if let rsi = indicators.rsi {
            let state =
                rsi <= oversold ? "oversold" : rsi >= overbought ? "overbought" : "between the extremes"
            clauses.append("RSI \(DecimalText.decimals(rsi, 1)) is \(state)")
        }
        if let macd = indicators.macd {
            let side = ["below", "on", "above"][indicators.side(of: macd) + 1]
            clauses.append("MACD is \(side) its signal line")
        }
        if let bands = indicators.bollinger {
            let place =
                indicators.price.clearlyExceeds(bands.upper)
                ? "above the upper Bollinger band"
                : bands.lower.clearlyExceeds(indicators.price)
                    ? "below the lower Bollinger band" : "within the Bollinger bands"
            clauses.append("the price is \(place)")
        }
        if let support = indicators.support, let resistance = indicators.resistance {
            let room = DecimalText.percent(1 - support / indicators.price)
            let headroom = DecimalText.percent(resistance / indicators.price - 1)
            clauses.append("20-day support is \(room) below and resistance \(headroom) above the price")
        }
        guard let first = clauses.first?.first else { return "The prices allow no statement." }
        return first.uppercased() + clauses.joined(separator: "; ").dropFirst() + "."
    }
}
