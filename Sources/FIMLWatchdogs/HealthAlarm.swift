import FIMLCore

/// Tells when a watchdog is not well: as a change of its status, and as an event that has a beginning, a
/// severity that grows with time, and an end.
///
/// An unhealthy watchdog is an event as soon as it is seen; a stale one where it should have had input, and
/// not while it warms up. A degraded one is none: its next check may go well. Times are real ones that only
/// grow.
struct HealthAlarm: Sendable {
    /// From one status to another.
    struct Change: Hashable, Sendable {
        let watchdog: WatchdogName
        let from: WatchdogStatus
        let to: WatchdogStatus
        let reason: String
    }

    /// From when on it is of high severity, in seconds.
    static let highAfter: Int64 = 900
    /// From when on it is critical, in seconds.
    static let criticalAfter: Int64 = 3_600

    private struct Seen {
        var status: WatchdogStatus
        var unwellSince: Timestamp?
        var events: EventStream
    }

    /// Whether a stale watchdog is an alarm: not of a recording, which has no figures for most of its time.
    let tellsStale: Bool
    private var seen: [WatchdogName: Seen] = [:]

    /// An alarm that has told `conditions` already.
    init(tellsStale: Bool = true, conditions: [Condition] = []) {
        self.tellsStale = tellsStale
        for condition in conditions {
            seen[condition.event.watchdog] = Seen(
                status: .unhealthy, unwellSince: condition.event.startsAt,
                events: EventStream(watchdog: condition.event.watchdog, conditions: [condition]))
        }
    }

    /// What fires, for a file that outlives the process.
    var conditions: [Condition] { seen.values.flatMap(\.events.conditions) }

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
            one.unwellSince = isAlarming(watchdog) ? one.unwellSince ?? moment : nil
            events += one.events.apply([Self.judgement(watchdog, one.unwellSince, moment)], at: moment)
            seen[watchdog.name] = one
        }
        return (changes, events)
    }

    private func isAlarming(_ watchdog: WatchdogMetrics) -> Bool {
        switch watchdog.status {
        case .unhealthy: true
        case .stale: tellsStale && watchdog.secondsSinceLastInput >= watchdog.alarmAfterSeconds
        case .healthy, .degraded, .disabled: false
        }
    }

    private static func judgement(
        _ watchdog: WatchdogMetrics, _ unwellSince: Timestamp?, _ moment: Timestamp
    ) -> Judgement {
        let seconds = unwellSince.map { max(0, (moment.milliseconds - $0.milliseconds) / 1_000) } ?? 0
        let anomaly = unwellSince.map { _ in
            Anomaly(
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
                rule: "watchdog_health.unwell_seconds", operator: "gte", threshold: 0,
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
            checksPerformed == 0
                ? "no check has ended yet"
                : "nothing fresh to judge for \(Int64(secondsSinceLastInput)) s"
        }
    }
}
