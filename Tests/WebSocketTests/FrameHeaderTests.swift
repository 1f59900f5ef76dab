import Testing
import WebSocket

@Suite("RFC 6455 §5.2: the frame header")
struct FrameHeaderTests {
    struct Valid: CustomTestStringConvertible {
        let testDescription: String
        let bytes: String
        let header: FrameHeader

        init(_ name: String, _ bytes: String, _ header: FrameHeader) {
            testDescription = name
            self.bytes = bytes
            self.header = header
        }
    }

    static let valid = [
        Valid("§5.7 unmasked text", "81 05", FrameHeader(opcode: .text, payloadLength: 5)),
        Valid(
            "§5.7 masked text", "81 85 37 fa 21 3d",
            FrameHeader(opcode: .text, maskingKey: 0x37fa_213d, payloadLength: 5)),
        Valid("§5.7 first fragment", "01 03", FrameHeader(isFinal: false, opcode: .text, payloadLength: 3)),
        Valid("§5.7 last fragment", "80 02", FrameHeader(opcode: .continuation, payloadLength: 2)),
        Valid("§5.7 ping", "89 05", FrameHeader(opcode: .ping, payloadLength: 5)),
        Valid(
            "§5.7 masked pong", "8a 85 37 fa 21 3d",
            FrameHeader(opcode: .pong, maskingKey: 0x37fa_213d, payloadLength: 5)),
        Valid("§5.7 256 bytes binary", "82 7e 01 00", FrameHeader(opcode: .binary, payloadLength: 256)),
        Valid(
            "§5.7 64 KiB binary", "82 7f 00 00 00 00 00 01 00 00",
            FrameHeader(opcode: .binary, payloadLength: 65536)),
        Valid("empty close", "88 00", FrameHeader(opcode: .close, payloadLength: 0)),
        Valid("longest control frame", "89 7d", FrameHeader(opcode: .ping, payloadLength: 125)),
        Valid("longest 7-bit length", "82 7d", FrameHeader(opcode: .binary, payloadLength: 125)),
        Valid("shortest 16-bit length", "82 7e 00 7e", FrameHeader(opcode: .binary, payloadLength: 126)),
        Valid("longest 16-bit length", "82 7e ff ff", FrameHeader(opcode: .binary, payloadLength: 65535)),
        Valid(
            "longest 64-bit length", "82 7f 7f ff ff ff ff ff ff ff",
            FrameHeader(opcode: .binary, payloadLength: .max)),
        Valid(
            "longest header", "82 ff 00 00 00 00 00 01 00 00 00 00 00 00",
            FrameHeader(opcode: .binary, maskingKey: 0, payloadLength: 65536)),
        Valid(
            "RFC 7692 §7.2.3.1 compressed", "c1 07",
            FrameHeader(isCompressed: true, opcode: .text, payloadLength: 7)),
    ]

    @Test("each header is written and read as the RFC says", arguments: valid)
    func vectors(vector: Valid) throws {
        let bytes = hex(vector.bytes)
        var written: [UInt8] = []
        vector.header.append(to: &written)
        #expect(written == bytes)
        #expect(vector.header.encodedLength == bytes.count)
        #expect(try decode(bytes) == vector.header)
        #expect(try decode(bytes + [0xAA, 0xBB]) == vector.header)
    }

    @Test("a header that is cut off anywhere is not complete", arguments: valid)
    func prefixes(vector: Valid) throws {
        let bytes = hex(vector.bytes)
        for count in 0..<bytes.count {
            #expect(try decode(Array(bytes[..<count])) == nil, "after \(count) bytes")
        }
    }

    @Test(
        "each broken header fails, and says how",
        arguments: [
            ("RSV2", "a1 00", ProtocolViolation.reservedBitSet),
            ("RSV3", "91 00", .reservedBitSet),
            ("RSV1 on a continuation", "c0 00", .reservedBitSet),
            ("RSV1 on a ping", "c9 00", .reservedBitSet),
            ("RSV1 on a close", "c8 00", .reservedBitSet),
            ("opcode 3", "83 00", .reservedOpcode),
            ("opcode 4", "84 00", .reservedOpcode),
            ("opcode 5", "85 00", .reservedOpcode),
            ("opcode 6", "86 00", .reservedOpcode),
            ("opcode 7", "87 00", .reservedOpcode),
            ("opcode B", "8b 00", .reservedOpcode),
            ("opcode C", "8c 00", .reservedOpcode),
            ("opcode D", "8d 00", .reservedOpcode),
            ("opcode E", "8e 00", .reservedOpcode),
            ("opcode F", "8f 00", .reservedOpcode),
            ("ping without FIN", "09 00", .controlFrameFragmented),
            ("pong without FIN", "0a 00", .controlFrameFragmented),
            ("close without FIN", "08 00", .controlFrameFragmented),
            ("ping of 126 bytes", "89 7e", .controlFrameTooLong),
            ("close with a 64-bit length", "88 7f", .controlFrameTooLong),
            ("0 in 16 bits", "82 7e 00 00", .lengthNotMinimal),
            ("125 in 16 bits", "82 7e 00 7d", .lengthNotMinimal),
            ("65535 in 64 bits", "82 7f 00 00 00 00 00 00 ff ff", .lengthNotMinimal),
            ("2^63", "82 7f 80 00 00 00 00 00 00 00", .lengthOutOfRange),
            ("2^64 - 1", "82 ff ff ff ff ff ff ff ff ff", .lengthOutOfRange),
        ])
    func violations(name: String, bytes: String, violation: ProtocolViolation) {
        #expect(throws: violation) { try decode(hex(bytes)) }
    }

    private func decode(_ bytes: [UInt8]) throws -> FrameHeader? {
        try bytes.withUnsafeBytes { try FrameHeader.decode($0) }
    }
}
