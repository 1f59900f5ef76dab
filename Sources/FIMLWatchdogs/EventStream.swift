import FIMLCore
import FoundationEssentials

/// Turns one watchdog's judgements into events with a beginning and an end.
///
///     state    | judged as it should be | anomaly, same condition        | anomaly, another condition
///     ---------+------------------------+--------------------------------+---------------------------
///     quiet    | —                      | firing                         | firing
///     firing   | resolved               | updated if the severity rises  | resolved, firing
///
/// A judgement that is not newer than the last one about the same assets is passed over, so a bar that is
/// judged twice changes nothing. A condition is told apart by its fingerprint; its severity is the highest
/// that was announced. Memory is bounded by the number of assets.
public struct EventStream: Sendable {
    private struct Condition {
        var type: EventType
        var discriminator: String
        var severity: Severity
        var fingerprint: String
        var startsAt: Timestamp
        var lastJudgement: Judgement
    }

    private struct State {
        var observedAt: Timestamp
        var condition: Condition?
    }

    private let watchdog: WatchdogName
    private let makeEventID: @Sendable () -> String
    private var states: [[Asset]: State] = [:]

    /// A stream without conditions.
    public init(watchdog: WatchdogName) {
        self.init(watchdog: watchdog, makeEventID: WatchdogEvent.newID)
    }

    init(watchdog: WatchdogName, makeEventID: @escaping @Sendable () -> String) {
        self.watchdog = watchdog
        self.makeEventID = makeEventID
    }

    /// The events that a check at `moment` gives rise to, in the order of its judgements.
    public mutating func apply(_ judgements: [Judgement], at moment: Timestamp) -> [WatchdogEvent] {
        judgements.flatMap { apply($0, at: moment) }
    }

    /// Ends all conditions and forgets what was judged, as when a recording starts over; the events carry
    /// `reason` in their metadata. Ordered by fingerprint.
    public mutating func resolveAll(at moment: Timestamp, reason: String) -> [WatchdogEvent] {
        let conditions = states.values.compactMap(\.condition).sorted { $0.fingerprint < $1.fingerprint }
        states.removeAll()
        return conditions.map { condition in
            var event = event(.resolved, of: condition, condition.lastJudgement, at: moment)
            event.endsAt = moment
            event.metadata["reason"] = .string(reason)
            return event
        }
    }

    private mutating func apply(_ judgement: Judgement, at moment: Timestamp) -> [WatchdogEvent] {
        var state = states[judgement.assets]
        if let state, state.observedAt >= judgement.observedAt { return [] }
        var events: [WatchdogEvent] = []
        var condition = state?.condition
        if let ended = condition, !Self.continues(ended, judgement.anomaly) {
            events.append(event(.resolved, of: ended, judgement, at: moment))
            condition = nil
        }
        if let anomaly = judgement.anomaly {
            let status: EventStatus? =
                if let condition { anomaly.severity > condition.severity ? .updated : nil } else { .firing }
            var current = condition ?? begin(anomaly, judgement)
            current.severity = max(current.severity, anomaly.severity)
            current.lastJudgement = judgement
            if let status { events.append(event(status, of: current, judgement, at: moment)) }
            condition = current
        }
        state = State(observedAt: judgement.observedAt, condition: condition)
        states[judgement.assets] = state
        return events
    }

    private static func continues(_ condition: Condition, _ anomaly: Anomaly?) -> Bool {
        condition.type == anomaly?.type && condition.discriminator == anomaly?.discriminator
    }

    private func begin(_ anomaly: Anomaly, _ judgement: Judgement) -> Condition {
        Condition(
            type: anomaly.type, discriminator: anomaly.discriminator, severity: anomaly.severity,
            fingerprint: Fingerprint.of(
                watchdog: watchdog, type: anomaly.type, assets: judgement.assets.map(\.symbol),
                discriminator: anomaly.discriminator),
            startsAt: judgement.observedAt, lastJudgement: judgement)
    }

    /// An event of a condition with the figures of a judgement: for `resolved` those that ended it.
    private func event(
        _ status: EventStatus, of condition: Condition, _ judgement: Judgement, at moment: Timestamp
    ) -> WatchdogEvent {
        let isOver = status == .resolved
        return WatchdogEvent(
            eventID: makeEventID(), type: condition.type, severity: condition.severity, status: status,
            fingerprint: condition.fingerprint, watchdog: watchdog, asset: judgement.assets.first,
            assets: judgement.assets.map(\.symbol),
            description: isOver ? "Over: \(judgement.description)" : judgement.description,
            data: judgement.data,
            evidence: judgement.evidence, timestamp: moment, startsAt: condition.startsAt,
            endsAt: isOver ? judgement.observedAt : nil)
    }
}

extension WatchdogEvent {
    /// An `event_id` that no other event has.
    public static func newID() -> String {
        "evt_" + UUID().uuidString.lowercased()
    }
}
