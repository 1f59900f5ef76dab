import Configuration
import FIMLCore
import MarketData

/// Fires when two assets have moved together otherwise in the last week than in the last quarter.
///
/// Figure: how far Pearson's correlation of the last 7 daily returns lies from that of the last 90. Closes
/// are joined on equal days, so that Bitcoin's weekends drop against a stock that rests then; a bar belongs
/// to the day, in UTC, on which it opens; returns are simple, from one joint day to the next. A pair with
/// fewer returns, or with an asset whose price did not move, is not judged.
///
/// Closes are taken as the source gives them; one that does not adjust for splits shows a split as a return.
public struct CorrelationBreakdownWatchdog: Watchdog {
    /// How many returns make the recent correlation.
    public static let recentReturns = 7
    /// How many returns make the historical correlation, the recent ones among them.
    public static let historicalReturns = 90
    /// A larger change is high; what fires below is medium.
    public static let highChange = 0.7
    /// How many bars are asked for: 91 joint days of an asset that rests on weekends and holidays are about
    /// 135 days of one that never rests.
    static let barLimit = 180

    /// `correlation_breakdown`.
    public let name = WatchdogName.correlationBreakdown
    private let settings: Settings.CorrelationBreakdown
    private let pairs: [AssetPair]
    private let assets: [Asset]
    private let source: any BarSource

    /// Watches `pairs`.
    public init(_ settings: Settings.CorrelationBreakdown, pairs: [AssetPair], source: any BarSource) {
        self.settings = settings
        self.pairs = pairs
        self.source = source
        var seen: Set<Asset> = []
        assets = pairs.flatMap { [$0.first, $0.second] }.filter { seen.insert($0).inserted }
    }

    /// The pairs, `BTC/SPY`.
    public var subjects: Set<String>? { Set(pairs.map(Self.subject)) }

    /// As set.
    public var schedule: WatchdogSchedule {
        WatchdogSchedule(isEnabled: settings.isEnabled, interval: settings.checkInterval)
    }

    private static func subject(_ pair: AssetPair) -> String {
        "\(pair.first.symbol)/\(pair.second.symbol)"
    }

    /// Judges all pairs, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        let answers = await source.bars(
            of: assets, closedBy: moment, limit: Self.barLimit, unfinished: false)
        var closes: [Asset: DailyCloses] = [:]
        var firstFailure: MarketDataError?
        for answer in answers {
            switch answer.result {
            case .success(let bars): closes[answer.asset] = DailyCloses(bars, by: moment)
            case .failure(let error): firstFailure = firstFailure ?? error
            }
        }
        let judgements = pairs.compactMap { pair -> Judgement? in
            guard let first = closes[pair.first], let second = closes[pair.second] else { return nil }
            return judge(pair, first, second, moment)
        }
        if judgements.isEmpty, let firstFailure { throw firstFailure }
        return judgements
    }

    private func judge(
        _ pair: AssetPair, _ first: DailyCloses, _ second: DailyCloses, _ moment: Timestamp
    ) -> Judgement? {
        guard let joint = first.joined(with: second, returns: Self.historicalReturns),
            !Freshness.isStale(joint.closedAt, intervalSeconds: joint.intervalSeconds, at: moment),
            let recent = Correlation.pearson(
                joint.first.suffix(Self.recentReturns), joint.second.suffix(Self.recentReturns)),
            let historical = Correlation.pearson(joint.first[...], joint.second[...])
        else { return nil }
        let change = abs(recent - historical)
        var anomaly: Anomaly?
        if change > settings.threshold {
            anomaly = Anomaly(type: .correlationBreak, severity: change > Self.highChange ? .high : .medium)
        }
        return Judgement(
            subject: Self.subject(pair), assets: [pair.first, pair.second],
            observedAt: joint.closedAt, anomaly: anomaly,
            description: "\(pair.first.symbol) and \(pair.second.symbol) correlate at "
                + "\(Figure.decimals(recent, isSigned: true)) over \(Self.recentReturns) days, at "
                + "\(Figure.decimals(historical, isSigned: true)) over \(Self.historicalReturns)",
            data: [
                "asset1": .string(pair.first.symbol), "asset2": .string(pair.second.symbol),
                "recent_corr": .number(recent), "hist_corr": .number(historical), "change": .number(change),
            ],
            evidence: Evidence(
                rule: "correlation_breakdown.threshold", operator: "gt", threshold: settings.threshold,
                observed: change, windowSeconds: Int64(Self.historicalReturns) * 86_400))
    }
}

/// Two assets whose prices are compared.
public struct AssetPair: Hashable, Sendable {
    /// The one named first; the `asset` of the events.
    public var first: Asset
    /// The other.
    public var second: Asset

    /// A pair of assets.
    public init(_ first: Asset, _ second: Asset) {
        self.first = first
        self.second = second
    }
}
