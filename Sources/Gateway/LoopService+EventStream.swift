import FIMLCore
import HTTP
import Transport
import WebSocket

// Server-sent events (WHATWG HTML 9.2): the stream as the content of a response.
extension LoopService {
    /// How long clients wait before they come back, in milliseconds, each another time: those of a gateway
    /// that was killed do not all knock on the next one at once.
    static let reconnectDelays = 1_000...5_000

    /// `/events/stream`: what a WebSocket with the same query string would be told. `Last-Event-ID`, which a
    /// browser sends when it comes back, says better than `since` or `last` from where to go on.
    func openEventStream(_ request: HTTPRequest) -> Answer {
        if state.isDraining.load(ordering: .relaxed) { return .response(readiness()) }
        if let refusal = refusedOrigin(request) { return .response(refusal) }
        var subscription: ClientMessage.Subscribe
        do throws(InvalidMember) {
            subscription = try self.subscription(request.query)
        } catch {
            return .response(.problem(.invalidFilter, error.message))
        }
        if let id = request.fields["Last-Event-ID"], !id.isEmpty {
            // What is no position was not assigned here: it is as unknown as one from the future. A browser
            // that were refused for it would never come back.
            subscription.start = .after(StreamPosition(id) ?? .never)
        }
        let settings = state.settings.webSocket
        let allowance = RequestAllowance(
            perSecond: settings.requestsPerSecond, burst: settings.requestBurst, now: transport.now)
        return .eventStream(
            EventStreamAcceptance(
                response: HTTPResponse(
                    status: 200,
                    fields: [
                        "Content-Type": "text/event-stream", "Cache-Control": "no-cache",
                        // Proxies such as nginx hold content back until there is much of it.
                        "X-Accel-Buffering": "no",
                    ]),
                isChunked: request.minorVersion >= 1, sendQueueBytes: settings.sendQueueBytes,
                session: ClientSession(allowance: allowance, initial: subscription, isEventStream: true)))
    }

    /// Why an event stream ended, for the metrics.
    static func reason(_ code: CloseCode) -> String {
        switch code {
        case .slowConsumer: "slow_consumer"
        case .draining: "drain"
        case .abnormalClosure: "client"
        default: "other"
        }
    }
}

extension StreamPosition {
    /// After every position that is ever assigned.
    fileprivate static let never = StreamPosition(milliseconds: .max, sequence: .max)
}
