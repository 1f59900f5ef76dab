import Configuration
import FIMLCore
import MarketData

/// Fires when a company earned far more or less than analysts had expected.
///
/// Figure: the surprise, (actual − estimate) / |estimate|, in percent, of the newest report. A report without
/// an estimate, or with one of 0, is not judged. A surprise is current until the next report, and no longer
/// than until the next quarter ends; then it is judged as over. Each quarter's surprise is a condition of its
/// own.
public struct EarningsAnomalyWatchdog: Watchdog {
    /// A larger surprise either way is high; what fires below is medium.
    public static let highPct = 20.0
    /// So long after a quarter's end its surprise is current: the shortest quarter has 90 days, and a report
    /// of which only the quarter is known counts as of the quarter's end, which must be later than this.
    static let currentDays: Int64 = 89
    /// An older newest report means that none came any more: it is not judged.
    static let staleDays: Int64 = 200
    /// A report that comes late is current for at least so long.
    static let newsDays: Int64 = 7

    /// `earnings_anomaly`.
    public let name = WatchdogName.earningsAnomaly
    private let settings: Settings.EarningsAnomaly
    private let assets: [Asset]
    private let source: any EarningsSource

    /// Watches the companies `assets`.
    public init(_ settings: Settings.EarningsAnomaly, assets: [Asset], source: any EarningsSource) {
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

    /// Judges all companies, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        try await source.earnings(of: assets, at: moment).judgements { asset, report in
            report.map { judge($0, asset, moment) } ?? []
        }
    }

    private func judge(_ report: EarningsReport, _ asset: Asset, _ moment: Timestamp) -> [Judgement] {
        let knownAt = report.reportedAt ?? report.quarterEnd
        guard report.isPlausible, knownAt <= moment,
            moment < knownAt.adding(seconds: Self.staleDays * 86_400), let estimate = report.estimatedEPS,
            estimate != 0
        else { return [] }
        let surprisePct = (report.actualEPS - estimate) / abs(estimate) * 100
        guard surprisePct.isFinite else { return [] }
        let currentUntil = max(
            report.quarterEnd.adding(seconds: Self.currentDays * 86_400),
            knownAt.adding(seconds: Self.newsDays * 86_400))
        let isCurrent = moment < currentUntil
        var anomaly: Anomaly?
        if isCurrent && abs(surprisePct) > settings.thresholdPct {
            anomaly = Anomaly(
                type: .earningsAnomaly, severity: abs(surprisePct) > Self.highPct ? .high : .medium)
        }
        return [
            Judgement(
                subject: asset.symbol, assets: [asset],
                // That it is over is news as well, and newer than the report.
                observedAt: isCurrent ? knownAt : currentUntil, anomaly: anomaly,
                discriminator: report.quarterEnd.day,
                description:
                    "\(asset.symbol) earned \(Figure.decimals(report.actualEPS)) a share in the quarter to "
                    + "\(report.quarterEnd.day), \(Figure.decimals(surprisePct, isSigned: true)) % against "
                    + "the estimate",
                data: [
                    "actual_eps": .number(report.actualEPS), "estimated_eps": .number(estimate),
                    "surprise_pct": .number(surprisePct),
                    "report_date": report.reportedAt.map { .string($0.day) } ?? .null,
                    "quarter_end": .string(report.quarterEnd.day),
                    "revenue": JSONValue(finite: report.revenue),
                    "revenue_estimate": JSONValue(finite: report.revenueEstimate),
                ],
                evidence: Evidence(
                    rule: "earnings_anomaly.threshold_pct", operator: "gt", threshold: settings.thresholdPct,
                    // Nothing is current any more, however large it was: not near the threshold either.
                    observed: isCurrent ? abs(surprisePct) : 0))
        ]
    }
}

extension JSONValue {
    /// A number; null where there is none, or none that JSON can write.
    fileprivate init(finite value: Double?) {
        self = value.flatMap { $0.isFinite ? .number($0) : nil } ?? .null
    }
}

extension Timestamp {
    /// `2026-11-24`, the day in UTC.
    fileprivate var day: String { String(rfc3339.prefix(10)) }
}
