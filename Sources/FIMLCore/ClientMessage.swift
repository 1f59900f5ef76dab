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
    /// A type of the protocol that this server does not serve; to be answered UNAVAILABLE.
    case notYetAvailable(type: String, id: RequestID?)

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
