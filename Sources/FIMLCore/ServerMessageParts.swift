/// What a `welcome` says.
public struct Welcome: Sendable {
    /// Unique among the connections of the server.
    public var connectionID: String
    /// Which server of several this is.
    public var serverID: String
    /// The version of the gateway.
    public var version: String
    /// When the connection was accepted.
    public var timestamp: Timestamp
    /// The newest position in the stream.
    public var position: StreamPosition
    /// The oldest position that can be resumed from; nil while nothing is stored.
    public var earliestPosition: StreamPosition?
    /// How often a `heartbeat` comes.
    public var heartbeatSeconds: Int
    /// Whether the client has shown credentials.
    public var authenticated: Bool
    /// What the server takes from one connection.
    public var limits: ConnectionLimits

    /// A welcome with every part given.
    public init(
        connectionID: String, serverID: String, version: String, timestamp: Timestamp,
        position: StreamPosition,
        earliestPosition: StreamPosition?, heartbeatSeconds: Int, authenticated: Bool,
        limits: ConnectionLimits
    ) {
        self.connectionID = connectionID
        self.serverID = serverID
        self.version = version
        self.timestamp = timestamp
        self.position = position
        self.earliestPosition = earliestPosition
        self.heartbeatSeconds = heartbeatSeconds
        self.authenticated = authenticated
        self.limits = limits
    }
}

/// What the server takes from one connection, and holds for it.
public struct ConnectionLimits: Sendable, JSONWritable {
    /// The longest message, in bytes.
    public var maxMessageBytes: Int
    /// Subscriptions at once.
    public var maxSubscriptions: Int
    /// Requests a second, as a mean.
    public var maxRequestsPerSecond: Int
    /// What may wait to be sent, in bytes.
    public var sendQueueBytes: Int

    /// Limits with every part given.
    public init(maxMessageBytes: Int, maxSubscriptions: Int, maxRequestsPerSecond: Int, sendQueueBytes: Int) {
        self.maxMessageBytes = maxMessageBytes
        self.maxSubscriptions = maxSubscriptions
        self.maxRequestsPerSecond = maxRequestsPerSecond
        self.sendQueueBytes = sendQueueBytes
    }

    /// Writes the four limits.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("max_message_bytes", maxMessageBytes)
        writer.member("max_subscriptions", maxSubscriptions)
        writer.member("max_requests_per_second", maxRequestsPerSecond)
        writer.member("send_queue_bytes", sendQueueBytes)
        writer.endObject()
    }
}

/// Whether a subscription gets all that it asked for.
public enum Recovery: Hashable, Sendable {
    /// It does: first so many stored events, then live. 0 also where only live events were asked for.
    case recovered(replaying: Int?)
    /// Its start lies outside of what is stored; nothing is replayed.
    case lost(RecoveryLoss)
}

/// Why a start could not be found in the store.
public enum RecoveryLoss: String, CaseIterable, JSONWritable, Sendable {
    /// It is older than everything stored.
    case windowExceeded = "window_exceeded"
    /// The store never assigned it.
    case positionUnknown = "position_unknown"
}

/// An event and its place in the stream.
public struct PositionedEvent: Hashable, Sendable, JSONWritable {
    /// Its place.
    public var position: StreamPosition
    /// The event.
    public var event: WatchdogEvent

    /// An event at a place.
    public init(position: StreamPosition, event: WatchdogEvent) {
        self.position = position
        self.event = event
    }

    /// Writes `position` and `event`.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("position", position)
        writer.member("event", event)
        writer.endObject()
    }
}

/// A count for each severity.
public struct SeverityCounts: Hashable, Sendable, JSONWritable {
    private var counts: [UInt64] = [0, 0, 0, 0]

    /// All zero.
    public init() {}

    /// The count of one severity.
    public subscript(severity: Severity) -> UInt64 {
        get { counts[severity.rank] }
        set { counts[severity.rank] = newValue }
    }

    /// Of all severities together.
    public var total: UInt64 {
        counts.reduce(0, &+)
    }

    /// Writes one member for each severity, lowest first.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        for severity in Severity.allCases {
            writer.member(severity.rawValue, self[severity])
        }
        writer.endObject()
    }
}

/// How many watchdogs are in which state.
public struct WatchdogCounts: Hashable, Sendable, JSONWritable {
    /// All of them.
    public var total: Int
    /// Check, and succeed.
    public var healthy: Int
    /// Failed once or twice in a row.
    public var degraded: Int
    /// Fail each time.
    public var unhealthy: Int
    /// Get no input.
    public var stale: Int
    /// Are switched off.
    public var disabled: Int
    /// Those that could not fire now: unhealthy, stale or switched off.
    public var blind: [WatchdogName]

    /// Counts with every part given.
    public init(
        total: Int = 0, healthy: Int = 0, degraded: Int = 0, unhealthy: Int = 0, stale: Int = 0,
        disabled: Int = 0, blind: [WatchdogName] = []
    ) {
        self.total = total
        self.healthy = healthy
        self.degraded = degraded
        self.unhealthy = unhealthy
        self.stale = stale
        self.disabled = disabled
        self.blind = blind
    }

    /// Writes one member for each state, after the total, and the names in `blind`.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("total", total)
        writer.member("healthy", healthy)
        writer.member("degraded", degraded)
        writer.member("unhealthy", unhealthy)
        writer.member("stale", stale)
        writer.member("disabled", disabled)
        writer.member("blind", blind)
        writer.endObject()
    }
}
