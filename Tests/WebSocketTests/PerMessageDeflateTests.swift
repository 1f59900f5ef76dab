import GatewayTesting
import Testing

@testable import WebSocket

@Suite("RFC 7692 §7.2: messages deflated and inflated")
struct PerMessageDeflateTests {
    static let deflate = DeflateParameters.negotiate(offers: ["permessage-deflate"])

    @Test(
        "the RFC's examples inflate, at every cut of the frames that carry them",
        arguments: [
            ("§7.2.3.1 one block", "c1 87 00000000 f2 48 cd c9 c9 07 00", "Hello"),
            ("§7.2.3.1 in two fragments", "41 83 00000000 f2 48 cd 80 84 00000000 c9 c9 07 00", "Hello"),
            (
                "§7.2.3.3 a block without compression", "c1 8b 00000000 00 05 00 fa ff 48 65 6c 6c 6f 00",
                "Hello"
            ),
            ("§7.2.3.4 a final block", "c1 88 00000000 f3 48 cd c9 c9 07 00 00", "Hello"),
            ("§7.2.3.5 two blocks", "c1 8d 00000000 f2 48 05 00 00 00 ff ff ca c9 c9 07 00", "Hello"),
            ("§7.2.3.6 an empty message", "c1 81 00000000 00", ""),
            ("an empty message without its byte", "c1 80 00000000", ""),
            ("a final block with nothing behind it", "c1 87 00000000 f3 48 cd c9 c9 07 00", "Hello"),
            ("a final block cut like a sync flush", "c1 81 00000000 01", ""),
            (
                "a block that refers to one before a final block",
                "c1 8f 00000000 f3 48 cd c9 c9 07 00 f2 00 11 3a 0a 60 0a 00", "HelloHello, Hello"
            ),
            ("not compressed, though it may be", "81 85 00000000 48 65 6c 6c 6f", "Hello"),
        ])
    func vectors(name: String, frames: String, text: String) {
        let bytes = hex(frames)
        let inflater = Inflater()
        for cut in 0...bytes.count {
            var reader = WebSocketReader.server(deflate: Self.deflate)
            let outcomes =
                reader.outcomes(bytes[..<cut], inflater: inflater)
                + reader.outcomes(bytes[cut...], inflater: inflater)
            #expect(outcomes == [.text(text)], "cut at \(cut)")
        }
    }

    @Test("what we deflate is the RFC's example, whichever message it is (no context takeover)")
    func deflates() {
        let deflater = Deflater()
        for _ in 0..<3 {
            #expect(deflater.deflate(Array("Hello".utf8), windowBits: 15) == hex("f2 48 cd c9 c9 07 00"))
            #expect(deflater.deflate([], windowBits: 15) == hex("00"))
        }
    }

    @Test(
        "what is not DEFLATE, or not whole, is 1007",
        arguments: [
            ("reserved block type", "06"),
            ("reserved block type 3", "ff ff ff ff"),
            ("a stored block whose lengths disagree", "00 05 00 00 00 48 65 6c 6c 6f 00"),
            ("§7.2.3.2 refers to the message before", "f2 00 11 00 00"),
            ("cut off inside a block", "f2 48 cd"),
            ("cut off inside a stored block", "00 05 00 fa ff 48 65"),
            ("a final block and then noise", "f3 48 cd c9 c9 07 00 ff"),
        ])
    func invalid(name: String, digits: String) {
        let inflater = Inflater()
        #expect(throws: ProtocolViolation.deflateInvalid) { try inflater.inflate(hex(digits), limit: 1000) }
        // The next message is not harmed.
        #expect(throws: Never.self) { try inflater.inflate(hex("f2 48 cd c9 c9 07 00"), limit: 1000) }
        #expect(ProtocolViolation.deflateInvalid.closeCode == CloseCode(rawValue: 1007))
    }

    @Test("inflated text is judged like any other")
    func text() {
        let payload = Deflater().deflate(hex("48 c3 28"), windowBits: 15)
        var reader = WebSocketReader.server(deflate: Self.deflate)
        let frame = Frame.encode(.text, payload, isCompressed: true, maskingKey: 5)
        #expect(reader.outcomes(frame) == [.violation(.textNotUTF8)])
        reader = .server(deflate: Self.deflate)
        let binary = Frame.encode(.binary, payload, isCompressed: true, maskingKey: 5)
        #expect(reader.outcomes(binary) == [.binary(hex("48 c3 28"))])
    }

    @Test("messages of every size and kind come back, at every window", arguments: 8...15)
    func roundTrip(windowBits: Int) throws {
        var generator = SeededGenerator(seed: UInt64(windowBits))
        let (deflater, inflater) = (Deflater(), Inflater())
        for count in [0, 1, 125, 126, 127, 250, 257, 512, 4_096, 32_763, 32_768, 65_535, 65_536, 200_000] {
            let random = generator.bytes(count)
            let repetitive = random.map { $0 & 1 }
            let constant = [UInt8](repeating: 0x20, count: count)
            for message in [random, repetitive, constant] {
                let deflated = deflater.deflate(message, windowBits: windowBits)
                #expect(try inflater.inflate(deflated, limit: count) == message)
            }
        }
    }

    @Test("what is deflated for a window fits a peer that has only that window", arguments: 8...15)
    func window(windowBits: Int) throws {
        var generator = SeededGenerator(seed: 1_8)
        // Repeats at every distance up to the largest window, so that a larger window would be used.
        let words = (0..<64).map { _ in generator.bytes(12) }
        let message = (0..<6_000).flatMap { _ in words.randomElement(using: &generator) ?? [] }
        let deflated = Deflater().deflate(message, windowBits: windowBits)
        // A chunk of one byte leaves zlib nothing to look back into but its window.
        let peer = Inflater(windowBits: windowBits, chunkBytes: 1)
        #expect(try peer.inflate(deflated, limit: message.count) == message)
        if windowBits >= 10 {
            let narrow = Inflater(windowBits: windowBits - 2, chunkBytes: 1)
            #expect(throws: ProtocolViolation.deflateInvalid) {
                try narrow.inflate(deflated, limit: message.count)
            }
        }
    }

    @Test("a deflate bomb is stopped at the limit: 64 MiB of zeros in 64 KiB")
    func bomb() throws {
        let bomb = Deflater().deflate([UInt8](repeating: 0, count: 64 << 20), windowBits: 15)
        #expect(bomb.count < 80_000)
        let inflater = Inflater()
        #expect(throws: ProtocolViolation.messageTooBig) { try inflater.inflate(bomb, limit: 64 << 10) }
        var reader = WebSocketReader.server(maxInflatedBytes: 64 << 10, deflate: Self.deflate)
        let frame = Frame.encode(.binary, bomb, isCompressed: true, maskingKey: 9)
        #expect(reader.outcomes(frame, inflater: inflater) == [.violation(.messageTooBig)])
    }

    @Test("the limit is exact, and room beyond it is never made")
    func exactLimit() throws {
        let inflater = Inflater(windowBits: 15, chunkBytes: 1000)
        for count in [0, 1, 999, 1000, 1001, 50_000, 65_536] {
            let message = [UInt8](repeating: 0x61, count: count)
            let deflated = Deflater().deflate(message, windowBits: 15)
            let inflated = try inflater.inflate(deflated, limit: count)
            #expect(inflated == message)
            #expect(inflated.capacity <= count + 1000)
            guard count > 0 else { continue }
            #expect(throws: ProtocolViolation.messageTooBig) {
                try inflater.inflate(deflated, limit: count - 1)
            }
        }
    }

    @Test("many final blocks cost no more than their bytes")
    func finalBlocks() throws {
        let blocks = (0..<100_000).flatMap { _ in [0x03, 0x00] as [UInt8] }
        #expect(try Inflater().inflate(blocks + hex("f2 48 cd c9 c9 07 00"), limit: 5) == Array("Hello".utf8))
    }

    @Test("random bytes inflate to something or are a violation", arguments: 0..<10)
    func noise(seed: UInt64) {
        var generator = SeededGenerator(seed: 7692 + seed)
        let inflater = Inflater()
        for _ in 0..<200 {
            let payload = generator.bytes(Int.random(in: 1...100, using: &generator))
            do throws(ProtocolViolation) {
                #expect(try inflater.inflate(payload, limit: 2_000).count <= 2_000)
            } catch {
                #expect([.deflateInvalid, .messageTooBig].contains(error))
            }
        }
    }
}
