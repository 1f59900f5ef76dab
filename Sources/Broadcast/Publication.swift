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
    /// The same frame deflated, for each window that a client asked for; made on first need.
    private let deflated = Locked<[UInt8: [UInt8]]>([:])

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

    /// The frame in that encoding. `deflater` is the calling thread's own.
    public func frame(_ encoding: FrameEncoding, _ deflater: Deflater) -> [UInt8] {
        guard encoding != .plain else { return frame }
        // Another loop that needs it at the same moment waits some microseconds instead of making it again.
        return deflated.withLock { frames in
            if let made = frames[encoding.windowBits] { return made }
            let made = encoding.encode(message, deflater)
            frames[encoding.windowBits] = made
            return made
        }
    }
}

/// How frames travel to a connection: as they are, or by permessage-deflate (RFC 7692) without context
/// takeover and with a window of 2⁸ to 2¹⁵ bytes.
public struct FrameEncoding: Hashable, Sendable {
    /// 0 for plain, else 8 to 15.
    public let windowBits: UInt8

    /// Plain frames.
    public static let plain = FrameEncoding(windowBits: 0)

    /// Deflated within a window of 2^`windowBits` bytes.
    public static func deflate(windowBits: UInt8) -> FrameEncoding {
        precondition((8...15).contains(windowBits))
        return FrameEncoding(windowBits: windowBits)
    }

    /// A message as one frame. It stays plain where deflating would not shorten it, as RFC 7692 6 allows for
    /// each message.
    public func encode(_ message: [UInt8], _ deflater: Deflater, _ opcode: Opcode = .text) -> [UInt8] {
        message.withUnsafeBytes { plain in
            guard self != .plain else { return Frame.encode(opcode, plain) }
            let short = deflater.deflate(plain, windowBits: Int(windowBits))
            guard short.count < plain.count else { return Frame.encode(opcode, plain) }
            return short.withUnsafeBytes { Frame.encode(opcode, $0, isCompressed: true) }
        }
    }
}
