extension ClientMessage {
    private enum Kind: String, CaseIterable {
        case auth, subscribe
        case updateSubscription = "update_subscription"
        case unsubscribe
        case listSubscriptions = "list_subscriptions"
        case ping, analyze, health, session, ack
        case endSession = "end_session"
    }

    /// Reads one message. Unknown members are refused, so that a misspelt one is not silently without effect.
    ///
    /// An error carries the id of the request wherever the text is a JSON object with a valid `id`.
    public static func parse(_ bytes: [UInt8]) throws(ClientMessageError) -> ClientMessage {
        let value: JSONValue
        do {
            value = try JSONValue.parse(bytes)
        } catch {
            throw ClientMessageError(code: .invalidJSON, message: error.description, id: nil)
        }
        let id = value["id"].flatMap(RequestID.init)
        func invalid(_ code: ErrorCode, _ message: String) -> ClientMessageError {
            ClientMessageError(code: code, message: message, id: id)
        }
        guard value.members != nil else { throw invalid(.invalidMessage, "a message must be an object") }
        if let given = value["id"], given != .null, id == nil {
            throw invalid(.invalidMessage, "id must be a string of 1 to 64 characters or an integer")
        }
        guard let type = value["type"]?.text else { throw invalid(.invalidMessage, "type must be a string") }
        guard let kind = Kind(rawValue: type) else {
            let known = Kind.allCases.map(\.rawValue)
            throw invalid(
                .invalidMessageType,
                InvalidMember.unknown(type, "message type", at: "type", known: known).message)
        }
        do {
            return try message(kind, value, id)
        } catch {
            throw invalid(error.path.hasPrefix("filter") ? .invalidFilter : .invalidMessage, error.message)
        }
    }

    private static func message(
        _ kind: Kind, _ value: JSONValue, _ id: RequestID?
    ) throws(InvalidMember) -> ClientMessage {
        switch kind {
        case .subscribe:
            return .subscribe(try Subscribe(value, id))
        case .updateSubscription:
            let reader = try MemberReader(
                value, at: "", allowed: ["type", "id", "subscription_id", "filter"])
            guard let filter = reader.value("filter") else {
                throw InvalidMember(path: "filter", problem: "is required; {} lets every event pass")
            }
            return .updateSubscription(
                id: id, subscriptionID: try subscriptionID(reader), filter: try EventFilter.parse(filter))
        case .unsubscribe:
            let reader = try MemberReader(value, at: "", allowed: ["type", "id", "subscription_id"])
            return .unsubscribe(id: id, subscriptionID: try subscriptionID(reader))
        case .listSubscriptions:
            _ = try MemberReader(value, at: "", allowed: ["type", "id"])
            return .listSubscriptions(id: id)
        case .ping:
            _ = try MemberReader(value, at: "", allowed: ["type", "id"])
            return .ping(id: id)
        case .analyze:
            let reader = try MemberReader(value, at: "", allowed: ["type", "id", "asset", "agents"])
            return .analyze(id: id, try AnalysisRequest(reader))
        case .health:
            let reader = try MemberReader(value, at: "", allowed: ["type", "id", "scope"])
            return .health(id: id, try reader.require("scope", reader.choice))
        case .session:
            return .session(try Session(value, id))
        case .ack:
            let reader = try MemberReader(value, at: "", allowed: ["type", "id", "position"])
            guard let position = reader.value("position")?.text.flatMap(StreamPosition.init) else {
                throw InvalidMember(path: "position", problem: "must be a position of the stream")
            }
            return .ack(id: id, position)
        case .endSession:
            _ = try MemberReader(value, at: "", allowed: ["type", "id"])
            return .endSession(id: id)
        case .auth:
            return .notYetAvailable(type: kind.rawValue, id: id)
        }
    }

    static func subscriptionID(_ reader: MemberReader) throws(InvalidMember) -> String {
        let text = try reader.requiredText("subscription_id", limit: 64)
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }) else {
            throw InvalidMember(path: "subscription_id", problem: "must not contain control characters")
        }
        return text
    }
}

extension ClientMessage.Subscribe {
    fileprivate init(_ value: JSONValue, _ id: RequestID?) throws(InvalidMember) {
        let reader = try MemberReader(
            value, at: "", allowed: ["type", "id", "subscription_id", "filter", "snapshot", "since", "last"])
        self.init(
            id: id, subscriptionID: try ClientMessage.subscriptionID(reader),
            filter: try EventFilter.parse(reader.value("filter") ?? [:]),
            snapshot: try reader.bool("snapshot") ?? false,
            start: try SubscriptionStart.parse(since: reader.value("since"), last: reader.value("last")))
    }
}

extension ClientMessage.Session {
    init(_ value: JSONValue, _ id: RequestID?) throws(InvalidMember) {
        let reader = try MemberReader(value, at: "", allowed: ["type", "id", "session", "ttl_hours"])
        // What was sent is not echoed: it may be the secret, misspelt.
        guard let name = reader.value("session")?.text.flatMap(SessionName.init) else {
            throw InvalidMember(
                path: "session",
                problem: "must be 16 to 128 of the characters A-Z a-z 0-9 . _ -; draw it at random")
        }
        let hours = SessionRecord.Limits.hours
        let ttl = try reader.integer("ttl_hours", in: Int64(hours.lowerBound)...Int64(hours.upperBound))
        self.init(id: id, name: name, ttlHours: ttl.map { Int($0) })
    }
}
