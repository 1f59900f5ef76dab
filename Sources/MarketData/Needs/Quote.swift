import FIMLCore

/// What an asset was last worth.
public struct Quote: Hashable, Sendable {
    /// From when the price is.
    public var observedAt: Timestamp
    /// In the asset's currency; greater than 0.
    public var price: Double
    /// How far apart the source's quotes usually are, in seconds; at least 1.
    public var intervalSeconds: Int64

    /// A quote with every part given.
    public init(observedAt: Timestamp, price: Double, intervalSeconds: Int64) {
        self.observedAt = observedAt
        self.price = price
        self.intervalSeconds = intervalSeconds
    }
}
