import Configuration
import FIMLCore
import MarketData

/// Fires when holders of a perpetual future pay extreme funding.
///
/// Figure: mean over exchanges of the newest rate for eight hours, in percent. An exchange whose rate is
/// missing or stale is left out of the mean, never counted as zero.
public struct FundingRateWatchdog: Watchdog {
    /// A larger mean rate either way is critical; what fires below is high.
    public static let criticalPct = 0.3
    /// What a rate is for.
    static let rateSeconds: Int64 = 28_800

    /// `funding_rate`.
    public let name = WatchdogName.fundingRate
    private let settings: Settings.FundingRate
    private let assets: [Asset]
    private let source: any FundingRateSource

    /// Watches `assets`.
    public init(_ settings: Settings.FundingRate, assets: [Asset], source: any FundingRateSource) {
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
        try await source.fundingRates(of: assets, at: moment).judgements { asset, rates in
            judge(rates, asset, moment)
        }
    }

    private func judge(_ rates: [FundingRate], _ asset: Asset, _ moment: Timestamp) -> [Judgement] {
        let fresh = rates.filter {
            $0.isPlausible && !Freshness.isStale($0.knownAt, intervalSeconds: $0.intervalSeconds, at: moment)
        }
        let newestOfEach = Dictionary(fresh.map { ($0.exchange, $0) }) { $1.knownAt > $0.knownAt ? $1 : $0 }
            .values.sorted { $0.exchange < $1.exchange }
        let mean = newestOfEach.map(\.rate).reduce(0, +) / Double(newestOfEach.count)
        let meanPct = mean * 100
        guard let observedAt = newestOfEach.map(\.knownAt).max(), meanPct.isFinite else { return [] }
        var anomaly: Anomaly?
        if abs(meanPct) > settings.thresholdPct {
            anomaly = Anomaly(
                type: .fundingSpike, severity: abs(meanPct) > Self.criticalPct ? .critical : .high)
        }
        return [
            Judgement(
                subject: asset.symbol, assets: [asset], observedAt: observedAt, anomaly: anomaly,
                discriminator: mean < 0 ? "negative" : "positive",
                description:
                    "\(asset.symbol) pays \(Figure.decimals(meanPct, count: 4, isSigned: true)) % funding "
                    + "for eight hours on " + newestOfEach.map(\.exchange).joined(separator: ", "),
                data: [
                    "avg_funding_rate": .number(mean), "funding_rate_pct": .number(meanPct),
                    "by_exchange": .object(
                        Dictionary(newestOfEach.map { ($0.exchange, .number($0.rate)) }) { first, _ in first }
                    ),
                ],
                evidence: Evidence(
                    rule: "funding_rate.threshold_pct", operator: "gt", threshold: settings.thresholdPct,
                    observed: abs(meanPct), windowSeconds: Self.rateSeconds))
        ]
    }
}
