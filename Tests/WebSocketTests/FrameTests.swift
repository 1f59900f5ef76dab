import GatewayTesting
import Testing
import WebSocket

@Suite("RFC 6455 §5.7: frames as they are sent")
struct FrameTests {
    @Test("the RFC's examples come out byte for byte")
    func examples() {
        #expect(Frame.encode(.text, "Hello".utf8) == hex("81 05 48 65 6c 6c 6f"))
        #expect(
            Frame.encode(.text, "Hello".utf8, maskingKey: 0x37fa_213d)
                == hex("81 85 37 fa 21 3d 7f 9f 4d 51 58"))
        #expect(Frame.encode(.text, "Hel".utf8, isFinal: false) == hex("01 03 48 65 6c"))
        #expect(Frame.encode(.continuation, "lo".utf8) == hex("80 02 6c 6f"))
        #expect(Frame.encode(.ping, "Hello".utf8) == hex("89 05 48 65 6c 6c 6f"))
        #expect(
            Frame.encode(.pong, "Hello".utf8, maskingKey: 0x37fa_213d)
                == hex("8a 85 37 fa 21 3d 7f 9f 4d 51 58"))
        #expect(
            Frame.encode(.text, hex("f2 48 cd c9 c9 07 00"), isCompressed: true)
                == hex("c1 07 f2 48 cd c9 c9 07 00"))
    }

    @Test(
        "payloads around each change of the length's form arrive as they were sent, in both directions",
        arguments: [0, 1, 2, 7, 8, 9, 124, 125, 126, 127, 128, 255, 256, 65534, 65535, 65536, 65537, 200_000])
    func roundTrip(count: Int) {
        var generator = SeededGenerator(seed: UInt64(count))
        let payload = generator.bytes(count)
        let key = UInt32.random(in: 1 ... .max, using: &generator)

        var server = WebSocketReader.server()
        let fromClient = Frame.encode(.binary, payload, maskingKey: key)
        #expect(server.outcomes(fromClient) == [.binary(payload)])

        var client = WebSocketReader(
            role: .client, maxMessageBytes: count, maxInflatedBytes: 0, deflate: nil)
        let fromServer = Frame.encode(.binary, payload)
        #expect(client.outcomes(fromServer) == [.binary(payload)])
        #expect(fromServer.suffix(count) == payload[...])
        #expect(fromServer.capacity <= count + 64, "one allocation, of what is needed")
    }

    @Test("a collection without contiguous storage is sent like an array")
    func lazyCollection() {
        #expect(Frame.encode(.text, (0x41...0x43).lazy.map { UInt8($0) }) == hex("81 03 41 42 43"))
    }

    @Test("frames gather in one buffer, each masked with its own key")
    func gathering() {
        var bytes = hex("ff")
        for (text, key) in [("a", UInt32(0x0102_0304)), ("bcdef", 0xa0b0_c0d0)] {
            Array(text.utf8).withUnsafeBytes { Frame.append(.text, $0, maskingKey: key, to: &bytes) }
        }
        #expect(bytes == hex("ff 81 81 01020304 60 81 85 a0b0c0d0 c2 d3 a4 b5 c6"))
    }

    @Test("a close frame carries a code and a reason, or nothing (§5.5.1)")
    func close() {
        #expect(Frame.close(nil) == hex("88 00"))
        #expect(Frame.close(nil, "a reason needs a code", maskingKey: 0) == hex("88 80 00000000"))
        #expect(Frame.close(.normalClosure) == hex("88 02 03 e8"))
        #expect(Frame.close(.slowConsumer, "slow") == hex("88 06 10 06 73 6c 6f 77"))
        #expect(Frame.close(.goingAway, "é", maskingKey: 0xffff_ffff) == hex("88 84 ffffffff fc 16 3c 56"))
    }

    @Test("a reason that does not fit is cut between characters (§5.5)")
    func longReason() {
        let fits = String(repeating: "x", count: 123)
        #expect(Frame.close(.normalClosure, fits + "y") == hex("88 7d 03 e8") + Array(fits.utf8))
        let euros = String(repeating: "€", count: 42)  // 3 bytes each, 41 of them are 123 bytes
        #expect(
            Frame.close(.normalClosure, euros) == hex("88 7d 03 e8") + Array(euros.utf8.prefix(123)))
        #expect(
            Frame.close(.normalClosure, "x" + euros) == hex("88 7b 03 e8 78") + Array(euros.utf8.prefix(120)))
    }
}
