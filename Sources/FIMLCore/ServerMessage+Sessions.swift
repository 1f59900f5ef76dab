// What the server sends about sessions.
extension ServerMessage {
    /// The answer to `session`. For each subscription that is taken up again and was `recovered`, what was
    /// missed follows as a replay with its `replay_complete`.
    public static func sessionAck(id: RequestID?, _ ack: SessionAck) -> [UInt8] {
        message("session_ack", id: id, capacity: 256 + 256 * ack.subscriptions.count) { writer in
            writer.member("resumed", ack.resumed)
            writer.member("position", ack.position)
            writer.member("ttl_seconds", ack.ttlSeconds)
            writer.member("expires_at", ack.expiresAt)
            writer.member("subscriptions", ack.subscriptions)
            writer.member("dropped", ack.dropped)
            writer.member("timestamp", ack.timestamp)
        }
    }

    /// The answer to `end_session`: nothing is kept any more; the connection's subscriptions go on.
    public static func endSessionAck(id: RequestID?, timestamp: Timestamp) -> [UInt8] {
        message("end_session_ack", id: id) { writer in writer.member("timestamp", timestamp) }
    }
}

/// What a `session_ack` says.
public struct SessionAck: Hashable, Sendable {
    /// A subscription that is taken up again.
    public struct Subscription: Hashable, Sendable, JSONWritable {
        /// What is kept of it; its position is the one that it goes on after.
        public var kept: SessionRecord.Subscription
        /// Whether everything since then arrives.
        public var recovery: Recovery

        /// With both parts given.
        public init(kept: SessionRecord.Subscription, recovery: Recovery) {
            (self.kept, self.recovery) = (kept, recovery)
        }

        /// Writes what is kept, and the recovery as `subscription_ack` has it.
        public func write(to writer: inout JSONWriter) {
            writer.beginObject()
            writer.member("subscription_id", kept.subscriptionID)
            writer.member("filter", kept.filter)
            writer.member("position", kept.position)
            writer.recovery(recovery)
            writer.endObject()
        }
    }

    /// Whether the session was known. Where it was not, the client has missed what it had not confirmed, and
    /// subscribes again.
    public var resumed: Bool
    /// The earliest position that a subscription goes on after; the stream's newest where there is none.
    public var position: StreamPosition
    /// How long the session is kept unused.
    public var ttlSeconds: Int64
    /// When it is forgotten if the client left now.
    public var expiresAt: Timestamp
    /// Those that are taken up again.
    public var subscriptions: [Subscription]
    /// Those that were kept and could not be taken up again.
    public var dropped: [SessionRecord.Dropped]
    /// Now.
    public var timestamp: Timestamp

    /// An ack with every part given.
    public init(
        resumed: Bool, position: StreamPosition, ttlSeconds: Int64, expiresAt: Timestamp,
        subscriptions: [Subscription], dropped: [SessionRecord.Dropped], timestamp: Timestamp
    ) {
        self.resumed = resumed
        self.position = position
        self.ttlSeconds = ttlSeconds
        self.expiresAt = expiresAt
        self.subscriptions = subscriptions
        self.dropped = dropped
        self.timestamp = timestamp
    }
}

extension JSONWriter {
    /// Writes `recovered`, `reason` where it was not, and `replaying`, null where it is not known.
    mutating func recovery(_ recovery: Recovery) {
        switch recovery {
        case .recovered(let replaying):
            member("recovered", true)
            member("replaying", orNull: replaying)
        case .lost(let reason):
            member("recovered", false)
            member("reason", reason)
            member("replaying", 0)
        }
    }
}
