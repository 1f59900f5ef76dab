import FIMLCore

/// What is known of a company from its reports; nil where the source does not say.
public struct Fundamentals: Hashable, Sendable {
    /// The end of the newest period that the figures are of.
    public var asOf: Timestamp?
    /// Price over earnings per share of the last year.
    public var priceToEarnings: Double?
    /// Price over book value per share.
    public var priceToBook: Double?
    /// Earnings per share of the last year.
    public var earningsPerShare: Double?
    /// Net income over equity, as a fraction.
    public var returnOnEquity: Double?
    /// Net income over assets, as a fraction.
    public var returnOnAssets: Double?
    /// Debt over equity, as a fraction: 1.5 is 150 %.
    public var debtToEquity: Double?
    /// Growth of revenue over a year, as a fraction.
    public var revenueGrowth: Double?
    /// Net income over revenue, as a fraction.
    public var profitMargin: Double?
    /// Value of all shares, in the company's currency.
    public var marketCap: Double?

    /// Nothing is known.
    public init() {}
}
