import FIMLCore

/// Tells when a watchdog is not well: at once as a change of its status, and as an event that has a beginning,
/// a severity that grows with time, and an end.
///
/// An unhealthy watchdog is an event as soon as it is seen, a stale one when it has been stale for
/// `staleGrace`: a market pauses more often than a provider fails. A degraded one is none: its next check may
/// go well. Times are real ones.
struct HealthAlarm: Sendable {
    /// From one status to another.
    struct Change: Hashable, Sendable {
        let watchdog: WatchdogName
        let from: WatchdogStatus
        let to: WatchdogStatus
        let reason: String
    }

    /// How long a watchdog may be stale before it is an event, in seconds.
    static let staleGrace: Int64 = 300
    /// From when on it is of high severity, in seconds.
    static let highAfter: Int64 = 900
    /// From when on it is critical, in seconds.
    static let criticalAfter: Int64 = 3_600

    private struct Seen {
        var status: WatchdogStatus
        var unwellSince: Timestamp?
        var events: EventStream
    }

    private var seen: [WatchdogName: Seen] = [:]

    /// What is to be told of the watchdogs as they are at `moment`, a real time.
    mutating func look(
        at watchdogs: [WatchdogMetrics], moment: Timestamp
    ) -> (changes: [Change], events: [WatchdogEvent]) {
        var changes: [Change] = []
        var events: [WatchdogEvent] = []
        for watchdog in watchdogs {
            var one =
                seen[watchdog.name]
                ?? Seen(status: watchdog.status, events: EventStream(watchdog: watchdog.name))
            if one.status != watchdog.status {
                changes.append(
                    Change(
                        watchdog: watchdog.name, from: one.status, to: watchdog.status,
                        reason: watchdog.reason))
                one.status = watchdog.status
            }
            let isUnwell = watchdog.status == .stale || watchdog.status == .unhealthy
            one.unwellSince = isUnwell ? one.unwellSince ?? moment : nil
            events += one.events.apply([Self.judgement(watchdog, one.unwellSince, moment)], at: moment)
            seen[watchdog.name] = one
        }
        return (changes, events)
    }

    private static func judgement(
        _ watchdog: WatchdogMetrics, _ unwellSince: Timestamp?, _ moment: Timestamp
    ) -> Judgement {
        let seconds = unwellSince.map { max(0, (moment.milliseconds - $0.milliseconds) / 1_000) } ?? 0
        let grace = watchdog.status == .stale ? staleGrace : 0
        var anomaly: Anomaly?
        if unwellSince != nil, seconds >= grace {
            anomaly = Anomaly(
                type: .watchdogHealth,
                severity: seconds >= criticalAfter ? .critical : seconds >= highAfter ? .high : .medium)
        }
        return Judgement(
            subject: "watchdog", assets: [], observedAt: moment, anomaly: anomaly,
            description: "\(watchdog.name.rawValue) is \(watchdog.status.rawValue): \(watchdog.reason)",
            data: [
                "status": .string(watchdog.status.rawValue), "unwell_seconds": .integer(seconds),
                "consecutive_failures": .integer(Int64(watchdog.consecutiveFailures)),
                "last_error": watchdog.lastError.map { .string($0) } ?? .null,
            ],
            evidence: Evidence(
                rule: "watchdog_health.unwell_seconds", operator: "gte", threshold: Double(grace),
                observed: Double(seconds)))
    }
}

extension WatchdogMetrics {
    /// Why it has its status, in a few words.
    var reason: String {
        switch status {
        case .healthy: "its last check went well"
        case .disabled: "it is switched off"
        case .degraded, .unhealthy: lastError ?? "its last check failed"
        case .stale:
            judgedInLastCheck == 0 && checksPerformed > 0
                ? "its last check found nothing fresh to judge"
                : "no check has ended for \(Int64(secondsSinceLastCheck)) s"
        }
    }
}
