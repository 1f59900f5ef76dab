import FIMLCore
import MarketData

/// Fires when an asset's newest bar has many times the volume of the bars before it.
///
/// Figure: volume of the newest bar over the mean volume of the 30 bars before, the newest not among them. An
/// asset with fewer bars, a volume missing among them, or a mean of 0 is not judged.
public struct UnusualVolumeWatchdog: Watchdog {
    /// Its settings.
    public struct Configuration: Hashable, Sendable {
        /// `ENABLE_UNUSUAL_VOLUME_WATCHDOG`, `UNUSUAL_VOLUME_CHECK_INTERVAL`.
        public var schedule: WatchdogSchedule
        /// `UNUSUAL_VOLUME_MULTIPLIER`: more times the mean fires.
        public var multiplier: Double

        /// FIML's defaults: each minute, above 3 times the mean.
        public init(schedule: WatchdogSchedule = .init(intervalSeconds: 60), multiplier: Double = 3) {
            self.schedule = schedule
            self.multiplier = multiplier
        }
    }

    /// How many bars make the mean.
    static let meanBars = 30
    /// More times the mean is critical.
    static let criticalMultiplier = 5.0

    /// `unusual_volume`.
    public let name = WatchdogName.unusualVolume
    private let configuration: Configuration
    private let source: any BarSource

    /// Watches all assets of `source`.
    public init(_ configuration: Configuration = .init(), source: any BarSource) {
        self.configuration = configuration
        self.source = source
    }

    /// As configured.
    public var schedule: WatchdogSchedule { configuration.schedule }

    /// Judges all assets of the source, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        var outcome = CheckOutcome()
        for asset in source.barAssets {
            await outcome.add {
                judge(
                    try await source.bars(of: asset, closedBy: moment, limit: Self.meanBars + 1), asset,
                    moment)
            }
        }
        return try outcome.get()
    }

    private func judge(_ bars: [Bar], _ asset: Asset, _ moment: Timestamp) -> Judgement? {
        guard bars.count == Self.meanBars + 1, let newest = bars.last, let volume = newest.volume,
            !Staleness.isStale(newest.closesAt, intervalSeconds: newest.intervalSeconds, at: moment)
        else { return nil }
        let before = bars.dropLast()
        let volumes = before.compactMap(\.volume)
        let mean = volumes.reduce(0, +) / Double(Self.meanBars)
        let ratio = volume / mean
        guard volumes.count == Self.meanBars, mean > 0, mean.isFinite, ratio.isFinite,
            let previous = before.last
        else {
            return nil
        }
        let changePct = (newest.close - previous.close) / previous.close * 100
        guard previous.close > 0, changePct.isFinite else { return nil }
        var anomaly: Anomaly?
        if ratio > configuration.multiplier {
            anomaly = Anomaly(
                type: .unusualVolume, severity: ratio > Self.criticalMultiplier ? .critical : .high)
        }
        return Judgement(
            assets: [asset], observedAt: newest.closesAt, anomaly: anomaly,
            description: "\(asset.symbol) traded \(Figure.decimals(ratio)) times its mean volume of "
                + "\(Self.meanBars) bars (\(Figure.decimals(changePct, isSigned: true)) %)",
            data: [
                "current_volume": .number(volume), "avg_volume": .number(mean),
                "volume_ratio": .number(ratio),
                "price_change_pct": .number(changePct), "price": .number(newest.close),
            ],
            evidence: Evidence(
                rule: "unusual_volume.multiplier", operator: "gt", threshold: configuration.multiplier,
                observed: ratio, windowSeconds: Int64(Self.meanBars) * newest.intervalSeconds))
    }
}
