import GatewayTesting
import Testing
import WebSocket

@Suite("Any bytes at all give a documented result")
struct WebSocketReaderRandomTests {
    private static let deflate = DeflateParameters.negotiate(offers: ["permessage-deflate"])

    @Test("random bytes end in events or one violation, the same however they are cut", arguments: 0..<20)
    func noise(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let inflater = Inflater()
        for _ in 0..<100 {
            var bytes = generator.bytes(Int.random(in: 0...200, using: &generator))
            if !bytes.isEmpty, Bool.random(using: &generator) {
                // Most noise ends at the first byte: begin like a client's frame, plain or compressed.
                bytes.insert(
                    contentsOf: [[0x81, 0x82, 0xC1, 0xC2, 0x01].randomElement(using: &generator) ?? 0], at: 0)
                bytes[1] |= 0x80
            }
            var whole = WebSocketReader.server(
                maxMessageBytes: 500, maxInflatedBytes: 500, deflate: Self.deflate)
            var cut = whole
            let expected = whole.outcomes(bytes, inflater: inflater)
            #expect(feed(bytes, to: &cut, inflater, &generator) == expected)
            let violations = expected.filter { if case .violation = $0 { true } else { false } }
            #expect(violations.count <= 1)
            #expect(violations.isEmpty || expected.last == violations.last)
        }
    }

    @Test("a random conversation arrives as it was meant, at random cuts", arguments: 0..<20)
    func conversation(seed: UInt64) {
        var generator = SeededGenerator(seed: 1000 + seed)
        let (inflater, deflater) = (Inflater(), Deflater())
        var bytes: [UInt8] = []
        var expected: [Outcome] = []
        for _ in 0..<30 {
            let payload = generator.bytes(Int.random(in: 0...400, using: &generator)).map { $0 & 0x5F }
            let opcode: Opcode = Bool.random(using: &generator) ? .text : .binary
            let isCompressed = Bool.random(using: &generator)
            var rest = (isCompressed ? deflater.deflate(payload, windowBits: 15) : payload)[...]
            var isFirst = true
            repeat {
                let fragment = rest.prefix(Int.random(in: 0...400, using: &generator))
                rest = rest.dropFirst(fragment.count)
                bytes += Frame.encode(
                    isFirst ? opcode : .continuation, fragment, isFinal: rest.isEmpty,
                    isCompressed: isFirst && isCompressed,
                    maskingKey: .random(in: 0 ... .max, using: &generator))
                isFirst = false
                if !rest.isEmpty, Bool.random(using: &generator) {
                    bytes += Frame.encode(.ping, payload.prefix(20), maskingKey: 7)
                    expected.append(.event(.ping(Array(payload.prefix(20)))))
                }
            } while !rest.isEmpty
            expected.append(.event(.message(opcode: opcode, payload: payload)))
        }
        var reader = WebSocketReader.server(deflate: Self.deflate)
        #expect(feed(bytes, to: &reader, inflater, &generator) == expected)
    }

    private func feed(
        _ bytes: [UInt8], to reader: inout WebSocketReader, _ inflater: Inflater,
        _ generator: inout SeededGenerator
    ) -> [Outcome] {
        var outcomes: [Outcome] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let part = rest.prefix(Int.random(in: 1...60, using: &generator))
            rest = rest.dropFirst(part.count)
            outcomes += reader.outcomes(part, inflater: inflater)
        }
        return outcomes
    }
}
