import FIMLCore
import FoundationEssentials

/// Turns one watchdog's judgements into events with a beginning and an end.
///
///     state    | as it should be         | anomaly, same condition              | another condition
///     ---------+-------------------------+--------------------------------------+------------------
///     quiet    | —                       | firing                               | firing
///     firing   | resolved; nothing while | updated if the severity rises, or    | resolved, firing
///              | near the threshold, or  | it was last told long ago            |
///              | not calm for long if it |                                      |
///              | flaps                   |                                      |
///
/// A judgement that is not newer than the last one about its subject is passed over, so a bar that is judged
/// twice changes nothing. A condition is told apart by its fingerprint; its severity is the highest that was
/// told. What happens once (`Judgement.endsAfterSeconds`) fires and ends by itself.
struct EventStream: Sendable {
    /// How many subjects are remembered. Where there are more, the one that was judged longest ago is
    /// forgotten, and its condition ends.
    static let maxSubjects = 20_000
    /// How many conditions fire at once. Where there are more, those that began first end, so that what must
    /// be kept of them is bounded.
    static let maxConditions = 2_000

    private struct Subject {
        var observedAt: Timestamp
        /// At which moment it was judged last, be it by old figures; nil for what was restored, until the
        /// first check.
        var judgedAt: Timestamp?
        var condition: Condition?
        /// When its last conditions began, at most as many as make it flap.
        var begins: [Timestamp] = []
    }

    private let watchdog: WatchdogName
    private let lifeCycle: LifeCycle
    private let makeEventID: @Sendable () -> String
    private var subjects: [String: Subject] = [:]

    /// A stream in which `conditions` have been told already.
    init(
        watchdog: WatchdogName, lifeCycle: LifeCycle = LifeCycle(), conditions: [Condition] = [],
        makeEventID: @escaping @Sendable () -> String = WatchdogEvent.newID
    ) {
        self.watchdog = watchdog
        self.lifeCycle = lifeCycle
        self.makeEventID = makeEventID
        for condition in conditions {
            subjects[condition.subject] = Subject(
                observedAt: condition.observedAt, judgedAt: nil, condition: condition,
                begins: [condition.event.startsAt])
        }
    }

    /// What fires, ordered by fingerprint.
    var conditions: [Condition] {
        subjects.values.compactMap(\.condition).sorted { $0.event.fingerprint < $1.event.fingerprint }
    }

    /// The events that a check at `moment` gives rise to, in the order of its judgements; what ends by itself
    /// comes first, what ends because too much fires last.
    mutating func apply(_ judgements: [Judgement], at moment: Timestamp) -> [WatchdogEvent] {
        endWhatIsOver(at: moment)
            + judgements.flatMap { judgement in
                forgetOldest(toFit: judgement.subject, at: moment) + apply(judgement, at: moment)
            } + endTooMany(at: moment)
    }

    /// Forgets how new the figures were that were judged, so that the same are judged again, as by another
    /// threshold. What fires goes on.
    mutating func judgeAnew() {
        for key in subjects.keys { subjects[key]?.observedAt = Timestamp(milliseconds: .min) }
    }

    /// Ends the conditions of what is judged in each check and is not among `watched` any more.
    mutating func resolve(allBut watched: Set<String>, at moment: Timestamp) -> [WatchdogEvent] {
        let over = conditions.filter { $0.endsBy == nil && !watched.contains($0.subject) }
        return end(over, at: moment, reason: "no_longer_watched")
    }

    /// Ends all conditions and forgets what was judged, as when a recording starts over; the events carry
    /// `reason` in their metadata. Ordered by fingerprint.
    mutating func resolveAll(at moment: Timestamp, reason: String) -> [WatchdogEvent] {
        let conditions = conditions
        subjects.removeAll()
        return conditions.map { ended($0, at: moment, observedAt: moment, reason: reason) }
    }

    // MARK: - One judgement

    private mutating func apply(_ judgement: Judgement, at moment: Timestamp) -> [WatchdogEvent] {
        var subject = subjects[judgement.subject]
        subjects[judgement.subject]?.judgedAt = moment
        if let subject, subject.observedAt >= judgement.observedAt, !isAhead(subject.observedAt, of: moment) {
            return []
        }
        let endsBy = judgement.endsAfterSeconds.map { judgement.observedAt.adding(seconds: $0) }
        // It was told, has ended, and is forgotten: the source has shown it once more.
        if let endsBy, endsBy <= moment { return [] }
        var events: [WatchdogEvent] = []
        var condition = subject?.condition
        if let current = condition, !continues(current, judgement) {
            events.append(resolved(current, judgement, at: moment))
            condition = nil
        }
        var begins = subject?.begins ?? []
        if let anomaly = judgement.anomaly {
            if let current = condition {
                let (next, event) = carriedOn(current, anomaly, judgement, at: moment)
                condition = next
                if let event { events.append(event) }
            } else {
                begins = (begins + [judgement.observedAt]).suffix(lifeCycle.flapCount)
                condition = begun(anomaly, judgement, endsBy: endsBy, begins: begins, at: moment)
                if let condition { events.append(condition.event) }
            }
        } else if condition?.isFlapping == true, !lifeCycle.isNear(judgement.evidence) {
            let calmSince = condition?.calmSince
            condition?.calmSince = calmSince ?? judgement.observedAt
        }
        condition?.observedAt = judgement.observedAt
        subject = Subject(
            observedAt: judgement.observedAt, judgedAt: moment, condition: condition, begins: begins)
        subjects[judgement.subject] = subject
        return events
    }

    /// Whether figures were judged that are from the future: then a clock was set back.
    private func isAhead(_ observedAt: Timestamp, of moment: Timestamp) -> Bool {
        observedAt > moment.adding(seconds: 7_200)
    }

    /// Whether a condition goes on after a judgement about its subject.
    private func continues(_ condition: Condition, _ judgement: Judgement) -> Bool {
        guard let anomaly = judgement.anomaly else {
            if condition.discriminator == judgement.discriminator, lifeCycle.isNear(judgement.evidence) {
                return true
            }
            guard condition.isFlapping else { return false }
            let calmSince = condition.calmSince ?? judgement.observedAt
            return judgement.observedAt < calmSince.adding(seconds: lifeCycle.calmSeconds)
        }
        return condition.isFlapping
            || condition.event.type == anomaly.type && condition.discriminator == judgement.discriminator
    }

    private func begun(
        _ anomaly: Anomaly, _ judgement: Judgement, endsBy: Timestamp?, begins: [Timestamp],
        at moment: Timestamp
    ) -> Condition {
        let isFlapping =
            begins.count >= lifeCycle.flapCount
            && judgement.observedAt <= (begins.first ?? moment).adding(seconds: lifeCycle.flapSeconds)
        let event = WatchdogEvent(
            eventID: makeEventID(), type: anomaly.type, severity: anomaly.severity, status: .firing,
            fingerprint: Fingerprint.of(
                watchdog: watchdog, type: anomaly.type, assets: judgement.assets.map(\.symbol),
                discriminator: judgement.fingerprintDiscriminator),
            watchdog: watchdog, asset: judgement.assets.first, assets: judgement.assets.map(\.symbol),
            description: judgement.description, data: judgement.data, evidence: judgement.evidence,
            timestamp: moment, startsAt: judgement.observedAt,
            metadata: isFlapping ? ["flapping": .bool(true)] : [:])
        return Condition(
            event: event, subject: judgement.subject, discriminator: judgement.discriminator,
            observedAt: judgement.observedAt, toldAt: moment, endsBy: endsBy, isFlapping: isFlapping)
    }

    /// The condition with new figures, and the event where it must be told again.
    private func carriedOn(
        _ condition: Condition, _ anomaly: Anomaly, _ judgement: Judgement, at moment: Timestamp
    ) -> (Condition, WatchdogEvent?) {
        let rises = anomaly.severity > condition.event.severity
        let isDue = moment >= condition.toldAt.adding(seconds: lifeCycle.renotifySeconds)
        var next = condition
        next.calmSince = nil
        next.event.severity = max(condition.event.severity, anomaly.severity)
        next.event.description = judgement.description
        next.event.data = judgement.data
        next.event.evidence = judgement.evidence
        guard rises || isDue else { return (next, nil) }
        next.toldAt = moment
        next.event.eventID = makeEventID()
        next.event.status = .updated
        next.event.timestamp = moment
        next.event.metadata["reason"] = .string(rises ? "severity_rose" : "still_firing")
        return (next, next.event)
    }

    /// The last event of a condition, with the figures that ended it.
    private func resolved(
        _ condition: Condition, _ judgement: Judgement, at moment: Timestamp
    ) -> WatchdogEvent {
        var condition = condition
        condition.event.description = judgement.description
        condition.event.data = judgement.data
        condition.event.evidence = judgement.evidence
        return ended(condition, at: moment, observedAt: judgement.observedAt, reason: nil)
    }

    private func ended(
        _ condition: Condition, at moment: Timestamp, observedAt: Timestamp, reason: String?
    ) -> WatchdogEvent {
        var event = condition.event
        event.eventID = makeEventID()
        event.status = .resolved
        event.description = "Over: \(event.description)"
        event.timestamp = moment
        // A saved condition may be newer than a clock that was set back.
        event.endsAt = max(observedAt, event.startsAt)
        event.metadata["reason"] = reason.map { .string($0) }
        return event
    }

    // MARK: - What ends without a judgement

    private mutating func endWhatIsOver(at moment: Timestamp) -> [WatchdogEvent] {
        var over: [Condition] = []
        var silent: [Condition] = []
        var restored: [String] = []
        for (key, subject) in subjects {
            guard let condition = subject.condition else { continue }
            if let endsBy = condition.endsBy {
                if endsBy <= moment { over.append(condition) }
            } else if let judgedAt = subject.judgedAt {
                if judgedAt.adding(seconds: lifeCycle.silenceSeconds) < moment { silent.append(condition) }
            } else {
                restored.append(key)
            }
        }
        for key in restored { subjects[key]?.judgedAt = moment }
        return end(over, at: moment, reason: "time_passed") + end(silent, at: moment, reason: "not_judged")
    }

    /// Their subjects are remembered, so that the same figures do not begin them again.
    private mutating func endTooMany(at moment: Timestamp) -> [WatchdogEvent] {
        guard subjects.values.count(where: { $0.condition != nil }) > Self.maxConditions else { return [] }
        let conditions = conditions
        let oldest = conditions.sorted {
            ($0.event.startsAt, $0.event.fingerprint) < ($1.event.startsAt, $1.event.fingerprint)
        }
        return oldest.prefix(conditions.count - Self.maxConditions).map { condition in
            subjects[condition.subject]?.condition = nil
            return ended(condition, at: moment, observedAt: moment, reason: "too_many_conditions")
        }
    }

    /// Ends conditions and forgets their subjects; the oldest first.
    private mutating func end(
        _ conditions: [Condition], at moment: Timestamp, reason: String
    ) -> [WatchdogEvent] {
        conditions.sorted {
            ($0.event.startsAt, $0.event.fingerprint) < ($1.event.startsAt, $1.event.fingerprint)
        }.map { condition in
            subjects[condition.subject] = nil
            return ended(condition, at: moment, observedAt: condition.endsBy ?? moment, reason: reason)
        }
    }

    private mutating func forgetOldest(toFit subject: String, at moment: Timestamp) -> [WatchdogEvent] {
        guard subjects.count >= Self.maxSubjects, subjects[subject] == nil,
            let oldest = subjects.min(by: { ($0.value.observedAt, $0.key) < ($1.value.observedAt, $1.key) })
        else { return [] }
        subjects[oldest.key] = nil
        guard let condition = oldest.value.condition else { return [] }
        return [ended(condition, at: moment, observedAt: moment, reason: "too_many_subjects")]
    }
}

extension Judgement {
    /// What tells conditions with the same assets apart: the side, and the subject where the assets alone do
    /// not name it.
    fileprivate var fingerprintDiscriminator: String {
        subject == assets.map(\.symbol).joined(separator: "/") ? discriminator : "\(subject) \(discriminator)"
    }
}

extension WatchdogEvent {
    /// An `event_id` that no other event has.
    public static func newID() -> String {
        "evt_" + UUID().uuidString.lowercased()
    }
}
