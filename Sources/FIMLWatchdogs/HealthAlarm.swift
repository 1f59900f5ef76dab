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

    /// Whether a stale watchdog is an alarm: not of a recording, which has no figures for most of its time.
    let tellsStale: Bool
    private var status: WatchdogStatus?
    private var unwellSince: Timestamp?
    private var events: EventStream

    /// An alarm of the watchdog `name` that has told `conditions` already.
    init(of name: WatchdogName, tellsStale: Bool = true, conditions: [Condition] = []) {
        self.tellsStale = tellsStale
        events = EventStream(watchdog: name, conditions: conditions)
        guard let condition = conditions.first else { return }
        (status, unwellSince) = (.unhealthy, condition.event.startsAt)
    }

    /// What fires.
    var conditions: [Condition] { events.conditions }

    /// What is to be told of the watchdog as it is at `moment`, a real time.
    mutating func look(
        at watchdog: WatchdogMetrics, moment: Timestamp
    ) -> (change: Change?, events: [WatchdogEvent]) {
        let before = status ?? watchdog.status
        status = watchdog.status
        unwellSince = isAlarming(watchdog) ? unwellSince ?? moment : nil
        let newEvents = events.apply([Self.judgement(watchdog, unwellSince, moment)], at: moment)
        guard before != watchdog.status else { return (nil, newEvents) }
        let change = Change(
            watchdog: watchdog.name, from: before, to: watchdog.status, reason: watchdog.reason)
        return (change, newEvents)
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
