import Synchronization

/// What the loops count, for metrics. One for all loops: the loops add once a turn or a connection, not once
/// a frame.
public final class TransportStatistics: Sendable {
    /// Connections that are open and have a place, of every kind.
    public let connections = Atomic<Int>(0)
    /// WebSocket connections that are open.
    public let webSockets = Atomic<Int>(0)
    /// Event streams that are open.
    public let eventStreams = Atomic<Int>(0)
    /// Connections that were answered with 503, since all places were taken.
    public let refused = Atomic<Int>(0)
    /// Times that a listener stopped accepting, for want of descriptors or places.
    public let acceptPauses = Atomic<Int>(0)
    /// Times that requests broke a rule of HTTP or took too long.
    public let badRequests = Atomic<Int>(0)
    /// TLS handshakes that ended well.
    public let handshakes = Atomic<Int>(0)
    /// TLS handshakes that failed.
    public let failedHandshakes = Atomic<Int>(0)
    /// Event frames handed to connections.
    public let eventFrames = Atomic<Int>(0)
    /// Bytes of plaintext that sockets took.
    public let bytesSent = Atomic<Int>(0)
    /// Bytes of plaintext that wait in queues.
    public let bytesQueued = Atomic<Int>(0)

    /// All zero.
    public init() {}
}

extension Atomic where Value == Int {
    /// Adds, in no order with other memory: a count orders nothing.
    func count(_ change: Int = 1) {
        add(change, ordering: .relaxed)
    }
}
