import FIMLCore
import HTTP
import Transport
import WebSocket

// Opening handshakes.
extension LoopService {
    /// The largest message that `/ws/echo` takes, as sent and inflated.
    private static let echoBytes = 64 << 20
    private static let subprotocol = "fiml.v1.json"

    /// `/ws/events`: the event stream, with the subscription of the query string, if it has one.
    func openStream(_ request: HTTPRequest) -> Answer {
        if state.isDraining.load(ordering: .relaxed) { return .response(readiness()) }
        let key: String
        switch WebSocketUpgrade.check(request) {
        case .success(let accepted): key = accepted
        case .failure(let refusal): return .response(refusal.response)
        }
        if let origin = request.fields["Origin"], !state.settings.cors.origins.allows(origin) {
            return .response(
                .problem(
                    .permissionDenied, "pages of \(origin) may not connect; CORS_ORIGINS lists those that may"
                ))
        }
        let settings = state.settings.webSocket
        let session: ClientMessage.Session?
        let initial: ClientMessage.Subscribe?
        do throws(InvalidMember) {
            let (named, rest) = try ClientMessage.Session.parse(query: request.query)
            session = named
            initial = try subscription(rest)
        } catch {
            let isOfSession = ["session", "ttl_hours"].contains(error.path)
            return .response(.problem(isOfSession ? .invalidMessage : .invalidFilter, error.message))
        }
        let allowance = RequestAllowance(
            perSecond: settings.requestsPerSecond, burst: settings.requestBurst, now: transport.now)
        return .webSocket(
            WebSocketAcceptance(
                acceptKey: key, subprotocol: selectSubprotocol(request), deflate: deflate(request),
                maxMessageBytes: settings.maxMessageBytes, maxInflatedBytes: settings.maxInflatedBytes,
                sendQueueBytes: settings.sendQueueBytes,
                session: ClientSession(allowance: allowance, initial: initial, session: session)))
    }

    /// `/ws/echo`: every message comes back, for conformance suites.
    func openEcho(_ request: HTTPRequest) -> Answer {
        switch WebSocketUpgrade.check(request) {
        case .success(let key):
            .webSocket(
                WebSocketAcceptance(
                    acceptKey: key, subprotocol: nil, deflate: deflate(request),
                    maxMessageBytes: Self.echoBytes,
                    maxInflatedBytes: Self.echoBytes, sendQueueBytes: nil, session: nil))
        case .failure(let refusal): .response(refusal.response)
        }
    }

    private func selectSubprotocol(_ request: HTTPRequest) -> String? {
        Handshake.selectSubprotocol(
            offers: request.fields.values("Sec-WebSocket-Protocol"), supported: [Self.subprotocol])
    }

    private func deflate(_ request: HTTPRequest) -> DeflateParameters? {
        DeflateParameters.negotiate(offers: request.fields.values("Sec-WebSocket-Extensions"))
    }

    /// The subscription of a query string; nil where there is none.
    private func subscription(
        _ query: [(name: String, value: String)]
    ) throws(InvalidMember) -> ClientMessage.Subscribe? {
        guard !query.isEmpty else { return nil }
        let (filter, others) = try EventFilter.parse(query: query)
        let (start, rest) = try SubscriptionStart.parse(query: others)
        var snapshot = false
        for (name, value) in rest {
            guard name == "snapshot" else {
                throw InvalidMember.unknownParameter(
                    name, others: ["since", "last", "snapshot", "session", "ttl_hours"])
            }
            guard value == "true" || value == "false" else {
                throw InvalidMember(path: name, problem: "must be true or false")
            }
            snapshot = value == "true"
        }
        return ClientMessage.Subscribe(
            id: nil, subscriptionID: "query", filter: filter, snapshot: snapshot, start: start)
    }
}
