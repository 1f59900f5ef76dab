import WebSocket

/// How events travel to a connection: by which protocol, and in which form of it.
public enum FrameEncoding: Hashable, Sendable {
    /// WebSocket frames as they are.
    case plain
    /// WebSocket frames by permessage-deflate (RFC 7692) without context takeover and with a window of
    /// 2^`windowBits` bytes, 8 to 15.
    case deflate(windowBits: UInt8)
    /// Blocks of an event stream, each a chunk of its own where the client speaks HTTP/1.1.
    case eventStream(isChunked: Bool)

    /// A message as one WebSocket frame. It stays plain where deflating would not shorten it, as RFC 7692 6
    /// allows for each message.
    public func encode(_ message: [UInt8], _ deflater: Deflater, _ opcode: Opcode = .text) -> [UInt8] {
        message.withUnsafeBytes { plain in
            guard case .deflate(let windowBits) = self else { return Frame.encode(opcode, plain) }
            let short = deflater.deflate(plain, windowBits: Int(windowBits))
            guard short.count < plain.count else { return Frame.encode(opcode, plain) }
            return short.withUnsafeBytes { Frame.encode(opcode, $0, isCompressed: true) }
        }
    }

    /// A message for one connection. It is not deflated: it is small, and for one only.
    public func encode(_ message: DirectMessage) -> [UInt8] {
        switch self {
        case .plain, .deflate:
            Frame.encode(.text, message.text)
        case .eventStream(let isChunked):
            EventStreamBlock.encode(message, isChunked: isChunked)
        }
    }
}
