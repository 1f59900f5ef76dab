import FIMLCore

/// A figure of a whole economy, as an office publishes it.
public enum MacroIndicator: String, CaseIterable, Sendable {
    /// The central bank's short rate, in percent a year.
    case interestRate = "interest_rate"
    /// Consumer prices, as an index.
    case consumerPrices = "consumer_prices"
    /// Real gross domestic product: growth over the quarter at an annual rate, in percent.
    case realGrowth = "real_growth"
    /// Unemployed persons over the labour force, in percent.
    case unemployment
}

/// One observation of an indicator.
public struct MacroObservation: Hashable, Sendable {
    /// The first day of the period that it is of.
    public var period: Timestamp
    /// In the indicator's unit.
    public var value: Double

    /// An observation of both.
    public init(period: Timestamp, value: Double) {
        self.period = period
        self.value = value
    }
}
