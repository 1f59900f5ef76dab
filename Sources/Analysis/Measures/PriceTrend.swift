/// Where a price is heading, by its place among its averages.
enum PriceTrend: String, CaseIterable {
    /// The price is above its 50-day average, and that above its 200-day average.
    case bullish
    /// The price is below its 50-day average, and that below its 200-day average.
    case bearish
    /// Neither.
    case neutral

    /// Fewer closes have no average beside that of 50 days.
    static let minCloses = 51
    static let longPeriod = 200

    /// Where there are fewer than 200 closes, the mean of all stands for the 200-day average. Nil where there
    /// are fewer than 51, or an average is not finite.
    init?(_ closes: [Double]) {
        guard closes.count >= Self.minCloses, let price = closes.last,
            let medium = MovingAverage.simple(closes, 50),
            let long = MovingAverage.simple(closes, min(Self.longPeriod, closes.count))
        else { return nil }
        self =
            price.clearlyExceeds(medium) && medium.clearlyExceeds(long)
            ? .bullish
            : medium.clearlyExceeds(price) && long.clearlyExceeds(medium) ? .bearish : .neutral
    }
}

extension Double {
    /// Averages of the same price differ by less than this share of it: sums of up to 260 round so far.
    static let roundingShare = 1e-12

    /// Whether it is greater by more than rounding explains, so that a flat price has no trend.
    func clearlyExceeds(_ other: Double) -> Bool {
        self - other > abs(other) * Self.roundingShare
    }
}
