/// The closing handshake (RFC 6455 §7.1): what to answer, and when to close the transport.
public struct ClosingHandshake: Sendable {
    private let role: Role
    /// Whether our close frame was made: nothing may be sent behind it (§5.5.1).
    public private(set) var isSent = false
    private var isReceived = false
    private var hasFailed = false

    /// Neither side has begun to close.
    public init(role: Role) {
        self.role = role
    }

    /// Whether messages are still delivered: not once either side has sent its close frame (§1.4).
    public var isOpen: Bool {
        !isSent && !isReceived
    }

    /// Whether to close the transport once what is queued has been written. A server does so first, so that
    /// the client is spared TIME_WAIT (§7.1.1); after a violation either side does at once (§7.1.7).
    public var closesTransport: Bool {
        hasFailed || (role == .server && isSent && isReceived)
    }

    /// Begins to close.
    ///
    /// - Returns: the close frame to send; nil when one was sent before.
    public mutating func begin(
        _ code: CloseCode, _ reason: String = "", maskingKey: UInt32? = nil
    ) -> [UInt8]? {
        send(code, reason, maskingKey)
    }

    /// Takes the peer's close frame.
    ///
    /// - Returns: the answer, which repeats the code (§5.5.1); nil when ours was sent before.
    public mutating func receive(_ code: CloseCode?, maskingKey: UInt32? = nil) -> [UInt8]? {
        isReceived = true
        return send(code, "", maskingKey)
    }

    /// Gives the connection up for what the peer did.
    ///
    /// - Returns: the close frame that tells it why; nil when one was sent before.
    public mutating func fail(_ violation: ProtocolViolation, maskingKey: UInt32? = nil) -> [UInt8]? {
        hasFailed = true
        return send(violation.closeCode, violation.reason, maskingKey)
    }

    private mutating func send(_ code: CloseCode?, _ reason: String, _ maskingKey: UInt32?) -> [UInt8]? {
        guard !isSent else { return nil }
        isSent = true
        return Frame.close(code, reason, maskingKey: maskingKey)
    }
}
