/// Which end of a connection we are. Clients mask what they send, servers do not (RFC 6455 §5.1).
public enum Role: Sendable, Hashable {
    /// We accepted the connection; frames that arrive must be masked.
    case server
    /// We opened the connection; frames that arrive must not be masked.
    case client
}
