import Broadcast
import FIMLCore
import LinuxSystem
import Transport
import WebSocket

// The event stream's protocol: what a client asks for over its WebSocket, and what it is told; the same over
// server-sent events.
extension LoopService {
    /// `position` and `retryMilliseconds` as in `DirectMessage`.
    func send(
        _ type: String, _ message: [UInt8], at position: StreamPosition? = nil,
        retryMilliseconds: Int? = nil, to connection: Connection
    ) {
        state.metrics.messagesSent[type].increment()
        transport.send(
            DirectMessage(
                type: type, text: message, position: position, retryMilliseconds: retryMilliseconds),
            to: connection)
    }

    func tellEverybody(_ type: String, _ message: [UInt8]) {
        transport.forEachStream { connection in
            if connection.session is ClientSession { send(type, message, to: connection) }
        }
    }

    func welcome(_ connection: Connection) {
        let settings = state.settings.webSocket
        send(
            "welcome",
            ServerMessage.welcome(
                Welcome(
                    connectionID: "c_\(index)_" + String(connection.token.number, radix: 36),
                    serverID: state.cluster?.nodeID ?? "gw-1",
                    version: Gateway.version, timestamp: state.now(), position: position,
                    earliestPosition: state.publisher.range.earliest,
                    heartbeatSeconds: Int(settings.heartbeat.components.seconds), authenticated: true,
                    limits: ConnectionLimits(
                        maxMessageBytes: settings.maxMessageBytes,
                        maxSubscriptions: settings.maxSubscriptions,
                        maxRequestsPerSecond: settings.requestsPerSecond,
                        sendQueueBytes: settings.sendQueueBytes
                    ))), retryMilliseconds: .random(in: Self.reconnectDelays), to: connection)
        // Connections that came together after a restart do not stay together.
        let period = settings.heartbeat.milliseconds
        connection.serviceDeadline = transport.now + .random(in: period / 2...period)
    }

    func heartbeat(_ connection: Connection) {
        guard let session = connection.session as? ClientSession else { return }
        let counts = transport.eventCounts(connection)
        let position = completePosition(connection)
        session.told(completeUpTo: position)
        send(
            "heartbeat",
            ServerMessage.heartbeat(
                timestamp: state.now(), position: position, eventsSent: counts.sent,
                eventsDropped: counts.dropped, activeSubscriptions: session.subscriptions.count,
                watchdogs: state.watchdogCounts()), at: position, to: connection)
        connection.serviceDeadline = transport.now + state.settings.webSocket.heartbeat.milliseconds
    }

    /// Up to where a client has, or will have with what waits for it, all that it asked for.
    func completePosition(_ connection: Connection) -> StreamPosition {
        let own = replays.filter { $0.connection == connection.token }
        // Where one begins that looks for the last so many is not known yet; a position before it would have
        // all sent that is stored.
        let cursor = own.filter { $0.last == nil }.map(\.cursor).min()
        let isLive = (connection.session as? ClientSession)?.subscriptions.contains { $0.handle != nil }
        guard let cursor else { return position }
        return isLive ?? false ? min(cursor, position) : cursor
    }

    func handle(_ payload: [UInt8], _ session: ClientSession, _ connection: Connection) {
        if let wait = session.allowance.take(now: transport.now) {
            guard session.allowance.refusals < RequestAllowance.patience else {
                return transport.close(connection, .rateLimited, "too many requests")
            }
            let limit = state.settings.webSocket.requestsPerSecond
            return refuse(
                nil, .rateLimited, "more than \(limit) requests a second; wait \(wait) ms", connection,
                retryAfterMilliseconds: wait)
        }
        if wait(payload, session, connection) { return }
        answer(payload, session, connection)
    }

    func answer(_ payload: [UInt8], _ session: ClientSession, _ connection: Connection) {
        do throws(ClientMessageError) {
            switch try ClientMessage.parse(payload) {
            case .subscribe(let request):
                subscribe(request, session, connection)
            case .updateSubscription(let id, let subscriptionID, let filter):
                update(id, subscriptionID, filter, session, connection)
            case .unsubscribe(let id, let subscriptionID):
                unsubscribe(id, subscriptionID, session, connection)
            case .listSubscriptions(let id):
                list(id, session, connection)
            case .ping(let id):
                send("pong", ServerMessage.pong(id: id, timestamp: state.now()), to: connection)
            case .analyze(let id, let request):
                analyze(id, request, session, connection)
            case .health(let id, let scope):
                tellHealth(id, scope, connection)
            case .session(let request):
                enterSession(request, session, connection)
            case .ack(let id, let position):
                confirm(id, position, session, connection)
            case .endSession(let id):
                endSession(id, session, connection)
            case .notYetAvailable(let type, let id):
                refuse(id, .unavailable, "'\(type)' is not served by this version", connection)
            }
        } catch {
            refuse(error.id, error.code, error.message, connection)
        }
    }

    func refuse(
        _ id: RequestID?, _ code: ErrorCode, _ message: String, _ connection: Connection,
        retryAfterMilliseconds: Int? = nil
    ) {
        send(
            "error",
            ServerMessage.error(
                id: id, code: code, message: message, retryAfterMilliseconds: retryAfterMilliseconds,
                timestamp: state.now()), to: connection)
    }

    // MARK: - Subscriptions

    func subscribe(_ request: ClientMessage.Subscribe, _ session: ClientSession, _ connection: Connection) {
        let limit = state.settings.webSocket.maxSubscriptions
        guard session.index(of: request.subscriptionID) == nil else {
            return refuse(
                request.id, .alreadySubscribed,
                "subscription '\(request.subscriptionID)' exists; change it by update_subscription",
                connection)
        }
        guard session.subscriptions.count < limit else {
            return refuse(
                request.id, .subscriptionLimitExceeded, "a connection has at most \(limit) subscriptions",
                connection)
        }
        let start = start(of: request.filter, request.start)
        let kept = SessionRecord.Subscription(
            subscriptionID: request.subscriptionID, filter: request.filter,
            position: start.position ?? request.start.position ?? position)
        guard keep(.put(kept), session, connection) else {
            return refuse(request.id, .subscriptionLimitExceeded, Self.fullSession, connection)
        }
        let replaying = enter(request.subscriptionID, request.filter, start, session, connection)
        // Entered first: if these close a connection that is too slow, the subscription ends with it.
        acknowledge(request, start, replaying, connection)
        if request.snapshot { snapshot(request, connection) }
    }

    /// Lets a subscription begin; how many stored events follow, nil where they are not counted.
    func enter(
        _ subscriptionID: String, _ filter: EventFilter, _ start: Start, _ session: ClientSession,
        _ connection: Connection
    ) -> Int? {
        session.named?.begun += 1
        switch start {
        case .stored(let cursor, let last):
            session.beginsWithStored()
            session.subscriptions.append(.init(id: subscriptionID, handle: nil))
            beginReplay(connection, subscriptionID, filter, after: cursor, last: last)
            return last == nil ? countMatches(filter, after: cursor) : nil
        case .live, .lost:
            let handle = transport.hub.subscribe(connection.token.slot, filter)
            session.subscriptions.append(.init(id: subscriptionID, handle: handle, liveSince: position))
            return 0
        }
    }

    /// Where a subscription begins.
    enum Start {
        /// With what is published from now on.
        case live
        /// With stored events after a position; `last` as in `Replay`.
        case stored(StreamPosition, last: Int?)
        /// Live, since it cannot begin where it was asked to.
        case lost(RecoveryLoss)

        /// After which position, where that is known.
        var position: StreamPosition? {
            if case .stored(let position, _) = self { position } else { nil }
        }
    }

    func start(of filter: EventFilter, _ start: SubscriptionStart) -> Start {
        let (earliest, newest) = state.publisher.range
        switch start {
        case .live:
            return .live
        case .last(let count):
            let known = state.publisher.journal.position(beforeLast: count, matching: filter)
            return known.map { .stored($0, last: nil) } ?? .stored(earliest, last: count)
        case .since(let time):
            let before = StreamPosition.before(time)
            return before >= earliest ? .stored(min(before, position), last: nil) : .lost(.windowExceeded)
        case .after(let position):
            if position < earliest { return .lost(.windowExceeded) }
            let isKnown = position <= newest || mayComeYet(position)
            return isKnown ? .stored(position, last: nil) : .lost(.positionUnknown)
        }
    }

    /// Whether another node may have told a position that this one has yet to read: it goes on from there
    /// once it has. None lies in the future, but for what clocks differ.
    private func mayComeYet(_ position: StreamPosition) -> Bool {
        guard state.publisher.journal.isShared else { return false }
        return position.milliseconds <= UInt64(clamping: wallMilliseconds() + Self.clockMilliseconds)
    }

    /// What clocks of different nodes may differ by.
    private static let clockMilliseconds: Int64 = 10_000

    private func acknowledge(
        _ request: ClientMessage.Subscribe, _ start: Start, _ replaying: Int?, _ connection: Connection
    ) {
        let recovery: Recovery
        var position = position
        var isReplaying = false
        switch start {
        case .live:
            recovery = .recovered(replaying: 0)
        case .stored(let cursor, _):
            recovery = .recovered(replaying: replaying)
            isReplaying = true
            // Never before where the client says it is.
            position = max(position, cursor)
            state.metrics.resumes["recovered"].increment()
        case .lost(let reason):
            recovery = .lost(reason)
            state.metrics.resumes[reason.rawValue].increment()
        }
        send(
            "subscription_ack",
            ServerMessage.subscriptionAck(
                id: request.id, subscriptionID: request.subscriptionID, position: position,
                recovery: recovery,
                timestamp: state.now()), at: isReplaying ? nil : position, to: connection)
    }

    func snapshot(_ request: ClientMessage.Subscribe, _ connection: Connection) {
        // A quarter of the queue, so that what comes with it has room.
        var room = state.settings.webSocket.sendQueueBytes / 4
        let firing = state.publisher.journal.firing().filter { request.filter.matches($0.event) }
        let events = firing.prefix { publication in
            room -= publication.message.count
            return room >= 0
        }.map { PositionedEvent(position: $0.position, event: $0.event.event) }
        send(
            "snapshot",
            ServerMessage.snapshot(
                subscriptionID: request.subscriptionID, position: position, events: events,
                complete: firing.count == events.count), to: connection)
    }

    private func update(
        _ id: RequestID?, _ subscriptionID: String, _ filter: EventFilter, _ session: ClientSession,
        _ connection: Connection
    ) {
        guard let index = session.index(of: subscriptionID) else {
            return refuse(id, .subscriptionError, "there is no subscription '\(subscriptionID)'", connection)
        }
        guard keep(.update(subscriptionID: subscriptionID, filter), session, connection) else {
            return refuse(id, .subscriptionLimitExceeded, Self.fullSession, connection)
        }
        if let handle = session.subscriptions[index].handle {
            transport.hub.unsubscribe(handle)
            session.subscriptions[index].handle = transport.hub.subscribe(connection.token.slot, filter)
        } else if let replay = replayIndex(connection, subscriptionID) {
            replays[replay].filter = filter
        }
        send(
            "subscription_ack",
            ServerMessage.subscriptionAck(
                id: id, subscriptionID: subscriptionID, position: position,
                recovery: .recovered(replaying: 0),
                timestamp: state.now()), to: connection)
    }

    private func unsubscribe(
        _ id: RequestID?, _ subscriptionID: String, _ session: ClientSession, _ connection: Connection
    ) {
        guard let index = session.index(of: subscriptionID) else {
            return refuse(id, .unsubscribeError, "there is no subscription '\(subscriptionID)'", connection)
        }
        if let handle = session.subscriptions[index].handle {
            transport.hub.unsubscribe(handle)
        } else if let replay = replayIndex(connection, subscriptionID) {
            replays.remove(at: replay)
        }
        session.subscriptions.remove(at: index)
        _ = keep(.remove(subscriptionID: subscriptionID), session, connection)
        send(
            "unsubscribe_ack",
            ServerMessage.unsubscribeAck(id: id, subscriptionID: subscriptionID, position: position),
            to: connection)
    }

    private func list(_ id: RequestID?, _ session: ClientSession, _ connection: Connection) {
        let subscriptions = session.subscriptions.compactMap { entry -> (String, EventFilter)? in
            if let handle = entry.handle { return (entry.id, transport.hub.filter(of: handle)) }
            return replayIndex(connection, entry.id).map { (entry.id, replays[$0].filter) }
        }
        send(
            "subscriptions", ServerMessage.subscriptions(id: id, subscriptions: subscriptions), to: connection
        )
    }

    private func replayIndex(_ connection: Connection, _ subscriptionID: String) -> Int? {
        replays.firstIndex { $0.connection == connection.token && $0.subscriptionID == subscriptionID }
    }
}

extension Duration {
    /// Whole milliseconds; 0 for what is negative.
    var milliseconds: UInt64 {
        UInt64(clamping: components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000)
    }
}
