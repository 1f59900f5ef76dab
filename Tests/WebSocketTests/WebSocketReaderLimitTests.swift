import Testing
import WebSocket

@Suite("A peer costs what it sends, never what it claims")
struct WebSocketReaderLimitTests {
    @Test("a message of the limit's size is taken, one byte more is 1009 as soon as its header is there")
    func oneFrame() {
        var reader = WebSocketReader.server(maxMessageBytes: 1000)
        let fits = [UInt8](repeating: 1, count: 1000)
        #expect(reader.outcomes(Frame.encode(.binary, fits, maskingKey: 1)) == [.binary(fits)])
        let header = hex("82 fe 03 e9 00 00 00 01")
        #expect(reader.outcomes(header[..<7]).isEmpty)
        #expect(reader.outcomes(header[7...]) == [.violation(.messageTooBig)])
        #expect(ProtocolViolation.messageTooBig.closeCode == CloseCode(rawValue: 1009))
    }

    @Test("the sum of the fragments counts, before the fragment that passes the limit has arrived")
    func fragments() {
        var reader = WebSocketReader.server(maxMessageBytes: 10)
        #expect(
            reader.outcomes(Frame.encode(.binary, [1, 2, 3, 4, 5, 6], isFinal: false, maskingKey: 1)).isEmpty)
        #expect(reader.outcomes(Frame.encode(.continuation, [7, 8], isFinal: false, maskingKey: 1)).isEmpty)
        var other = reader
        #expect(
            reader.outcomes(Frame.encode(.continuation, [9, 10], maskingKey: 1))
                == [.binary([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])])
        #expect(other.outcomes(hex("80 83 00000000")) == [.violation(.messageTooBig)])
    }

    @Test("the largest lengths that a header can claim do not overflow the sum")
    func hugeClaims() {
        var reader = WebSocketReader.server(maxMessageBytes: Int(UInt32.max))
        #expect(reader.outcomes(Frame.encode(.binary, [1], isFinal: false, maskingKey: 1)).isEmpty)
        #expect(
            reader.outcomes(hex("80 ff 7f ff ff ff ff ff ff ff 00000000")) == [.violation(.messageTooBig)])
    }

    @Test("a limit of zero allows empty messages only")
    func zero() {
        var reader = WebSocketReader.server(maxMessageBytes: 0)
        #expect(reader.outcomes(hex("81 80 00000000")) == [.text("")])
        #expect(reader.outcomes(hex("81 81 00000000")) == [.violation(.messageTooBig)])
    }

    @Test("a header that claims 64 MiB allocates nothing, and what then arrives about its own size")
    func claims() {
        var reader = WebSocketReader.server(maxMessageBytes: 64 << 20)
        #expect(reader.outcomes(hex("82 ff 00 00 00 00 04 00 00 00 00000000")).isEmpty)
        #expect(heapBytes(reader) == 0)
        var arrived = 0
        for part in [1, 100, 1_000, 10_000, 100_000] {
            #expect(reader.outcomes([UInt8](repeating: 0, count: part)).isEmpty)
            arrived += part
            #expect(heapBytes(reader) <= 2 * arrived + 64)
        }
    }

    @Test("a reader is at most 64 bytes, and owns no heap memory between messages")
    func idle() {
        #expect(MemoryLayout<WebSocketReader>.size <= 64)
        var reader = WebSocketReader.server(
            deflate: DeflateParameters.negotiate(offers: ["permessage-deflate"]))
        #expect(heapBytes(reader) == 0)
        let messages = [
            Frame.encode(.text, [UInt8](repeating: 0x41, count: 300), maskingKey: 1),
            Frame.encode(.ping, "ping".utf8, maskingKey: 2),
            Frame.encode(.text, hex("f2 48 cd c9 c9 07 00"), isCompressed: true, maskingKey: 3),
            Frame.encode(.binary, [1], isFinal: false, maskingKey: 4) + hex("80 80 00000000"),
        ]
        for message in messages {
            for cut in 1..<message.count {
                _ = reader.outcomes(message[..<cut])
                #expect(reader.outcomes(message[cut...]).count == 1)
                #expect(heapBytes(reader) == 0)
            }
        }
        _ = reader.outcomes(messages[0][..<100])
        #expect(heapBytes(reader) > 0, "so the measure measures")
        var failing = reader
        #expect(failing.outcomes([UInt8](repeating: 0xFF, count: 5)) == [.violation(.textNotUTF8)])
        #expect(heapBytes(failing) == 0)
    }

    /// The room in all arrays that a reader holds.
    private func heapBytes(_ reader: WebSocketReader) -> Int {
        Mirror(reflecting: reader).children.reduce(0) { $0 + (($1.value as? [UInt8])?.capacity ?? 0) }
    }
}
