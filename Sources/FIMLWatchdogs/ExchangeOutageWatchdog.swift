import Configuration
import FIMLCore
import MarketData

/// Fires when an exchange does not answer, answers with an error, or answers slowly twice in a row.
///
/// No answer in time is critical, a status other than 200 high, and slower than 4 seconds medium; slow once
/// is noise. Its events are about the whole market. When none of several exchanges answers, the fault may lie
/// with the gateway's own network, and the event says so.
public struct ExchangeOutageWatchdog: Watchdog {
    /// An answer that takes longer is slow, in milliseconds.
    public static let slowMilliseconds = 4_000.0

    /// `exchange_outage`.
    public let name = WatchdogName.exchangeOutage
    private let settings: Settings.ExchangeOutage
    private let source: any ExchangeStatusSource

    /// Watches the exchanges that the settings name.
    public init(_ settings: Settings.ExchangeOutage, source: any ExchangeStatusSource) {
        self.settings = settings
        self.source = source
    }

    /// The exchanges.
    public var subjects: Set<String>? { Set(settings.exchanges) }

    /// As set.
    public var schedule: WatchdogSchedule {
        WatchdogSchedule(isEnabled: settings.isEnabled, interval: settings.checkInterval)
    }

    /// Judges all exchanges, as `Watchdog` says.
    public func check(at moment: Timestamp) async throws -> [Judgement] {
        let statuses = await source.exchangeStatuses(of: settings.exchanges, at: moment).joined()
        let histories = Dictionary(grouping: statuses, by: \.exchange).values
            .map { $0.chronological().suffix(2) }
            .filter { history in
                history.last.map {
                    !Freshness.isStale($0.observedAt, intervalSeconds: $0.intervalSeconds, at: moment)
                } ?? false
            }
        let isNoneThere = histories.count > 1 && histories.allSatisfy { $0.last?.statusCode == nil }
        return histories.compactMap { judgement($0, isNoneThere: isNoneThere) }
            .sorted { $0.subject < $1.subject }
    }

    private func judgement(_ history: ArraySlice<ExchangeStatus>, isNoneThere: Bool) -> Judgement? {
        guard let newest = history.last else { return nil }
        let wrong = fault(of: newest, after: history.dropLast().last)
        let isSlow = wrong?.severity == .medium
        let isAnswered = newest.statusCode == 200
        var description = "\(newest.exchange) \(wrong?.saying ?? "answers")"
        if isNoneThere {
            description += "; none of the exchanges answers, so the gateway's own network may be at fault"
        }
        return Judgement(
            subject: newest.exchange, assets: [], observedAt: newest.observedAt,
            anomaly: wrong.map {
                Anomaly(type: .exchangeOutage, severity: $0.severity)
            },
            description: description,
            data: [
                "exchange": .string(newest.exchange),
                "status_code": newest.statusCode.map { .integer(Int64($0)) } ?? .null,
                "response_time_ms": .number(newest.responseMilliseconds),
                "error": (newest.error ?? (isSlow ? nil : wrong?.saying)).map(JSONValue.string) ?? .null,
            ],
            evidence: isAnswered
                ? Evidence(
                    rule: "exchange_outage.slow_ms", operator: "gt", threshold: Self.slowMilliseconds,
                    observed: newest.responseMilliseconds)
                // 0 where there was no answer.
                : Evidence(
                    rule: "exchange_outage.status_code", operator: "neq", threshold: 200,
                    observed: Double(newest.statusCode ?? 0)))
    }

    private func fault(
        of newest: ExchangeStatus, after previous: ExchangeStatus?
    ) -> (severity: Severity, saying: String)? {
        guard let code = newest.statusCode else { return (.critical, "does not answer") }
        if code != 200 { return (.high, "answers with status \(code)") }
        guard newest.responseMilliseconds > Self.slowMilliseconds, let previous,
            previous.responseMilliseconds > Self.slowMilliseconds,
            !Freshness.isStale(
                previous.observedAt,
                intervalSeconds: max(newest.intervalSeconds, schedule.intervalSeconds),
                at: newest.observedAt)
        else { return nil }
        return (
            .medium,
            "answered slowly twice in a row, last in "
                + "\(Figure.decimals(newest.responseMilliseconds / 1_000)) seconds"
        )
    }
}
