/// What a frame carries (RFC 6455 §5.2 and §11.8). The values between are reserved and refused.
public enum Opcode: UInt8, Sendable, Hashable {
    /// A further fragment of the data message under way.
    case continuation = 0x0
    /// A data message of UTF-8 text.
    case text = 0x1
    /// A data message of any bytes.
    case binary = 0x2
    /// The closing handshake, with an optional code and reason.
    case close = 0x8
    /// Asks for a pong with the same payload.
    case ping = 0x9
    /// Answers a ping, or shows life unasked.
    case pong = 0xA

    /// Close, ping and pong: at most 125 bytes, never fragmented (RFC 6455 §5.5).
    public var isControl: Bool {
        rawValue & 0x8 != 0
    }
}
