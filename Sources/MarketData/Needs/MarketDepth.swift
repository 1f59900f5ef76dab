import FIMLCore

/// How much rests near the price of an asset, and how much it was on average.
public struct MarketDepth: Hashable, Sendable {
    /// Depth is what rests within this many percent of the middle, both sides together.
    public static let withinPercent = 1.0
    /// The mean is over so much time before, or what there is of it: 7 days.
    public static let meanSeconds: Int64 = 604_800

    /// From when the depth is.
    public var observedAt: Timestamp
    /// In US dollars; at least 0.
    public var depthUSD: Double
    /// How far apart the source's snapshots usually are, in seconds; at least 1.
    public var intervalSeconds: Int64
    /// The mean depth of all earlier snapshots of the last 7 days, this one not among them; nil where there
    /// is none.
    public var meanUSD: Double?
    /// How many snapshots make the mean.
    public var snapshots: Int

    /// A depth with every part given.
    public init(
        observedAt: Timestamp, depthUSD: Double, intervalSeconds: Int64, meanUSD: Double?, snapshots: Int
    ) {
        self.observedAt = observedAt
        self.depthUSD = depthUSD
        self.intervalSeconds = intervalSeconds
        self.meanUSD = meanUSD
        self.snapshots = snapshots
    }
}
