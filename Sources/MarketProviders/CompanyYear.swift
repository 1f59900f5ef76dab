import FIMLCore
import MarketData

/// What a company reported for one fiscal year, in its currency; nil where it is not known.
struct CompanyYear {
    var end: Timestamp
    /// Diluted.
    var earningsPerShare: Double?
    var revenue: Double?
    var netIncome: Double?
    /// At the end of the year, as are the assets.
    var equity: Double?
    var assets: Double?

    /// The year that ends then, of which nothing else is known yet.
    init(end: Timestamp) {
        self.end = end
    }

    /// What the newest of several years, oldest first, says of the company; nil where it says nothing.
    static func fundamentals(of years: [CompanyYear]) -> Fundamentals? {
        guard let year = years.last else { return nil }
        var figures = Fundamentals()
        figures.earningsPerShare = year.earningsPerShare
        figures.profitMargin = quotient(year.netIncome, year.revenue)
        figures.returnOnEquity = quotient(year.netIncome, year.equity)
        figures.returnOnAssets = quotient(year.netIncome, year.assets)
        // The year before ends 52 or 53 weeks earlier; after a gap there is no growth of one year.
        if let before = years.dropLast().last,
            (350...380).contains(
                (year.end.milliseconds - before.end.milliseconds) / Timestamp.dayMilliseconds)
        {
            figures.revenueGrowth = quotient(year.revenue, before.revenue).map { $0 - 1 }
        }
        guard figures != Fundamentals() else { return nil }
        figures.asOf = year.end
        return figures
    }

    /// nil where either is not known or the divisor is not above 0, where a ratio means nothing.
    private static func quotient(_ dividend: Double?, _ divisor: Double?) -> Double? {
        guard let dividend, let divisor, divisor > 0 else { return nil }
        let quotient = dividend / divisor
        return quotient.isFinite ? quotient : nil
    }
}
