import FIMLCore

/// What a company earned in one quarter, and what analysts had expected.
public struct EarningsReport: Hashable, Sendable {
    /// The last day of the fiscal quarter, as the start of that day in UTC.
    public var quarterEnd: Timestamp
    /// When it was reported; nil where the source does not say.
    public var reportedAt: Timestamp?
    /// Earnings per share as reported, in the company's currency.
    public var actualEPS: Double
    /// Earnings per share as expected before; nil where nobody did.
    public var estimatedEPS: Double?
    /// Revenue as reported; nil where the source does not say.
    public var revenue: Double?
    /// Revenue as expected; nil where the source does not say.
    public var revenueEstimate: Double?

    /// A report; what is nil by default many sources do not say.
    public init(
        quarterEnd: Timestamp, reportedAt: Timestamp? = nil, actualEPS: Double, estimatedEPS: Double?,
        revenue: Double? = nil, revenueEstimate: Double? = nil
    ) {
        self.quarterEnd = quarterEnd
        self.reportedAt = reportedAt
        self.actualEPS = actualEPS
        self.estimatedEPS = estimatedEPS
        self.revenue = revenue
        self.revenueEstimate = revenueEstimate
    }
}
