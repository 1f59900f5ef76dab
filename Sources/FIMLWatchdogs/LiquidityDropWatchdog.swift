import Configuration
import FIMLCore
import MarketData

/// Fires when far less than usual rests near the price of an asset.
///
/// Figure: how far the depth of the order book (US dollars within 1 % of the middle) lies below its mean of
/// the last 7 days, in percent of that mean. With fewer snapshots than `minSnapshots` the mean says little
/// and the asset is not judged, nor with a mean of 0.
public struct LiquidityDropWatchdog: Watchdog {
    /// A depth below this share of its mean is critical; what fires above is high.
    public static let criticalRatio = 0.3
    /// How many snapshots make a mean that a depth is held against.
    public static let minSnapshots = 10

    /// `liquidity_drop`.
    public let name = WatchdogName.liquidityDrop
    private let settings: Settings.LiquidityDrop
    private let assets: [Asset]
    private let source: any DepthSource

    /// Watches `assets`.
    public init(_ settings: Settings.LiquidityDrop, assets: [Asset], source: any DepthSource) {
        self.settings = settings
        self.assets = assets
        self.source = source
    }

    /// The symbols of its assets.
    public var subjects: Set<String>? { Set(assets.map(\.symbol)) }

    /// Until there are enough snapshots for a mean.
    public var warmUpSeconds: Int64 { Int64(Self.minSnapshots + 1) * schedule.intervalSeconds }

    /// As set.
    public var schedule: WatchdogSchedule {
        WatchdogSchedule(isEnabled: settings.isEnabled, interval: settings.checkInterval)
    }

    /// Judges all assets, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        try await source.depths(of: assets, at: moment).judgements { asset, depth in
            depth.map { judge($0, asset, moment) } ?? []
        }
    }

    private func judge(_ depth: MarketDepth, _ asset: Asset, _ moment: Timestamp) -> [Judgement] {
        guard depth.isPlausible, let mean = depth.meanUSD, mean > 0, depth.snapshots >= Self.minSnapshots,
            !Freshness.isStale(depth.observedAt, intervalSeconds: depth.intervalSeconds, at: moment)
        else { return [] }
        let ratio = depth.depthUSD / mean
        let dropPct = (1 - ratio) * 100
        guard dropPct.isFinite else { return [] }
        var anomaly: Anomaly?
        if dropPct > settings.thresholdPct {
            anomaly = Anomaly(
                type: .liquidityDrop, severity: ratio < Self.criticalRatio ? .critical : .high)
        }
        return [
            Judgement(
                subject: asset.symbol, assets: [asset], observedAt: depth.observedAt, anomaly: anomaly,
                description:
                    "\(asset.symbol) has \(Figure.decimals(depth.depthUSD / 1e6)) million US dollars within "
                    + "\(Figure.decimals(MarketDepth.withinPercent, count: 1)) % of its price, "
                    + "\(Figure.decimals(ratio * 100)) % of the mean of "
                    + Figure.span(seconds: MarketDepth.meanSeconds),
                data: [
                    "current_depth": .number(depth.depthUSD), "avg_depth": .number(mean),
                    "drop_pct": .number(dropPct), "depth_ratio": .number(ratio),
                ],
                evidence: Evidence(
                    rule: "liquidity_drop.threshold_pct", operator: "gt", threshold: settings.thresholdPct,
                    observed: dropPct, windowSeconds: MarketDepth.meanSeconds))
        ]
    }
}
