import FIMLCore
import MarketData

/// Fires when a price moves far within the window.
///
/// Figure: percent from the close exactly one window ago to the newest close; without a bar that closed then
/// (a gap) the asset is not judged. Bars longer than the window, such as daily ones, are judged from bar to
/// bar, whatever lies between them, and `time_window_seconds` says how much that was.
public struct PriceAnomalyWatchdog: Watchdog {
    /// Its settings.
    public struct Configuration: Hashable, Sendable {
        /// `ENABLE_PRICE_ANOMALY_WATCHDOG`, `PRICE_ANOMALY_CHECK_INTERVAL`.
        public var schedule: WatchdogSchedule
        /// `PRICE_ANOMALY_THRESHOLD_PCT`: a larger move either way fires.
        public var thresholdPct: Double
        /// `PRICE_ANOMALY_WINDOW_SECONDS`; kept within one second and one year.
        public var windowSeconds: Int64

        /// FIML's defaults: each 30 seconds, above 5 % in 60 seconds.
        public init(
            schedule: WatchdogSchedule = .init(intervalSeconds: 30), thresholdPct: Double = 5,
            windowSeconds: Int64 = 60
        ) {
            self.schedule = schedule
            self.thresholdPct = thresholdPct
            self.windowSeconds = min(max(1, windowSeconds), 31_536_000)
        }
    }

    /// A larger move either way is critical; a larger fall is a flash crash.
    static let criticalPct = 10.0

    /// `price_anomaly`.
    public let name = WatchdogName.priceAnomaly
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
            await outcome.add { try await judge(asset, moment) }
        }
        return try outcome.get()
    }

    private func judge(_ asset: Asset, _ moment: Timestamp) async throws -> Judgement? {
        let newestTwo = try await source.bars(of: asset, closedBy: moment, limit: 2)
        guard let newest = newestTwo.last,
            !Staleness.isStale(newest.closesAt, intervalSeconds: newest.intervalSeconds, at: moment)
        else { return nil }
        let past: Bar?
        if newest.intervalSeconds > configuration.windowSeconds {
            past = newestTwo.count == 2 ? newestTwo.first : nil
        } else {
            let windowStart = newest.closesAt.milliseconds - configuration.windowSeconds * 1_000
            past = try await source.bar(of: asset, closedAt: Timestamp(milliseconds: windowStart))
        }
        return past.flatMap { judgement(asset, from: $0, to: newest) }
    }

    private func judgement(_ asset: Asset, from past: Bar, to newest: Bar) -> Judgement? {
        let changePct = (newest.close - past.close) / past.close * 100
        guard past.close > 0, changePct.isFinite else { return nil }
        let windowSeconds = (newest.closesAt.milliseconds - past.closesAt.milliseconds) / 1_000
        var evidence = Evidence(
            rule: "price_anomaly.threshold_pct", operator: "gt", threshold: configuration.thresholdPct,
            observed: abs(changePct), windowSeconds: windowSeconds)
        var anomaly: Anomaly?
        if abs(changePct) > configuration.thresholdPct {
            let isCritical = abs(changePct) > Self.criticalPct
            let isCrash = changePct < -Self.criticalPct
            anomaly = Anomaly(
                type: isCrash ? .flashCrash : .priceAnomaly, severity: isCritical ? .critical : .high,
                discriminator: changePct < 0 ? "down" : "up")
            if isCrash {
                evidence.rule = "price_anomaly.flash_crash_pct"
                evidence.operator = "lt"
                evidence.threshold = -Self.criticalPct
                evidence.observed = changePct
            }
        }
        return Judgement(
            assets: [asset], observedAt: newest.closesAt, anomaly: anomaly,
            description:
                "\(asset.symbol) moved \(Figure.decimals(changePct, isSigned: true)) % "
                + "in \(Figure.span(seconds: windowSeconds))",
            data: [
                "current_price": .number(newest.close), "past_price": .number(past.close),
                "change_pct": .number(changePct), "time_window_seconds": .integer(windowSeconds),
            ],
            evidence: evidence)
    }
}
