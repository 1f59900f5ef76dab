import Configuration
import FIMLCore
import MarketData

/// Fires when an asset's newest bar has many times the volume of the bars before it.
///
/// Figure: volume of the newest bar over the mean volume of the 30 bars before, the newest not among them. A
/// bar that is not over counts as it stands: its volume only grows, so what fires now fires at its end too.
/// An asset with fewer bars, a volume missing among them, or a mean of 0 is not judged. Volumes are compared
/// as the source gives them; one that does not adjust for splits shows a split as a jump.
public struct UnusualVolumeWatchdog: Watchdog {
    /// How many bars make the mean.
    public static let meanBars = 30
    /// More times the mean is critical; what fires below is high.
    public static let criticalMultiplier = 5.0

    /// `unusual_volume`.
    public let name = WatchdogName.unusualVolume
    private let settings: Settings.UnusualVolume
    private let assets: [Asset]
    private let source: any BarSource

    /// Watches `assets`.
    public init(_ settings: Settings.UnusualVolume, assets: [Asset], source: any BarSource) {
        self.settings = settings
        self.assets = assets
        self.source = source
    }

    /// The symbols of its assets.
    public var subjects: Set<String>? { Set(assets.map(\.symbol)) }

    /// As set.
    public var schedule: WatchdogSchedule {
        WatchdogSchedule(isEnabled: settings.isEnabled, interval: settings.checkInterval)
    }

    /// Judges all assets, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        let answers = await source.bars(
            of: assets, closedBy: moment, limit: Self.meanBars + 1, unfinished: true)
        return try answers.judgements { asset, bars in judge(bars, asset, moment) }
    }

    private func judge(_ bars: [Bar], _ asset: Asset, _ moment: Timestamp) -> [Judgement] {
        let bars = bars.chronological().suffix(Self.meanBars + 1)
        let before = bars.dropLast()
        let volumes = before.compactMap(\.volume)
        guard volumes.count == Self.meanBars, let newest = bars.last, let volume = newest.volume,
            let previous = before.last
        else { return [] }
        let observedAt = min(newest.closesAt, max(newest.opensAt, moment))
        let mean = volumes.reduce(0, +) / Double(Self.meanBars)
        let ratio = volume / mean
        let changePct = (newest.close - previous.close) / previous.close * 100
        guard ratio.isFinite, mean.isFinite, changePct.isFinite,
            !Freshness.isStale(observedAt, intervalSeconds: newest.intervalSeconds, at: moment)
        else { return [] }
        var anomaly: Anomaly?
        if ratio > settings.multiplier {
            anomaly = Anomaly(
                type: .unusualVolume, severity: ratio > Self.criticalMultiplier ? .critical : .high)
        }
        return [
            Judgement(
                subject: asset.symbol, assets: [asset], observedAt: observedAt, anomaly: anomaly,
                description: "\(asset.symbol) traded \(Figure.decimals(ratio)) times its mean volume of "
                    + "\(Self.meanBars) bars (\(Figure.decimals(changePct, isSigned: true)) %)",
                data: [
                    "current_volume": .number(volume), "avg_volume": .number(mean),
                    "volume_ratio": .number(ratio), "price_change_pct": .number(changePct),
                    "price": .number(newest.close),
                ],
                evidence: Evidence(
                    rule: "unusual_volume.multiplier", operator: "gt", threshold: settings.multiplier,
                    observed: ratio, windowSeconds: Int64(Self.meanBars) * newest.intervalSeconds))
        ]
    }
}
