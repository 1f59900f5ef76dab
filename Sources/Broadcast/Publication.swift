import FIMLCore
import Locking
import WebSocket

/// One event on its way to all who want it: immutable, serialised once, shared by every loop and write queue.
public final class Publication: Sendable {
    /// Its place in the stream.
    public let position: StreamPosition
    /// The event, prepared for filters.
    public let event: MatchableEvent
    /// How much it matters; decides what a slow consumer loses first.
    public let severity: Severity
    /// When it was taken in, in nanoseconds of the monotonic clock.
    public let publishedAt: UInt64
    /// The whole `event` message, JSON.
    public let message: [UInt8]
    /// `message` as one WebSocket text frame.
    public let frame: [UInt8]
    /// What other encodings make of it, each on first need.
    private let encoded = Locked<[FrameEncoding: [UInt8]]>([:])

    /// `message` is `ServerMessage.event` of the same position and event.
    public init(
        position: StreamPosition, event: MatchableEvent, severity: Severity, publishedAt: UInt64,
        message: [UInt8]
    ) {
        self.position = position
        self.event = event
        self.severity = severity
        self.publishedAt = publishedAt
        self.message = message
        frame = message.withUnsafeBytes { Frame.encode(.text, $0) }
    }

    /// What goes over the wire in that encoding. `deflater` is the calling thread's own.
    public func frame(_ encoding: FrameEncoding, _ deflater: Deflater) -> [UInt8] {
        guard encoding != .plain else { return frame }
        // Another loop that needs it at the same moment waits some microseconds instead of making it again.
        return encoded.withLock { frames in
            if let made = frames[encoding] { return made }
            let made = encode(encoding, deflater)
            frames[encoding] = made
            return made
        }
    }

    private func encode(_ encoding: FrameEncoding, _ deflater: Deflater) -> [UInt8] {
        switch encoding {
        case .plain, .deflate:
            encoding.encode(message, deflater)
        case .eventStream:
            encoding.encode(DirectMessage(type: "event", text: message, position: position))
        }
    }
}
