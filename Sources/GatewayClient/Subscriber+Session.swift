import FIMLCore

// A subscriber with a session: the gateway keeps its subscription and how far it came, so that another run,
// on whatever node, goes on there.
extension Subscriber {
    static let updateID: Int64 = 2

    static func sessionMessage(_ session: SessionName) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "session")
        writer.member("id", requestID)
        writer.member("session", session.secret)
        writer.endObject()
        return writer.bytes
    }

    /// The session is ours: its subscription goes on, or is made now.
    mutating func resumed(_ message: JSONValue) -> [Action] {
        guard session != nil else { return [] }
        let subscriptions = message["subscriptions"]?.elements ?? []
        guard let kept = subscriptions.first(where: { $0["subscription_id"]?.text == Self.subscriptionID })
        else { return [.send(subscribeMessage())] }
        var actions = acknowledged(kept)
        if (try? EventFilter.parse(kept["filter"] ?? [:])) != filter {
            actions.append(.send(updateMessage()))
        }
        return actions
    }

    private func updateMessage() -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "update_subscription")
        writer.member("id", Self.updateID)
        writer.member("subscription_id", Self.subscriptionID)
        writer.member("filter", filter)
        writer.endObject()
        return writer.bytes
    }

    /// Whether an event was not printed before: what this run has printed and not confirmed comes again.
    func isNew(_ message: JSONValue) -> Bool {
        guard session != nil, let last = position.flatMap(StreamPosition.init),
            let position = message["position"]?.text.flatMap(StreamPosition.init)
        else { return true }
        return position > last
    }

    /// All that came before a heartbeat is printed by now.
    func confirmation(of heartbeat: JSONValue) -> [Action] {
        guard session != nil, phase != .subscribing,
            let position = heartbeat["position"]?.text.flatMap(StreamPosition.init)
        else { return [] }
        return [.send(Self.ack(position))]
    }

    /// What a connection that is about to be closed by us still says; nil where there is nothing to say.
    func lastWord() -> [UInt8]? {
        guard session != nil, phase != .subscribing else { return nil }
        return position.flatMap(StreamPosition.init).map(Self.ack)
    }

    private static func ack(_ position: StreamPosition) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("type", "ack")
        writer.member("position", position)
        writer.endObject()
        return writer.bytes
    }
}
