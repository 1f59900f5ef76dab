import FIMLCore

/// How a watchdog is doing.
public enum WatchdogStatus: String, CaseIterable, Sendable {
    /// Its last check went well and judged something.
    case healthy
    /// Its last check failed.
    case degraded
    /// Its last checks failed, as many as `WATCHDOG_CONSECUTIVE_FAILURE_THRESHOLD` says or more.
    case unhealthy
    /// It could not fire: for too long no check has found anything fresh to judge.
    case stale
    /// It is switched off.
    case disabled
}

/// One watchdog's figures, by FIML's names. Times of `lastCheck` and `lastEvent` are the market's.
public struct WatchdogMetrics: Hashable, Sendable {
    /// Whose they are.
    public let name: WatchdogName
    /// How it is doing.
    public internal(set) var status: WatchdogStatus
    /// Whether it waits here to be taken, and another node runs it. Then it is `stale` here, or `disabled`,
    /// and the figures are of the time in which it ran here; see `WatchdogHealthSummary.merged`.
    public internal(set) var isStandingBy = false
    /// Checks that were made, failed ones included.
    public internal(set) var checksPerformed = 0
    /// Checks that failed.
    public internal(set) var checksFailed = 0
    /// Checks that were due and left out, since earlier ones took too long.
    public internal(set) var checksSkipped = 0
    /// Failures since the last check that went well.
    public internal(set) var consecutiveFailures = 0
    /// Events that it gave rise to and that were taken, with `resolved` ones.
    public internal(set) var eventsEmitted = 0
    /// Conditions that began or rose, by their severity; `resolved` events do not count.
    public internal(set) var eventsBySeverity: [Severity: Int] = [:]
    /// Conditions that began or rose, by the type of their events.
    public internal(set) var eventsByType: [EventType: Int] = [:]
    /// When it was last checked.
    public internal(set) var lastCheck: Timestamp?
    /// When it last gave rise to an event.
    public internal(set) var lastEvent: Timestamp?
    /// Why its last failed check failed.
    public internal(set) var lastError: String?
    /// The shortest check, in seconds.
    public internal(set) var minCheckSeconds: Double?
    /// The longest check, in seconds.
    public internal(set) var maxCheckSeconds: Double?
    /// The mean check, in seconds.
    public internal(set) var avgCheckSeconds: Double?
    /// How many assets, or groups of them, the last check judged.
    public internal(set) var judgedInLastCheck = 0
    /// From when the newest figures are that were judged.
    public internal(set) var lastInput: Timestamp?
    /// Real seconds since its last check ended, or since it was started.
    public internal(set) var secondsSinceLastCheck: Double = 0
    /// Real seconds since a check last judged something, or found that nothing is to be expected, as of
    /// shares at night; since it was started where none has.
    public internal(set) var secondsSinceLastInput: Double = 0
    /// Without input for so many seconds it is an alarm.
    var alarmAfterSeconds: Double = 300
    /// Whether anything was judged since it was started.
    public internal(set) var hasJudged = false
    /// Real seconds since it was started.
    public internal(set) var uptimeSeconds: Double = 0

    /// What is kept of an error's text.
    static let errorCharacters = 200

    init(name: WatchdogName, status: WatchdogStatus) {
        self.name = name
        self.status = status
    }

    /// Conditions that began or rose.
    public var detections: Int { eventsBySeverity.values.reduce(0, +) }

    /// The part of the checks that went well, 0…1; 1 before the first.
    public var successRate: Double {
        checksPerformed == 0 ? 1 : Double(checksPerformed - checksFailed) / Double(checksPerformed)
    }

    /// Detections a check; 0 before the first.
    public var detectionRate: Double {
        checksPerformed == 0 ? 0 : Double(detections) / Double(checksPerformed)
    }

    /// Counts a check that took `seconds`; `judgements` is nil when it failed with `error`.
    mutating func count(
        checkAt moment: Timestamp, seconds: Double, judgements: [Judgement]?, error: String?
    ) {
        checksPerformed += 1
        lastCheck = moment
        minCheckSeconds = min(minCheckSeconds ?? seconds, seconds)
        maxCheckSeconds = max(maxCheckSeconds ?? seconds, seconds)
        let before = avgCheckSeconds ?? 0
        avgCheckSeconds = before + (seconds - before) / Double(checksPerformed)
        judgedInLastCheck = judgements?.count ?? 0
        lastInput = judgements?.map(\.observedAt).max().map { max($0, lastInput ?? $0) } ?? lastInput
        if judgements == nil {
            checksFailed += 1
            consecutiveFailures += 1
            lastError = error.map { String($0.prefix(Self.errorCharacters)) }
        } else {
            consecutiveFailures = 0
        }
    }

    /// Counts events that were taken, also those that no check gave rise to.
    mutating func count(_ events: [WatchdogEvent]) {
        eventsEmitted += events.count
        lastEvent = events.last?.timestamp ?? lastEvent
        for event in events where event.isDetection {
            eventsBySeverity[event.severity, default: 0] += 1
            eventsByType[event.type, default: 0] += 1
        }
    }

    /// The status that the figures give, `sinceLastInput` being the real time since something was judged or
    /// since the start.
    func status(isEnabled: Bool, failureThreshold: Int, sinceLastInput: Duration, staleAfter: Duration)
        -> WatchdogStatus
    {
        if !isEnabled { return .disabled }
        if consecutiveFailures >= max(1, failureThreshold) { return .unhealthy }
        if consecutiveFailures > 0 { return .degraded }
        return !hasJudged || sinceLastInput > staleAfter ? .stale : .healthy
    }
}

extension WatchdogEvent {
    /// Whether a condition began or rose, and did not only go on or end.
    var isDetection: Bool {
        status == .firing || status == .updated && metadata["reason"] == .string("severity_rose")
    }
}
