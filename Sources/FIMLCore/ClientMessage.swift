/// What a client sends over the socket, one JSON object a text frame.
public enum ClientMessage: Hashable, Sendable {
    case subscribe(Subscribe)
    case updateSubscription(id: RequestID?, subscriptionID: String, filter: EventFilter)
    case unsubscribe(id: RequestID?, subscriptionID: String)
    case listSubscriptions(id: RequestID?)
    case ping(id: RequestID?)
    /// A request for an analysis, to be told step by step.
    case analyze(id: RequestID?, AnalysisRequest)
    /// A request for how a part of the system is.
    case health(id: RequestID?, HealthScope)
    /// Names the session that the connection is, or goes on as.
    case session(Session)
    /// The client has processed everything up to a position; the session keeps that.
    case ack(id: RequestID?, StreamPosition)
    /// The session is to be forgotten.
    case endSession(id: RequestID?)
    /// A type of the protocol that this server does not serve; to be answered UNAVAILABLE.
    case notYetAvailable(type: String, id: RequestID?)

    /// Names a session.
    public struct Session: Hashable, Sendable {
        /// To be echoed by the answer.
        public var id: RequestID?
        /// Which.
        public var name: SessionName
        /// How long it is to be kept unused; nil as the gateway would have it.
        public var ttlHours: Int?

        /// With every part given.
        public init(id: RequestID?, name: SessionName, ttlHours: Int? = nil) {
            (self.id, self.name, self.ttlHours) = (id, name, ttlHours)
        }

        /// Takes `session` and `ttl_hours` out of the pairs of a query string; nil where there is no
        /// `session`. `rest` holds the others in their order.
        public static func parse(
            query: [(name: String, value: String)]
        ) throws(InvalidMember) -> (session: Session?, rest: [(name: String, value: String)]) {
            var given: [String: JSONValue] = [:]
            for (name, value) in query where name == "session" || name == "ttl_hours" {
                guard given[name] == nil else {
                    throw InvalidMember(path: name, problem: "must be given once")
                }
                given[name] =
                    name == "session" ? .string(value) : Int64(value).map(JSONValue.integer) ?? .string(value)
            }
            let rest = query.filter { $0.name != "session" && $0.name != "ttl_hours" }
            guard !given.isEmpty else { return (nil, rest) }
            let session = try Session(.object(given), nil)
            return (session, rest)
        }
    }

    /// A request for events.
    public struct Subscribe: Hashable, Sendable {
        /// To be echoed by the answer.
        public var id: RequestID?
        /// What the client calls the subscription: 1 to 64 characters, none of them a control character.
        public var subscriptionID: String
        /// Which events.
        public var filter: EventFilter
        /// Whether what is firing now is sent first.
        public var snapshot: Bool
        /// From where on.
        public var start: SubscriptionStart

        /// A subscription with every part given.
        public init(
            id: RequestID?, subscriptionID: String, filter: EventFilter, snapshot: Bool,
            start: SubscriptionStart
        ) {
            self.id = id
            self.subscriptionID = subscriptionID
            self.filter = filter
            self.snapshot = snapshot
            self.start = start
        }
    }
}

/// Why a client's message was refused, ready to be told to it.
public struct ClientMessageError: Error, Hashable, Sendable {
    /// The code for programs.
    public let code: ErrorCode
    /// A sentence for people.
    public let message: String
    /// The request's id, where one could be read.
    public let id: RequestID?
}
