import EventLoop
import EventStore
import FIMLCore
import Transport

// Clients that named a session: what is kept of them comes back, and what they do is kept.
extension LoopService {
    /// What a client may ask while what is kept of it is looked up.
    private static let waitingMessages = 32
    private static let retryMilliseconds = 2_000
    static let fullSession =
        "a session keeps at most \(SessionRecord.Limits.subscriptions) subscriptions, and "
        + "\(SessionRecord.Limits.bytes / 1024) KiB of them; unsubscribe one, or shorten a filter"

    func owner(_ connection: Connection) -> SessionOwner {
        SessionOwner(loop: index, connection: connection.token.number)
    }

    // MARK: - Coming

    /// Lets the keeper look up what is kept; goes on in `attached`.
    func enterSession(
        _ request: ClientMessage.Session, isOfQuery: Bool = false, _ session: ClientSession,
        _ connection: Connection
    ) {
        guard session.named == nil else {
            return refuse(request.id, .invalidMessage, "the connection has a session already", connection)
        }
        guard session.subscriptions.isEmpty else {
            return refuse(
                request.id, .invalidMessage, "a session is named before the first subscription", connection)
        }
        session.named = ClientSession.Named(name: request.name)
        let mailbox = transport.mailbox
        let token = connection.token
        state.sessions.attach(request.name, owner(connection), ttlHours: request.ttlHours) { attachment in
            mailbox.post(
                .task { ($0.service as? LoopService)?.attached(attachment, request, isOfQuery, token) })
        }
    }

    /// Whether a message has to wait, since what is kept of its client is still being looked up.
    func wait(_ payload: [UInt8], _ session: ClientSession, _ connection: Connection) -> Bool {
        guard let named = session.named, !named.isAttached else { return false }
        if named.waiting.count < Self.waitingMessages {
            session.named?.waiting.append(payload)
        } else {
            refuse(nil, .rateLimited, "wait for session_ack", connection, retryAfterMilliseconds: 1_000)
        }
        return true
    }

    private func attached(
        _ attachment: SessionKeeper.Attachment, _ request: ClientMessage.Session, _ isOfQuery: Bool,
        _ token: SlotToken
    ) {
        guard let connection = transport[token], let session = connection.session as? ClientSession,
            let waiting = session.named?.waiting
        else {
            return state.sessions.detach(
                request.name, SessionOwner(loop: index, connection: token.number))
        }
        switch attachment {
        case .attached(let record, let resumed, let dropped):
            session.named = ClientSession.Named(name: request.name, isAttached: true)
            resume(record, resumed, dropped, request.id, session, connection)
        case .unavailable(let sentence):
            session.named = nil
            refuse(
                request.id, .unavailable, sentence, connection,
                retryAfterMilliseconds: Self.retryMilliseconds)
            // Who connects by an address alone can only ask again by connecting again.
            if isOfQuery { return transport.close(connection, .overCapacity, "sessions are unavailable") }
        }
        for payload in waiting where transport[token] != nil {
            if !wait(payload, session, connection) { answer(payload, session, connection) }
        }
    }

    /// Takes up what is kept, and tells it.
    private func resume(
        _ record: SessionRecord, _ resumed: Bool, _ dropped: [SessionRecord.Dropped], _ id: RequestID?,
        _ session: ClientSession, _ connection: Connection
    ) {
        let initial = session.initial
        session.initial = nil
        var dropped = dropped
        var taken: [SessionAck.Subscription] = []
        for var kept in record.subscriptions {
            guard taken.count < state.settings.webSocket.maxSubscriptions else {
                dropped.append(
                    .init(subscriptionID: kept.subscriptionID, message: "the connection has no room for it"))
                _ = keep(.remove(subscriptionID: kept.subscriptionID), session, connection)
                continue
            }
            // An address says each time what it wants; it goes on where it was.
            if let initial, initial.subscriptionID == kept.subscriptionID,
                keep(.update(subscriptionID: kept.subscriptionID, initial.filter), session, connection)
            {
                kept.filter = initial.filter
            }
            let start = start(of: kept.filter, .after(kept.position))
            let replaying = enter(kept.subscriptionID, kept.filter, start, session, connection)
            taken.append(.init(kept: kept, recovery: recovery(start, replaying)))
        }
        session.named?.horizon = record.subscriptions.map(\.position).max() ?? .zero
        send(
            "session_ack",
            ServerMessage.sessionAck(
                id: id,
                SessionAck(
                    resumed: resumed, position: taken.map(\.kept.position).min() ?? position,
                    ttlSeconds: record.ttlSeconds, expiresAt: Timestamp(milliseconds: record.expiresAt),
                    subscriptions: taken, dropped: dropped, timestamp: state.now())), to: connection)
        guard let initial else { return }
        if taken.contains(where: { $0.kept.subscriptionID == initial.subscriptionID }) {
            if initial.snapshot { snapshot(initial, connection) }
        } else {
            subscribe(initial, session, connection)
        }
    }

    private func recovery(_ start: Start, _ replaying: Int?) -> Recovery {
        switch start {
        case .live: return .recovered(replaying: 0)
        case .stored:
            state.metrics.resumes["recovered"].increment()
            return .recovered(replaying: replaying)
        case .lost(let reason):
            state.metrics.resumes[reason.rawValue].increment()
            return .lost(reason)
        }
    }

    // MARK: - What is kept

    /// Keeps a change, where the client has a session; false where that has no room for it.
    func keep(_ change: SessionChange, _ session: ClientSession, _ connection: Connection) -> Bool {
        guard let named = session.named, named.isAttached else { return true }
        if case .put(let subscription) = change {
            session.named?.horizon = max(named.horizon, subscription.position)
        }
        switch state.sessions.change(named.name, owner(connection), change) {
        case .noRoom: return false
        // Taken over: it is about to be told.
        case .kept, .taken: return true
        }
    }

    /// The client has processed what it was sent up to a position.
    ///
    /// Of a subscription whose events come live that is what it says. Of one that is being replayed it may
    /// have seen less than of others: there, unless it never had another, only what a heartbeat said counts,
    /// and only one that was sent after the replay began.
    func confirm(
        _ id: RequestID?, _ confirmed: StreamPosition, _ session: ClientSession, _ connection: Connection
    ) {
        guard let named = session.named else {
            return refuse(id, .invalidMessage, "there is no session; name one by 'session'", connection)
        }
        guard confirmed <= max(position, named.horizon) else {
            return refuse(
                id, .invalidMessage,
                "position \(confirmed) was never sent: the stream is at \(position)", connection)
        }
        let isOfAll =
            named.heartbeats.contains(confirmed)
            || named.begun == 1 && !named.earlierHeartbeats.contains(confirmed)
                && confirmed <= completePosition(connection)
        var positions: [String: StreamPosition] = [:]
        for entry in session.subscriptions
        where isOfAll || entry.liveSince.map({ $0 <= confirmed }) ?? false {
            positions[entry.id] = confirmed
        }
        if !positions.isEmpty { _ = keep(.confirm(positions), session, connection) }
    }

    // MARK: - Going

    func endSession(_ id: RequestID?, _ session: ClientSession, _ connection: Connection) {
        guard let named = session.named else {
            return refuse(id, .invalidMessage, "there is no session; name one by 'session'", connection)
        }
        let mailbox = transport.mailbox
        let token = connection.token
        state.sessions.end(named.name, owner(connection)) { trouble in
            mailbox.post(.task { ($0.service as? LoopService)?.hasEndedSession(trouble, id, token) })
        }
    }

    private func hasEndedSession(_ trouble: String?, _ id: RequestID?, _ token: SlotToken) {
        guard let connection = transport[token], let session = connection.session as? ClientSession else {
            return
        }
        if let trouble {
            return refuse(
                id, .unavailable, trouble, connection, retryAfterMilliseconds: Self.retryMilliseconds)
        }
        session.named = nil
        send(
            "end_session_ack", ServerMessage.endSessionAck(id: id, timestamp: state.now()), to: connection)
    }

    /// A newer connection has the session now.
    func sessionTaken(_ name: SessionName, _ token: SlotToken) {
        guard let connection = transport[token], let session = connection.session as? ClientSession,
            session.named?.name == name
        else { return }
        session.named = nil
        refuse(nil, .sessionTaken, "a newer connection has taken the session over", connection)
        transport.close(connection, .sessionTaken, "session taken over")
    }
}

extension ClientSession {
    /// How many heartbeats a client may be behind and still have its word taken.
    private static let heartbeats = 4

    /// A heartbeat has said so.
    func told(completeUpTo position: StreamPosition) {
        // Told before as well: whoever confirms it may mean that one.
        guard let named, !named.earlierHeartbeats.contains(position) else { return }
        self.named?.heartbeats = (named.heartbeats + [position]).suffix(Self.heartbeats)
    }

    /// A subscription begins with stored events, of which the heartbeats until now did not speak.
    func beginsWithStored() {
        guard let named else { return }
        self.named?.earlierHeartbeats = (named.earlierHeartbeats + named.heartbeats).suffix(Self.heartbeats)
        self.named?.heartbeats = []
    }
}

extension SubscriptionStart {
    /// After which position, where that is said.
    var position: StreamPosition? {
        switch self {
        case .after(let position): position
        case .since(let time): StreamPosition.before(time)
        case .live, .last: nil
        }
    }
}
