import FIMLCore

/// What an asset traded at during one interval.
public struct Bar: Hashable, Sendable {
    /// When the interval began.
    public var opensAt: Timestamp
    /// How long it lasted, in seconds; at least 1.
    public var intervalSeconds: Int64
    /// The first price, in the asset's currency; greater than 0, as the other three.
    public var open: Double
    /// The highest price.
    public var high: Double
    /// The lowest price.
    public var low: Double
    /// The last price.
    public var close: Double
    /// How much was traded, in the unit of its source; nil where the source does not say.
    public var volume: Double?

    /// A bar with every part given.
    public init(
        opensAt: Timestamp, intervalSeconds: Int64, open: Double, high: Double, low: Double, close: Double,
        volume: Double?
    ) {
        self.opensAt = opensAt
        self.intervalSeconds = intervalSeconds
        self.open = open
        self.high = high
        self.low = low
        self.close = close
        self.volume = volume
    }

    /// When the interval ended, from which moment on the bar is known.
    public var closesAt: Timestamp {
        Timestamp(milliseconds: opensAt.milliseconds + intervalSeconds * 1_000)
    }
}
