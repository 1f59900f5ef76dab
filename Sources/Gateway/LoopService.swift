import Broadcast
import EventStore
import FIMLCore
import HTTP
import LinuxSystem
import Observability
import Transport
import WebSocket

/// What one loop serves: HTTP requests by its routes, and the clients of the event stream.
final class LoopService {
    let state: GatewayState
    let index: Int
    let transport: TransportLoop
    /// Everything up to here has been handed to those who want it.
    var position: StreamPosition
    /// Subscriptions that are still being given stored events.
    var replays: [Replay] = []
    /// The one whose turn is next.
    var nextReplay = 0
    /// That of the last one that was begun.
    var replayNumber = 0
    /// What was published in this turn.
    var submissions: [(Submission, answer: @Sendable (EventJournal.Outcome) -> Void)] = []
    /// When a drain ends, whoever is still there; nil while there is none.
    var drainsUntil: UInt64?

    init(_ state: GatewayState, index: Int, transport: TransportLoop) {
        self.state = state
        self.index = index
        self.transport = transport
        position = state.publisher.beginning
    }
}

extension LoopService: TransportService {
    func respond(to request: HTTPRequest, from connection: Connection) -> Answer {
        let answer = route(request, connection)
        switch answer {
        case .response(var response):
            allowOrigin(request, &response)
            count(request, response)
            return .response(response)
        case .eventStream(var acceptance):
            allowOrigin(request, &acceptance.response)
            count(request, acceptance.response)
            return .eventStream(acceptance)
        case .later, .webSocket:
            return answer
        }
    }

    /// Counts an answered request.
    func count(_ request: HTTPRequest, _ response: HTTPResponse) {
        state.metrics.requests[request.method, "\(response.status / 100)xx"].increment()
    }

    func opened(_ connection: Connection) {
        guard let session = connection.session as? ClientSession else { return }
        welcome(connection)
        if let named = session.initialSession {
            session.initialSession = nil
            enterSession(named, isOfQuery: true, session, connection)
        } else if let initial = session.initial {
            session.initial = nil
            subscribe(initial, session, connection)
        }
    }

    func received(_ payload: [UInt8], _ opcode: Opcode, from connection: Connection) {
        if let session = connection.session as? ClientSession {
            guard opcode == .text else {
                return transport.close(connection, .unsupportedData, "send JSON in text frames")
            }
            handle(payload, session, connection)
        } else {
            transport.echo(payload, opcode, to: connection)
        }
    }

    func ended(_ connection: Connection, _ code: CloseCode) {
        let session = connection.session as? ClientSession
        if session?.isEventStream ?? false {
            state.metrics.eventStreamEnds[Self.reason(code)].increment()
        } else {
            state.metrics.disconnects[String(code.rawValue)].increment()
        }
        guard let session else { return }
        for case .some(let handle) in session.subscriptions.map(\.handle) {
            transport.hub.unsubscribe(handle)
        }
        session.subscriptions = []
        if let named = session.named { state.sessions.detach(named.name, owner(connection)) }
        replays.removeAll { $0.connection == connection.token }
    }

    func deadlinePassed(_ connection: Connection) {
        heartbeat(connection)
    }

    func gapMessage(_ loss: Loss) -> DirectMessage {
        state.metrics.messagesSent["gap"].increment()
        var counts = SeverityCounts()
        for severity in Severity.allCases { counts[severity] = UInt64(loss[severity]) }
        let text = ServerMessage.gap(
            from: loss.from, to: loss.to, dropped: counts, reason: "slow_consumer",
            backfill: "/events?after=\(loss.from.predecessor)&until=\(loss.to)")
        return DirectMessage(type: "gap", text: text)
    }

    func shed(_ loss: Loss, _ connection: Connection) {
        for severity in Severity.allCases where loss[severity] > 0 {
            state.metrics.eventsDropped[severity.rawValue, "slow_consumer"].increment(
                by: UInt64(loss[severity]))
        }
    }

    func broadcast(_ publications: ArraySlice<Publication>, frames: Int, nanoseconds: UInt64) {
        guard let last = publications.last else { return }
        reached(last.position)
        state.publisher.broadcastIsDone(publications.count, by: index)
        state.metrics.messagesSent["event"].increment(by: UInt64(frames))
        state.metrics.fanoutTime.observe(nanoseconds: nanoseconds)
        let now = monotonicNanoseconds()
        for publication in publications {
            state.metrics.publishLatency.observe(nanoseconds: now - publication.publishedAt)
        }
    }

    /// Everything up to there has been handed to those who want it.
    func reached(_ position: StreamPosition) {
        self.position = max(self.position, position)
    }

    func turnEnded() -> Bool {
        let figures = state.loops[index]
        figures.connections.store(transport.connectionCount, ordering: .relaxed)
        figures.subscriptions.store(transport.hub.subscriptionCount + replays.count, ordering: .relaxed)
        figures.distinctFilters.store(transport.hub.distinctFilterCount, ordering: .relaxed)
        submit()
        endDrain()
        return replay()
    }
}
