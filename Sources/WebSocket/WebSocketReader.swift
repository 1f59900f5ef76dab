/// Turns what arrives on one connection into messages (RFC 6455 §5 and §6.2, RFC 7692 §7.2.2).
///
/// Pure: bytes go in, events come out. Between messages a reader owns no heap memory. Buffers grow with the
/// bytes that arrived, never with the length that a header claims.
public struct WebSocketReader: Sendable {
    // Wide properties first: the reader is part of every connection, and takes 64 bytes without padding.

    /// The frame under way, its masking key turned so that it fits the next byte; nil between frames.
    private var frame: FrameHeader?
    /// How much of its payload has not arrived.
    private var remaining = 0
    /// A header or a control payload that arrived in part. (Never both: one precedes the other.)
    private var partial: [UInt8] = []
    /// What arrived of a data message.
    private var message: [UInt8] = []
    private let maxMessageBytes: Int
    private let maxInflatedBytes: Int

    private var text = UTF8Validator()
    /// Text or binary while a data message is under way, else nil.
    private var messageOpcode: Opcode?
    private var isMessageCompressed = false
    /// After a close frame or a violation nothing more is read.
    private var isFinished = false
    private let role: Role
    private let acceptsCompression: Bool

    /// A reader for a connection that has just been upgraded.
    ///
    /// - Parameters:
    ///   - role: which end we are; decides whether frames must be masked.
    ///   - maxMessageBytes: the largest message as sent (compressed where it is), below 4 GiB.
    ///   - maxInflatedBytes: the largest compressed message once inflated, below 4 GiB.
    ///   - deflate: what was negotiated; nil refuses compressed messages.
    public init(role: Role, maxMessageBytes: Int, maxInflatedBytes: Int, deflate: DeflateParameters?) {
        let limits = 0...Int(UInt32.max)  // zlib counts its input in 32 bits
        precondition(limits.contains(maxMessageBytes) && limits.contains(maxInflatedBytes))
        self.role = role
        self.maxMessageBytes = maxMessageBytes
        self.maxInflatedBytes = maxInflatedBytes
        self.acceptsCompression = deflate != nil
    }

    /// Reads on until the next event.
    ///
    /// - Parameters:
    ///   - input: the unread bytes; unmasked in place, and advanced past what was read.
    ///   - inflater: the event loop's; may be nil only where no deflate was negotiated.
    /// - Returns: nil once the input is used up and more is needed. Nothing refers to the input afterwards.
    /// - Throws: the first thing that the peer did wrong. Nothing more is read afterwards.
    public mutating func next(
        _ input: inout UnsafeMutableRawBufferPointer, inflater: Inflater?
    ) throws(ProtocolViolation) -> WebSocketEvent? {
        do throws(ProtocolViolation) {
            while !isFinished, try beginFrame(&input) {
                let arrived = Self.take(min(remaining, input.count), from: &input)
                remaining -= arrived.count
                if let event = try readPayload(UnsafeRawBufferPointer(unmask(arrived)), inflater) {
                    return event
                }
                guard remaining == 0 else { return nil }
            }
        } catch {
            finish()
            throw error
        }
        if isFinished {
            input = UnsafeMutableRawBufferPointer(start: nil, count: 0)
        }
        return nil
    }

    // MARK: - Header

    /// Begins the next frame, unless one is under way.
    ///
    /// - Returns: false while its header has not arrived in full.
    private mutating func beginFrame(
        _ input: inout UnsafeMutableRawBufferPointer
    ) throws(ProtocolViolation) -> Bool {
        guard frame == nil else { return true }
        guard let header = try takeHeader(&input) else { return false }
        // RFC 6455 §5.1: a server must refuse unmasked frames, a client masked ones.
        switch role {
        case .server: guard header.maskingKey != nil else { throw .maskMissing }
        case .client: guard header.maskingKey == nil else { throw .maskUnexpected }
        }
        guard acceptsCompression || !header.isCompressed else { throw .reservedBitSet }
        switch header.opcode {
        case .close, .ping, .pong:
            break
        case .continuation:
            guard messageOpcode != nil else { throw .continuationWithoutMessage }
            // The sum of the fragments never passes the limit, so the difference is not negative.
            guard header.payloadLength <= maxMessageBytes - message.count else { throw .messageTooBig }
        case .text, .binary:
            guard messageOpcode == nil else { throw .messageInterrupted }
            guard header.payloadLength <= maxMessageBytes else { throw .messageTooBig }
            messageOpcode = header.opcode
            isMessageCompressed = header.isCompressed
        }
        frame = header
        remaining = header.payloadLength
        return true
    }

    private mutating func takeHeader(
        _ input: inout UnsafeMutableRawBufferPointer
    ) throws(ProtocolViolation) -> FrameHeader? {
        if partial.isEmpty, let header = try FrameHeader.decode(UnsafeRawBufferPointer(input)) {
            _ = Self.take(header.encodedLength, from: &input)
            return header
        }
        // A header in pieces: at most 14 bytes, so one at a time.
        while !input.isEmpty {
            partial.append(Self.take(1, from: &input)[0])
            if let header = try Self.decodeHeader(partial) {
                partial = []
                return header
            }
        }
        return nil
    }

    // MARK: - Payload

    private mutating func unmask(_ arrived: UnsafeMutableRawBufferPointer) -> UnsafeMutableRawBufferPointer {
        if let key = frame?.maskingKey {
            frame?.maskingKey = Masking.apply(key, to: arrived)
        }
        return arrived
    }

    /// Takes the next bytes of the frame's payload, and ends the frame with the last of them.
    private mutating func readPayload(
        _ arrived: UnsafeRawBufferPointer, _ inflater: Inflater?
    ) throws(ProtocolViolation) -> WebSocketEvent? {
        guard let frame else { return nil }
        if remaining == 0 {
            self.frame = nil
        }
        switch frame.opcode {
        case .close, .ping, .pong:
            return try readControlPayload(arrived, frame.opcode)
        case .continuation, .text, .binary:
            return try readDataPayload(arrived, endsMessage: frame.isFinal && remaining == 0, inflater)
        }
    }

    private mutating func readControlPayload(
        _ arrived: UnsafeRawBufferPointer, _ opcode: Opcode
    ) throws(ProtocolViolation) -> WebSocketEvent? {
        partial.append(contentsOf: arrived)
        guard remaining == 0 else { return nil }
        let payload = partial
        partial = []
        switch opcode {
        case .ping: return .ping(payload)
        case .pong: return .pong(payload)
        case .close, .continuation, .text, .binary:
            let event = try Self.closeEvent(payload)
            finish()
            return event
        }
    }

    private mutating func readDataPayload(
        _ arrived: UnsafeRawBufferPointer, endsMessage: Bool, _ inflater: Inflater?
    ) throws(ProtocolViolation) -> WebSocketEvent? {
        guard let opcode = messageOpcode else { return nil }
        let isPlainText = opcode == .text && !isMessageCompressed
        // RFC 6455 §8.1: bad text fails the connection; at once, and not at the end of the message.
        if isPlainText, !text.consume(arrived) { throw .textNotUTF8 }
        guard endsMessage else {
            message.append(contentsOf: arrived)
            return nil
        }
        if isPlainText, !text.isComplete { throw .textNotUTF8 }
        messageOpcode = nil

        if isMessageCompressed {
            return .message(opcode: opcode, payload: try inflate(arrived, isText: opcode == .text, inflater))
        }
        guard !message.isEmpty else { return .message(opcode: opcode, payload: Array(arrived)) }
        message.append(contentsOf: arrived)
        let payload = message
        message = []
        return .message(opcode: opcode, payload: payload)
    }

    /// Inflates a message once it is whole: one inflater then serves all connections of a loop.
    private mutating func inflate(
        _ arrived: UnsafeRawBufferPointer, isText: Bool, _ inflater: Inflater?
    ) throws(ProtocolViolation) -> [UInt8] {
        guard let inflater else { preconditionFailure("deflate was negotiated, so an inflater is needed") }
        let payload: [UInt8]
        if message.isEmpty {
            payload = try inflater.inflate(arrived, limit: maxInflatedBytes)
        } else {
            message.append(contentsOf: arrived)
            let compressed = message
            message = []
            payload = try inflater.inflate(compressed, limit: maxInflatedBytes)
        }
        if isText, !payload.withUnsafeBytes(UTF8Validator.isValid) { throw .textNotUTF8 }
        return payload
    }

    /// RFC 6455 §5.5.1: nothing, or a code of two bytes and a reason in UTF-8.
    private static func closeEvent(_ payload: [UInt8]) throws(ProtocolViolation) -> WebSocketEvent {
        guard !payload.isEmpty else { return .close(nil, reason: "") }
        guard payload.count >= 2 else { throw .closePayloadTooShort }
        let code = CloseCode(rawValue: UInt16(payload[0]) << 8 | UInt16(payload[1]))
        guard code.isValidOnWire else { throw .closeCodeInvalid }
        guard let reason = String(validating: payload[2...], as: UTF8.self) else { throw .closeReasonNotUTF8 }
        return .close(code, reason: reason)
    }

    private mutating func finish() {
        isFinished = true
        frame = nil
        remaining = 0
        messageOpcode = nil
        partial = []
        message = []
    }

    // MARK: - Bytes

    private static func take(
        _ count: Int, from input: inout UnsafeMutableRawBufferPointer
    ) -> UnsafeMutableRawBufferPointer {
        let taken = UnsafeMutableRawBufferPointer(rebasing: input[..<count])
        input = UnsafeMutableRawBufferPointer(rebasing: input[count...])
        return taken
    }

    private static func decodeHeader(_ bytes: [UInt8]) throws(ProtocolViolation) -> FrameHeader? {
        try bytes.withUnsafeBufferPointer { (buffer) throws(ProtocolViolation) in
            try FrameHeader.decode(UnsafeRawBufferPointer(buffer))
        }
    }
}
