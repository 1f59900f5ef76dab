/// The technical indicators of an asset at its newest bar. One that has no value is nil.
struct TechnicalIndicators {
    /// Support and resistance are the lowest low and the highest high of so many days, the newest among them.
    static let rangePeriod = 20

    let bars: Int
    let price: Double
    let rsi: Double?
    let macd: MACD?
    let bollinger: BollingerBands?
    let sma20: Double?
    let sma50: Double?
    let sma200: Double?
    let ema12: Double?
    let ema26: Double?
    let averageTrueRange: Double?
    let support: Double?
    let resistance: Double?
    let trend: PriceTrend?

    /// Nil where there is no bar.
    init?(_ prices: DailyPrices) {
        guard let newest = prices.closes.last else { return nil }
        let closes = prices.closes
        bars = closes.count
        price = newest
        rsi = WilderAverages.relativeStrengthIndex(closes)
        macd = MACD(closes)
        bollinger = BollingerBands(closes)
        sma20 = MovingAverage.simple(closes, 20)
        sma50 = MovingAverage.simple(closes, 50)
        sma200 = MovingAverage.simple(closes, 200)
        ema12 = MovingAverage.exponential(closes, 12)
        ema26 = MovingAverage.exponential(closes, 26)
        averageTrueRange = WilderAverages.averageTrueRange(prices)
        let hasRange = closes.count >= Self.rangePeriod
        support = hasRange ? prices.lows.suffix(Self.rangePeriod).min() : nil
        resistance = hasRange ? prices.highs.suffix(Self.rangePeriod).max() : nil
        trend = PriceTrend(closes)
    }

    /// 1 where MACD is above its signal line, −1 below, 0 where it is on it but for rounding.
    func side(of macd: MACD) -> Int {
        let least = price * Double.roundingShare
        return macd.histogram > least ? 1 : macd.histogram < -least ? -1 : 0
    }
}
