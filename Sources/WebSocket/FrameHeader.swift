/// The 2 to 14 bytes before a frame's payload (RFC 6455 §5.2).
public struct FrameHeader: Sendable, Hashable {
    /// The payload's length in bytes, below 2^63.
    public var payloadLength: Int
    /// The masking key, its first byte on the wire as the most significant one; nil for an unmasked frame.
    public var maskingKey: UInt32?
    /// FIN: the last or only fragment of its message.
    public var isFinal: Bool
    /// RSV1: the message is compressed (RFC 7692 §6).
    public var isCompressed: Bool
    /// What the frame carries.
    public var opcode: Opcode

    /// The longest header: two bytes, a 64-bit length and a masking key.
    public static let maxEncodedLength = 14
    /// The most that a control frame may carry (RFC 6455 §5.5).
    public static let maxControlPayloadLength = 125

    /// A header from its fields.
    public init(
        isFinal: Bool = true, isCompressed: Bool = false, opcode: Opcode, maskingKey: UInt32? = nil,
        payloadLength: Int
    ) {
        precondition(payloadLength >= 0, "a payload length is not negative")
        self.isFinal = isFinal
        self.isCompressed = isCompressed
        self.opcode = opcode
        self.maskingKey = maskingKey
        self.payloadLength = payloadLength
    }

    /// How many bytes the header takes on the wire. Holds for decoded ones: a length has one valid form.
    public var encodedLength: Int {
        let lengthBytes =
            switch payloadLength {
            case ...125: 0
            case ...0xFFFF: 2
            default: 8
            }
        return 2 + lengthBytes + (maskingKey == nil ? 0 : 4)
    }

    /// Appends the header in wire form.
    public func append(to bytes: inout [UInt8]) {
        bytes.append((isFinal ? 0x80 : 0) | (isCompressed ? 0x40 : 0) | opcode.rawValue)
        let maskBit: UInt8 = maskingKey == nil ? 0 : 0x80
        switch payloadLength {
        case ...125:
            bytes.append(maskBit | UInt8(payloadLength))
        case ...0xFFFF:
            bytes.append(maskBit | 126)
            Self.append(UInt64(payloadLength), bytes: 2, to: &bytes)
        default:
            bytes.append(maskBit | 127)
            Self.append(UInt64(payloadLength), bytes: 8, to: &bytes)
        }
        if let maskingKey {
            Self.append(UInt64(maskingKey), bytes: 4, to: &bytes)
        }
    }

    /// Reads the header at the start of `bytes`, with every rule that needs no knowledge of the connection.
    ///
    /// - Returns: nil while the header is not complete.
    /// - Throws: as soon as the bytes at hand show it: a reserved bit or opcode, a length in a longer form
    ///   than needed or out of range, a control frame that is fragmented or too long.
    public static func decode(_ bytes: UnsafeRawBufferPointer) throws(ProtocolViolation) -> FrameHeader? {
        guard bytes.count >= 2 else { return nil }
        let (first, second) = (bytes[0], bytes[1])
        guard let opcode = Opcode(rawValue: first & 0x0F) else { throw .reservedOpcode }
        let isFinal = first & 0x80 != 0
        let isCompressed = first & 0x40 != 0
        // RFC 7692 §6.1: RSV1 belongs to the first frame of a data message, and to no other.
        guard first & 0x30 == 0, !isCompressed || opcode == .text || opcode == .binary else {
            throw .reservedBitSet
        }
        if opcode.isControl {
            guard isFinal else { throw .controlFrameFragmented }
            guard second & 0x7F <= maxControlPayloadLength else { throw .controlFrameTooLong }
        }
        var offset = 2
        var length = UInt64(second & 0x7F)
        if length == 126 {
            guard bytes.count >= offset + 2 else { return nil }
            length = bigEndian(bytes, at: offset, bytes: 2)
            guard length > 125 else { throw .lengthNotMinimal }
            offset += 2
        } else if length == 127 {
            guard bytes.count >= offset + 8 else { return nil }
            length = bigEndian(bytes, at: offset, bytes: 8)
            guard length <= UInt64(Int.max) else { throw .lengthOutOfRange }
            guard length > 0xFFFF else { throw .lengthNotMinimal }
            offset += 8
        }
        var maskingKey: UInt32?
        if second & 0x80 != 0 {
            guard bytes.count >= offset + 4 else { return nil }
            maskingKey = UInt32(bigEndian(bytes, at: offset, bytes: 4))
        }
        return FrameHeader(
            isFinal: isFinal, isCompressed: isCompressed, opcode: opcode, maskingKey: maskingKey,
            payloadLength: Int(length))
    }

    private static func append(_ value: UInt64, bytes count: Int, to bytes: inout [UInt8]) {
        for index in (0..<count).reversed() {
            bytes.append(UInt8(truncatingIfNeeded: value >> (8 * UInt64(index))))
        }
    }

    private static func bigEndian(_ bytes: UnsafeRawBufferPointer, at offset: Int, bytes count: Int) -> UInt64
    {
        var value: UInt64 = 0
        for index in offset..<(offset + count) {
            value = value << 8 | UInt64(bytes[index])
        }
        return value
    }
}
