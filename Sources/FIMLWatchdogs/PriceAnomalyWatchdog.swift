import Configuration
import FIMLCore
import MarketData

/// Fires when a price moves far within the window.
///
/// Figure: percent from the quote one window ago to the newest quote. The quote one window ago is the nearest
/// to that moment, of two equally near the older, and at most half a window off: across a gap, as a missing
/// minute is one, a price is not judged. Quotes that come less often than once a window, such as daily
/// closes, are judged from one to the next, whatever lies between them. `time_window_seconds` says how much
/// it was.
public struct PriceAnomalyWatchdog: Watchdog {
    /// A larger move either way is critical, what fires below is high; a larger fall is a flash crash.
    public static let criticalPct = 10.0

    /// `price_anomaly`.
    public let name = WatchdogName.priceAnomaly
    private let settings: Settings.PriceAnomaly
    private let assets: [Asset]
    private let source: any QuoteSource

    /// Watches `assets`.
    public init(_ settings: Settings.PriceAnomaly, assets: [Asset], source: any QuoteSource) {
        self.settings = settings
        self.assets = assets
        self.source = source
    }

    /// The symbols of its assets.
    public var subjects: Set<String>? { Set(assets.map(\.symbol)) }

    /// Of shares alone only while they trade: on weekdays from 14:30 to 20:00 UTC, which lies within New
    /// York's session in summer and in winter. Holidays are not known.
    public func expectsFigures(at moment: Timestamp) -> Bool {
        guard assets.allSatisfy({ [.equity, .etf].contains($0.assetType) }) else { return true }
        let (day, second) = (moment.milliseconds / 1_000).quotientAndRemainder(dividingBy: 86_400)
        // 1970-01-01 was a Thursday.
        let isWeekday = (day + 3) % 7 < 5
        return isWeekday && (52_200..<72_000).contains(second)
    }

    /// As set.
    public var schedule: WatchdogSchedule {
        WatchdogSchedule(isEnabled: settings.isEnabled, interval: settings.checkInterval)
    }

    /// Judges all assets, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        let answers = await source.quotes(
            of: assets, at: moment, covering: windowSeconds + (windowSeconds + 1) / 2)
        return try answers.judgements { asset, quotes in judge(quotes, asset, moment) }
    }

    /// One second to one year.
    private var windowSeconds: Int64 { min(max(1, settings.window.components.seconds), 31_536_000) }

    private func judge(_ quotes: [Quote], _ asset: Asset, _ moment: Timestamp) -> [Judgement] {
        let quotes = quotes.chronological()
        guard let newest = quotes.last,
            !Freshness.isStale(newest.observedAt, intervalSeconds: newest.intervalSeconds, at: moment),
            let past = past(of: newest, in: quotes.dropLast())
        else { return [] }
        let changePct = (newest.price - past.price) / past.price * 100
        guard changePct.isFinite else { return [] }
        return [judgement(asset, from: past, to: newest, changePct)]
    }

    /// The quote that `newest` is compared with.
    private func past(of newest: Quote, in before: ArraySlice<Quote>) -> Quote? {
        if newest.intervalSeconds > windowSeconds { return before.last }
        let start = newest.observedAt.milliseconds - windowSeconds * 1_000
        func distance(_ quote: Quote) -> Int64 { abs(quote.observedAt.milliseconds - start) }
        return before.min { distance($0) < distance($1) }.flatMap {
            distance($0) <= windowSeconds * 500 ? $0 : nil
        }
    }

    private func judgement(
        _ asset: Asset, from past: Quote, to newest: Quote, _ changePct: Double
    ) -> Judgement {
        let spanSeconds = (newest.observedAt.milliseconds - past.observedAt.milliseconds + 500) / 1_000
        var evidence = Evidence(
            rule: "price_anomaly.threshold_pct", operator: "gt", threshold: settings.thresholdPct,
            observed: abs(changePct), windowSeconds: spanSeconds)
        var anomaly: Anomaly?
        if abs(changePct) > settings.thresholdPct {
            let isCrash = changePct < -Self.criticalPct
            anomaly = Anomaly(
                type: isCrash ? .flashCrash : .priceAnomaly,
                severity: abs(changePct) > Self.criticalPct ? .critical : .high)
            if isCrash {
                evidence.rule = "price_anomaly.flash_crash_pct"
                evidence.operator = "lt"
                evidence.threshold = -Self.criticalPct
                evidence.observed = changePct
            }
        }
        return Judgement(
            subject: asset.symbol, assets: [asset], observedAt: newest.observedAt, anomaly: anomaly,
            discriminator: changePct < 0 ? "down" : "up",
            description:
                "\(asset.symbol) moved \(Figure.decimals(changePct, isSigned: true)) % "
                + "in \(Figure.span(seconds: spanSeconds))",
            data: [
                "current_price": .number(newest.price), "past_price": .number(past.price),
                "change_pct": .number(changePct), "time_window_seconds": .integer(spanSeconds),
            ],
            evidence: evidence)
    }
}
