/// What a peer did wrong. Here, and only here, each case gets its close code and reason.
public enum ProtocolViolation: Error, Sendable, Hashable, CaseIterable {
    /// RSV2 or RSV3 set, RSV1 without permessage-deflate or elsewhere than on the first frame of a message.
    case reservedBitSet
    /// An opcode that no specification defines.
    case reservedOpcode
    /// A client sent a frame without masking it.
    case maskMissing
    /// A server sent a masked frame.
    case maskUnexpected
    /// A payload length in more bytes than it needs.
    case lengthNotMinimal
    /// A 64-bit payload length with its first bit set.
    case lengthOutOfRange
    /// A control frame without FIN.
    case controlFrameFragmented
    /// A control frame of more than 125 bytes.
    case controlFrameTooLong
    /// A continuation frame while no message is under way.
    case continuationWithoutMessage
    /// A text or binary frame inside a fragmented message.
    case messageInterrupted
    /// A message larger than the limit, as sent or as inflated.
    case messageTooBig
    /// Text that is not UTF-8.
    case textNotUTF8
    /// A compressed message that is not DEFLATE.
    case deflateInvalid
    /// A close frame with a payload of one byte.
    case closePayloadTooShort
    /// A close code that must not be sent.
    case closeCodeInvalid
    /// A close reason that is not UTF-8.
    case closeReasonNotUTF8

    /// What the connection is closed with (RFC 6455 §7.4.1; §8.1 for text; §10.4 leaves the limit to us).
    public var closeCode: CloseCode {
        switch self {
        case .reservedBitSet, .reservedOpcode, .maskMissing, .maskUnexpected, .lengthNotMinimal,
            .lengthOutOfRange,
            .controlFrameFragmented, .controlFrameTooLong, .continuationWithoutMessage, .messageInterrupted,
            .closePayloadTooShort, .closeCodeInvalid:
            .protocolError
        case .textNotUTF8, .deflateInvalid, .closeReasonNotUTF8: .invalidPayload
        case .messageTooBig: .messageTooBig
        }
    }

    /// The reason in the close frame: UTF-8, at most the 123 bytes that fit beside the code (RFC 6455 §5.5).
    public var reason: String {
        switch self {
        case .reservedBitSet: "reserved bit set"
        case .reservedOpcode: "reserved opcode"
        case .maskMissing: "frames from a client must be masked"
        case .maskUnexpected: "frames from a server must not be masked"
        case .lengthNotMinimal: "payload length not in its shortest form"
        case .lengthOutOfRange: "payload length out of range"
        case .controlFrameFragmented: "control frame fragmented"
        case .controlFrameTooLong: "control frame longer than 125 bytes"
        case .continuationWithoutMessage: "continuation without a message"
        case .messageInterrupted: "new message inside a fragmented one"
        case .messageTooBig: "message too big"
        case .textNotUTF8: "text is not UTF-8"
        case .deflateInvalid: "compressed message is not DEFLATE"
        case .closePayloadTooShort: "close frame with one byte"
        case .closeCodeInvalid: "close code must not be sent"
        case .closeReasonNotUTF8: "close reason is not UTF-8"
        }
    }
}
