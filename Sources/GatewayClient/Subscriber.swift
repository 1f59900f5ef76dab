import FIMLCore
import WebSocket

/// The client's side of `fiml.v1.json` across connections: subscribes, keeps the position, says what was
/// lost, and decides whether and when to connect again. Pure: the time is none of its business but as a
/// length, randomness is a parameter.
public struct Subscriber: Sendable {
    /// What to do about a message.
    public enum Action: Equatable, Sendable {
        /// Print an event.
        case event(JSONValue)
        /// Tell the user, one line.
        case note(String)
        /// Send a message, once all before this is done.
        case send([UInt8])
        /// Give the connection up.
        case end(ConnectionEnd)
    }

    /// What to do after a connection has ended.
    public enum Next: Equatable, Sendable {
        /// Connect again after so many milliseconds; `reason` says what had happened.
        case connect(afterMilliseconds: Int, reason: String)
        /// End the program with an error.
        case fail(reason: String)
    }

    /// A connection on which nothing at all came for so long is dead: 2.5 heartbeats. Until `welcome` names
    /// their distance, ten seconds.
    public private(set) var silenceLimitMilliseconds = Self.welcomeLimitMilliseconds
    /// The last position that was seen. Opaque.
    public private(set) var position: String?

    let filter: EventFilter
    let session: SessionName?
    private let start: SubscriptionStart
    private var backoff = Backoff()
    var phase = Phase.subscribing
    private var reconnectAfterMilliseconds: Int?

    enum Phase {
        /// Until the ack nothing says anything about our subscription.
        case subscribing
        /// Until `replay_complete` only events move the position.
        case replaying
        case live
    }

    private static let welcomeLimitMilliseconds = 10_000
    /// However far away a server wants its clients: ten minutes.
    private static let longestDelayMilliseconds = 600_000
    static let requestID: Int64 = 1
    static let subscriptionID = "tail"

    /// A subscriber that was not yet connected; where it has a session, `start` is for the first time.
    public init(filter: EventFilter, start: SubscriptionStart, session: SessionName? = nil) {
        (self.filter, self.start, self.session) = (filter, start, session)
    }

    // MARK: - A connection

    /// A connection is open.
    ///
    /// - Returns: the message to send: `session` where it has one, else `subscribe`.
    public mutating func connected() -> [UInt8] {
        phase = .subscribing
        silenceLimitMilliseconds = Self.welcomeLimitMilliseconds
        reconnectAfterMilliseconds = nil
        return session.map(Self.sessionMessage) ?? subscribeMessage()
    }

    /// From the last position seen, or from where the user said.
    func subscribeMessage() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "subscribe")
        writer.name("id")
        writer.integer(Self.requestID)
        writer.member("subscription_id", Self.subscriptionID)
        writer.member("filter", filter)
        switch (position, start) {
        case (let position?, _): writer.member("since", position)
        case (nil, .live): break
        case (nil, .after(let position)): writer.member("since", position)
        case (nil, .since(let timestamp)): writer.member("since", timestamp)
        case (nil, .last(let count)): writer.member("last", count)
        }
        writer.endObject()
        return writer.bytes
    }

    /// A message came. What we do not know is ignored (rule 3 of the protocol).
    public mutating func receive(_ message: JSONValue) -> [Action] {
        switch message["type"]?.text {
        case "welcome": return welcome(message)
        case "session_ack": return resumed(message)
        case "subscription_ack":
            // That of another filter for a session that goes on says nothing new.
            return message["id"]?.int64 == Self.updateID ? [] : acknowledged(message)
        case "event":
            guard isNew(message) else { return [] }
            keepPosition(of: message)
            return [.event(message)]
        case "replay_complete":
            phase = .live
            keepPosition(of: message)
            // Nothing to replay is nothing to tell.
            guard message["events_sent"]?.int64 != 0 else { return [] }
            return [.note("replay complete: \(Self.count(message["events_sent"])) events")]
        case "heartbeat":
            // It speaks of the whole connection: before the ack and within a replay it may be ahead of us.
            if phase == .live { keepPosition(of: message) }
            return confirmation(of: message)
        case "gap": return [.note(Self.gapNote(message))]
        case "status": return [.note(Self.statusNote(message))]
        case "going_away":
            let delay = message["reconnect_after_ms"]?.int64 ?? 0
            reconnectAfterMilliseconds = Int(min(max(0, delay), Int64(Self.longestDelayMilliseconds)))
            return [.note("the server is going away: \(Self.text(message["reason"]))")]
        case "error": return [failed(message)]
        default: return []
        }
    }

    private mutating func welcome(_ message: JSONValue) -> [Action] {
        // 1 s to 1 h, whatever a server says.
        let seconds = min(max(1, message["heartbeat_seconds"]?.double ?? 15), 3600)
        silenceLimitMilliseconds = Int(seconds * 2500)
        return []
    }

    mutating func acknowledged(_ message: JSONValue) -> [Action] {
        backoff.reset()
        // Where the server has not counted what it replays, there may be some.
        let replaying = message["replaying"]?.int64
        phase = replaying != 0 ? .replaying : .live
        guard message["recovered"]?.boolean ?? true else {
            // Nothing is replayed: whatever lies before this position is not coming.
            phase = .live
            keepPosition(of: message)
            return [
                .note(
                    "not recovered (\(Self.text(message["reason"]))): events may be missing; "
                        + "going on from \(Self.text(message["position"]))")
            ]
        }
        guard replaying != 0 else {
            keepPosition(of: message)
            return []
        }
        return [.note("replaying \(replaying.map { "\($0) events" } ?? "events from the store")")]
    }

    /// An error about our subscription ends the connection; others are only told.
    private func failed(_ message: JSONValue) -> Action {
        let text = "\(Self.text(message["error_code"])): \(Self.text(message["message"]))"
        let isOurs = message["id"]?.int64 == Self.requestID
        guard isOurs else { return .note("the server says \(text)") }
        guard message["retryable"]?.boolean ?? false else { return .end(.hopeless(text)) }
        let seconds = message["retry_after_ms"]?.double.map { Int(min(max(0, $0 / 1000), 3600).rounded(.up)) }
        let status = Int(clamping: message["status"]?.int64 ?? 0)
        return .end(.refused(status: status, reason: text, retryAfterSeconds: seconds))
    }

    mutating func keepPosition(of message: JSONValue) {
        // Opaque, but not of any length.
        guard let text = message["position"]?.text, (1...64).contains(text.utf8.count) else { return }
        position = text
    }

    // MARK: - Its end

    /// A connection has ended, or there was none; `random` is from 0 to 1, without 1. The range of a close
    /// code says what to do (protocol, "Close codes").
    public mutating func ended(_ end: ConnectionEnd, random: Double) -> Next {
        switch end {
        case .closed(let code, let reason):
            return closed(code, Self.closeText(code, reason), random: random)
        case .refused(let status, let reason, let retryAfterSeconds):
            guard status == 429 || status >= 500 else { return .fail(reason: "refused: \(reason)") }
            let asked = min(retryAfterSeconds ?? 0, Self.longestDelayMilliseconds / 1000) * 1000
            let delay = max(backoff.next(random: random), asked)
            return .connect(afterMilliseconds: delay, reason: "refused: \(reason)")
        case .lost(let reason):
            return .connect(afterMilliseconds: delay(random), reason: reason)
        case .hopeless(let reason):
            return .fail(reason: reason)
        case .stopped:
            return .fail(reason: "stopped")
        }
    }

    private mutating func closed(_ code: CloseCode?, _ reason: String, random: Double) -> Next {
        switch code?.rawValue ?? 0 {
        case 4000...4099:
            return .fail(reason: reason)
        case 4200...4299 where reconnectAfterMilliseconds == nil && phase != .subscribing:
            // At once, but only where the connection had worked: else this would be a loop.
            return .connect(afterMilliseconds: 0, reason: reason)
        default:
            return .connect(afterMilliseconds: delay(random), reason: reason)
        }
    }

    /// The moment that `going_away` gave us, which the server spreads itself; else backoff.
    private mutating func delay(_ random: Double) -> Int {
        defer { reconnectAfterMilliseconds = nil }
        return reconnectAfterMilliseconds ?? backoff.next(random: random)
    }
}
