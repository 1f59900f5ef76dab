import Testing
import WebSocket

@Suite("RFC 6455 §5: what arrives becomes messages, however it is cut")
struct WebSocketReaderTests {
    struct Vector: CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]
        let outcomes: [Outcome]

        init(_ name: String, _ frames: [[UInt8]], _ outcomes: [Outcome]) {
            testDescription = name
            bytes = Array(frames.joined())
            self.outcomes = outcomes
        }
    }

    /// A frame as a client sends it.
    static func client(
        _ opcode: Opcode, _ payload: some Collection<UInt8>, isFinal: Bool = true, isCompressed: Bool = false
    ) -> [UInt8] {
        Frame.encode(
            opcode, payload, isFinal: isFinal, isCompressed: isCompressed, maskingKey: 0x37fa_213d)
    }

    static let conversations = [
        Vector("§5.7 masked text", [hex("81 85 37 fa 21 3d 7f 9f 4d 51 58")], [.text("Hello")]),
        Vector(
            "§5.4 three fragments",
            [
                client(.text, "Hel".utf8, isFinal: false), client(.continuation, "l".utf8, isFinal: false),
                client(.continuation, "o".utf8),
            ], [.text("Hello")]),
        Vector(
            "§5.4 control frames between fragments",
            [
                client(.binary, [1, 2], isFinal: false), client(.ping, "are you there".utf8),
                client(.continuation, [], isFinal: false), client(.pong, []), client(.continuation, [3]),
                client(.text, "next".utf8),
            ],
            [
                .event(.ping(Array("are you there".utf8))), .event(.pong([])), .binary([1, 2, 3]),
                .text("next"),
            ]),
        Vector(
            "§5.4 a message of empty fragments",
            [
                client(.text, [], isFinal: false), client(.continuation, [], isFinal: false),
                client(.continuation, []),
            ], [.text("")]),
        Vector("§5.6 empty messages", [client(.text, []), client(.binary, [])], [.text(""), .binary([])]),
        Vector(
            "§5.2 a 16-bit length", [client(.binary, Array(repeating: 7, count: 130))],
            [.binary(Array(repeating: 7, count: 130))]),
        Vector(
            "§5.6 text with a character across fragments",
            [client(.text, hex("e2"), isFinal: false), client(.continuation, hex("82 ac"))], [.text("€")]),
        Vector(
            "§5.5 the longest ping", [client(.ping, Array(repeating: 9, count: 125))],
            [.event(.ping(Array(repeating: 9, count: 125)))]),
        Vector("§5.5.1 close without a payload", [client(.close, [])], [.event(.close(nil, reason: ""))]),
        Vector(
            "§5.5.1 close with a code", [client(.close, hex("03 e8"))],
            [.event(.close(.normalClosure, reason: ""))]),
        Vector(
            "§5.5.1 close with a reason, after which nothing is read",
            [client(.close, hex("03 e9") + "büro zu".utf8), client(.text, "more".utf8), hex("ff ff")],
            [.event(.close(.goingAway, reason: "büro zu"))]),
        Vector(
            "§5.5.1 close inside a fragmented message",
            [client(.text, "Hel".utf8, isFinal: false), client(.close, [])],
            [.event(.close(nil, reason: ""))]),
    ]

    static let violations = [
        Vector("§5.1 an unmasked frame", [hex("81 05"), Array("Hello".utf8)], [.violation(.maskMissing)]),
        Vector("§5.1 an unmasked ping", [hex("89 00")], [.violation(.maskMissing)]),
        Vector("§5.2 RSV1 without an extension", [hex("c1 80 00000000")], [.violation(.reservedBitSet)]),
        Vector(
            "§5.2 RSV2", [client(.text, "a".utf8), hex("a1 80")], [.text("a"), .violation(.reservedBitSet)]),
        Vector(
            "§5.2 reserved opcode", [client(.ping, []), hex("83 80")],
            [.event(.ping([])), .violation(.reservedOpcode)]),
        Vector("§5.2 length in a longer form", [hex("81 fe 00 05")], [.violation(.lengthNotMinimal)]),
        Vector(
            "§5.2 length above 2^63",
            [hex("82 ff ff ff ff ff ff ff ff ff")], [.violation(.lengthOutOfRange)]),
        Vector(
            "§5.4 continuation without a message", [client(.continuation, "a".utf8)],
            [.violation(.continuationWithoutMessage)]),
        Vector(
            "§5.4 continuation after a finished message",
            [client(.text, "a".utf8, isFinal: false), client(.continuation, []), client(.continuation, [])],
            [.text("a"), .violation(.continuationWithoutMessage)]),
        Vector(
            "§5.4 text inside a fragmented message", [client(.text, [], isFinal: false), client(.text, [])],
            [.violation(.messageInterrupted)]),
        Vector(
            "§5.4 binary inside a fragmented message",
            [
                client(.text, "a".utf8, isFinal: false), client(.ping, []),
                client(.binary, [], isFinal: false),
            ],
            [.event(.ping([])), .violation(.messageInterrupted)]),
        Vector("§5.5 fragmented ping", [hex("09 80")], [.violation(.controlFrameFragmented)]),
        Vector("§5.5 ping of 126 bytes", [hex("89 fe 00 7e")], [.violation(.controlFrameTooLong)]),
        Vector("§5.5.1 close with one byte", [client(.close, [3])], [.violation(.closePayloadTooShort)]),
        Vector(
            "§5.5.1 close reason that is not UTF-8", [client(.close, hex("03 e8 ce ba ed a0 80"))],
            [.violation(.closeReasonNotUTF8)]),
        Vector(
            "§8.1 text that is not UTF-8", [client(.text, hex("ce ba ed a0 80 65"))],
            [.violation(.textNotUTF8)]),
        Vector(
            "§8.1 text that ends inside a character",
            [client(.text, hex("e2 82"), isFinal: false), client(.continuation, [])],
            [.violation(.textNotUTF8)]),
        Vector(
            "§8.1 a broken character across fragments",
            [client(.text, hex("e2 82"), isFinal: false), client(.continuation, hex("41"))],
            [.violation(.textNotUTF8)]),
    ]

    @Test("a conversation gives the same events at every cut", arguments: conversations + violations)
    func everyCut(vector: Vector) {
        for cut in 0...vector.bytes.count {
            var reader = WebSocketReader.server()
            var outcomes = reader.outcomes(vector.bytes[..<cut])
            outcomes += reader.outcomes(vector.bytes[cut...])
            guard outcomes == vector.outcomes else {
                Issue.record("cut at \(cut): \(outcomes)")
                return
            }
        }
    }

    @Test("a conversation gives the same events byte by byte", arguments: conversations + violations)
    func byteByByte(vector: Vector) {
        var reader = WebSocketReader.server()
        let outcomes = vector.bytes.flatMap { reader.outcomes([$0]) }
        #expect(outcomes == vector.outcomes)
    }

    @Test("a client refuses masked frames and takes unmasked ones (§5.1)")
    func clientRole() {
        var reader = WebSocketReader(role: .client, maxMessageBytes: 9, maxInflatedBytes: 9, deflate: nil)
        #expect(reader.outcomes(hex("81 05 48 65 6c 6c 6f 89 00")) == [.text("Hello"), .event(.ping([]))])
        #expect(reader.outcomes(hex("81 85 37 fa 21 3d")) == [.violation(.maskUnexpected)])
    }

    @Test(
        "close codes that may be sent are taken (§7.4; IANA registry)",
        arguments: [
            1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4999,
        ] as [UInt16])
    func validCodes(code: UInt16) {
        var reader = WebSocketReader.server()
        let frame = Self.client(.close, [UInt8(code >> 8), UInt8(code & 0xFF)])
        #expect(reader.outcomes(frame) == [.event(.close(CloseCode(rawValue: code), reason: ""))])
    }

    @Test(
        "close codes that must not be sent are violations (§7.4.1, §7.4.2)",
        arguments: [
            0, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65535,
        ] as [UInt16])
    func invalidCodes(code: UInt16) {
        var reader = WebSocketReader.server()
        let frame = Self.client(.close, [UInt8(code >> 8), UInt8(code & 0xFF)])
        #expect(reader.outcomes(frame) == [.violation(.closeCodeInvalid)])
    }

    @Test("bad text fails at the byte that is bad, before the frame or the message is whole (§8.1)")
    func failsFast() {
        // κόσμε, then a code point above U+10FFFF: f4 is possible, 90 behind it is not.
        let text = hex("ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90 80 80 65 64 69 74 65 64")
        let frame = Self.client(.text, text)
        let badByte = frame.count - text.count + 12
        var reader = WebSocketReader.server()
        #expect(reader.outcomes(frame[..<badByte]).isEmpty)
        #expect(reader.outcomes([frame[badByte]]) == [.violation(.textNotUTF8)])
        #expect(reader.outcomes(frame[(badByte + 1)...]).isEmpty, "nothing more is read")

        reader = .server()
        #expect(reader.outcomes(Self.client(.text, text[..<11], isFinal: false)).isEmpty)
        #expect(
            reader.outcomes(Self.client(.continuation, text[11..<13], isFinal: false)) == [
                .violation(.textNotUTF8)
            ])
    }

    @Test("after a violation nothing more is read, and the rest of the input is dropped")
    func silentAfterViolation() {
        var reader = WebSocketReader.server()
        #expect(reader.outcomes(hex("83 80") + Self.client(.text, "a".utf8)) == [.violation(.reservedOpcode)])
        #expect(reader.outcomes(Self.client(.text, "a".utf8)).isEmpty)
        #expect(reader.outcomes(Self.client(.close, [])).isEmpty)
    }
}
