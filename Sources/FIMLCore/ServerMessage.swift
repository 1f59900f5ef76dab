/// What the server sends over the socket, each as the JSON text of one frame, members in the order of the
/// public protocol. Everything that a message says is a parameter: no clock, no counter in here.
public enum ServerMessage {
    /// The first message of a connection.
    public static func welcome(_ welcome: Welcome) -> [UInt8] {
        message("welcome") { writer in
            writer.member("protocol", "fiml.v1.json")
            writer.member("connection_id", welcome.connectionID)
            writer.member("server_id", welcome.serverID)
            writer.member("version", welcome.version)
            writer.member("timestamp", welcome.timestamp)
            writer.member("position", welcome.position)
            writer.member("earliest_position", orNull: welcome.earliestPosition)
            writer.member("heartbeat_seconds", welcome.heartbeatSeconds)
            writer.member("authenticated", welcome.authenticated)
            writer.member("limits", welcome.limits)
        }
    }

    /// The answer to `subscribe` and to `update_subscription`. Positions from here on are the client's own
    /// once what is replayed has arrived; `recovered` says whether everything that was asked for is.
    public static func subscriptionAck(
        id: RequestID?, subscriptionID: String, position: StreamPosition, recovery: Recovery,
        timestamp: Timestamp
    ) -> [UInt8] {
        message("subscription_ack", id: id) { writer in
            writer.member("subscription_id", subscriptionID)
            writer.member("position", position)
            writer.recovery(recovery)
            writer.member("timestamp", timestamp)
        }
    }

    /// What is firing now. `complete` is false where there was more than was sent.
    public static func snapshot(
        subscriptionID: String, position: StreamPosition, events: [PositionedEvent], complete: Bool
    ) -> [UInt8] {
        message("snapshot", capacity: 128 + 512 * events.count) { writer in
            writer.member("subscription_id", subscriptionID)
            writer.member("position", position)
            writer.member("events", events)
            writer.member("complete", complete)
        }
    }

    /// One event. Carries nothing of a connection or a subscription, so that one text serves every
    /// subscriber.
    public static func event(position: StreamPosition, event: WatchdogEvent) -> [UInt8] {
        self.event(position: position, json: event.json)
    }

    /// One event whose text is there already.
    public static func event(position: StreamPosition, json: [UInt8]) -> [UInt8] {
        message("event", capacity: 80 + json.count) { writer in
            writer.member("position", position)
            writer.name("event")
            writer.raw(json)
        }
    }

    /// What follows the last event of a replay; live events come next.
    public static func replayComplete(
        subscriptionID: String, position: StreamPosition, eventsSent: Int
    ) -> [UInt8] {
        message("replay_complete") { writer in
            writer.member("subscription_id", subscriptionID)
            writer.member("position", position)
            writer.member("events_sent", eventsSent)
        }
    }

    /// What was not delivered, between two positions, both of them events that were dropped. `backfill` is
    /// the path that has them.
    public static func gap(
        from: StreamPosition, to: StreamPosition, dropped: SeverityCounts, reason: String, backfill: String
    ) -> [UInt8] {
        message("gap") { writer in
            writer.member("from_position", from)
            writer.member("to_position", to)
            writer.member("dropped", dropped.total)
            writer.member("by_severity", dropped)
            writer.member("reason", reason)
            writer.member("backfill", backfill)
        }
    }

    /// Says up to where the client is complete, and how the watchdogs are.
    public static func heartbeat(
        timestamp: Timestamp, position: StreamPosition, eventsSent: UInt64, eventsDropped: UInt64,
        activeSubscriptions: Int, watchdogs: WatchdogCounts
    ) -> [UInt8] {
        message("heartbeat") { writer in
            writer.member("timestamp", timestamp)
            writer.member("position", position)
            writer.member("events_sent", eventsSent)
            writer.member("events_dropped", eventsDropped)
            writer.member("active_subscriptions", activeSubscriptions)
            writer.member("watchdogs", watchdogs)
        }
    }

    /// Something changed its state, such as a watchdog that has become stale.
    public static func status(
        timestamp: Timestamp, scope: String, name: String, state: String, previousState: String,
        reason: String
    ) -> [UInt8] {
        message("status") { writer in
            writer.member("timestamp", timestamp)
            writer.member("scope", scope)
            writer.member("name", name)
            writer.member("state", state)
            writer.member("previous_state", previousState)
            writer.member("reason", reason)
        }
    }

    /// The answer to `unsubscribe`; no event after `position` is sent for that subscription.
    public static func unsubscribeAck(
        id: RequestID?, subscriptionID: String, position: StreamPosition
    ) -> [UInt8] {
        message("unsubscribe_ack", id: id) { writer in
            writer.member("subscription_id", subscriptionID)
            writer.member("position", position)
        }
    }

    /// The answer to `list_subscriptions`, filters in normal form.
    public static func subscriptions(
        id: RequestID?, subscriptions: [(subscriptionID: String, filter: EventFilter)]
    ) -> [UInt8] {
        message("subscriptions", id: id) { writer in
            writer.name("subscriptions")
            writer.beginArray()
            for (subscriptionID, filter) in subscriptions {
                writer.beginObject()
                writer.member("subscription_id", subscriptionID)
                writer.member("filter", filter)
                writer.endObject()
            }
            writer.endArray()
        }
    }

    /// The answer to `ping`.
    public static func pong(id: RequestID?, timestamp: Timestamp) -> [UInt8] {
        message("pong", id: id) { writer in writer.member("timestamp", timestamp) }
    }

    /// The answer to a request that failed, or word of a failure that no request caused (`id` nil).
    public static func error(
        id: RequestID?, code: ErrorCode, message text: String, retryAfterMilliseconds: Int? = nil,
        details: [String: JSONValue] = [:], timestamp: Timestamp
    ) -> [UInt8] {
        message("error", id: id) { writer in
            writer.member("error_code", code)
            writer.member("status", code.status)
            writer.member("message", text)
            writer.member("retryable", code.isRetryable)
            writer.member("retry_after_ms", orNull: retryAfterMilliseconds)
            writer.member("details", JSONValue.object(details))
            writer.member("timestamp", timestamp)
        }
    }

    /// The server is about to close the connection; the client should come back after that delay.
    public static func goingAway(
        reason: String, reconnectAfterMilliseconds: Int, position: StreamPosition, timestamp: Timestamp
    ) -> [UInt8] {
        message("going_away") { writer in
            writer.member("reason", reason)
            writer.member("reconnect_after_ms", reconnectAfterMilliseconds)
            writer.member("position", position)
            writer.member("timestamp", timestamp)
        }
    }

    static func message(
        _ type: String, id: RequestID? = nil, capacity: Int = 256, _ members: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: capacity)
        writer.beginObject()
        writer.member("type", type)
        writer.member("id", ifPresent: id)
        members(&writer)
        writer.endObject()
        return writer.bytes
    }
}
