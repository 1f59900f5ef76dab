/// What a peer said, in whole messages.
public enum WebSocketEvent: Sendable, Hashable {
    /// A data message, put together and inflated. `opcode` is binary, or text of valid UTF-8.
    case message(opcode: Opcode, payload: [UInt8])
    /// A ping; a pong with this payload is due (RFC 6455 §5.5.2).
    case ping([UInt8])
    /// A pong, asked for or not.
    case pong([UInt8])
    /// The peer's close frame: its code where it had one, and the reason, which may be empty.
    case close(CloseCode?, reason: String)
}
