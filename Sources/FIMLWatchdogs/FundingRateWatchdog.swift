import FIMLCore
import MarketData

/// Fires when holders of a perpetual future pay extreme funding.
///
/// Figure: mean over exchanges of the newest rate for eight hours, in percent. An exchange whose rate is
/// missing or stale is left out of the mean.
public struct FundingRateWatchdog: Watchdog {
    /// Its settings.
    public struct Configuration: Hashable, Sendable {
        /// `ENABLE_FUNDING_RATE_WATCHDOG`, `FUNDING_RATE_CHECK_INTERVAL`.
        public var schedule: WatchdogSchedule
        /// `FUNDING_RATE_THRESHOLD_PCT`: a larger mean rate either way fires.
        public var thresholdPct: Double

        /// FIML's defaults: each 5 minutes, above 0.1 %.
        public init(schedule: WatchdogSchedule = .init(intervalSeconds: 300), thresholdPct: Double = 0.1) {
            self.schedule = schedule
            self.thresholdPct = thresholdPct
        }
    }

    /// A larger mean rate either way is critical.
    static let criticalPct = 0.3
    /// What a rate is for.
    static let rateSeconds: Int64 = 28_800

    /// `funding_rate`.
    public let name = WatchdogName.fundingRate
    private let configuration: Configuration
    private let source: any FundingRateSource

    /// Watches all assets of `source`.
    public init(_ configuration: Configuration = .init(), source: any FundingRateSource) {
        self.configuration = configuration
        self.source = source
    }

    /// As configured.
    public var schedule: WatchdogSchedule { configuration.schedule }

    /// Judges all assets of the source, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        var outcome = CheckOutcome()
        for asset in source.fundingAssets {
            await outcome.add { judge(try await source.fundingRates(of: asset, at: moment), asset, moment) }
        }
        return try outcome.get()
    }

    private func judge(_ rates: [FundingRate], _ asset: Asset, _ moment: Timestamp) -> Judgement? {
        let fresh = rates.filter {
            !Staleness.isStale($0.knownAt, intervalSeconds: $0.intervalSeconds, at: moment)
                && $0.rate.isFinite
        }
        let mean = fresh.map(\.rate).reduce(0, +) / Double(fresh.count)
        let meanPct = mean * 100
        guard let newest = fresh.map(\.knownAt).max(), meanPct.isFinite else { return nil }
        var anomaly: Anomaly?
        if abs(meanPct) > configuration.thresholdPct {
            anomaly = Anomaly(
                type: .fundingSpike, severity: abs(meanPct) > Self.criticalPct ? .critical : .high,
                discriminator: mean < 0 ? "negative" : "positive")
        }
        return Judgement(
            assets: [asset], observedAt: newest, anomaly: anomaly,
            description:
                "\(asset.symbol) pays \(Figure.decimals(meanPct, count: 4, isSigned: true)) % funding "
                + "for eight hours on "
                + fresh.map(\.exchange).joined(separator: ", "),
            data: [
                "avg_funding_rate": .number(mean), "funding_rate_pct": .number(meanPct),
                "by_exchange": .object(
                    Dictionary(fresh.map { ($0.exchange, JSONValue.number($0.rate)) }) { first, _ in first }),
            ],
            evidence: Evidence(
                rule: "funding_rate.threshold_pct", operator: "gt", threshold: configuration.thresholdPct,
                observed: abs(meanPct), windowSeconds: Self.rateSeconds))
    }
}
