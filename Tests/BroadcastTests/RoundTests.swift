import FIMLCore
import Testing
import WebSocket

@testable import Broadcast

@Suite("A round puts the frames of a set together once, plain or deflated")
struct RoundTests {
    private let publications = (1...64 as ClosedRange<UInt64>).map { publication($0, size: 200 + Int($0)) }

    /// The messages that a client reads out of bytes from the wire.
    private func read(_ bytes: [UInt8], deflate: DeflateParameters?) throws -> [[UInt8]] {
        var reader = WebSocketReader(
            role: .client, maxMessageBytes: 1 << 20, maxInflatedBytes: 1 << 20, deflate: deflate)
        let inflater = Inflater()
        var bytes = bytes
        return try bytes.withUnsafeMutableBytes { buffer in
            var rest = buffer
            var messages: [[UInt8]] = []
            while case .message(_, let payload)? = try reader.next(&rest, inflater: inflater) {
                messages.append(payload)
            }
            return messages
        }
    }

    @Test(
        "A client reads the messages of the set, in order",
        arguments: [1, 0b1011, 1 << 63, UInt64.max, 0x8000_0000_0000_0001], [0, 8, 9, 15] as [UInt8])
    func messages(bits: UInt64, windowBits: UInt8) throws {
        let encoding = windowBits == 0 ? FrameEncoding.plain : .deflate(windowBits: windowBits)
        // The messages are bytes 1, 2, 3 …; those above 127 would be no text, so numbers stay below.
        var round = Round(publications[...])
        let bytes = round.bytes(bits, encoding, Deflater())
        let parameters = DeflateParameters.negotiate(offers: ["permessage-deflate"])
        let expected = publications.indices.filter { bits >> UInt64($0) & 1 == 1 }.map {
            publications[$0].message
        }
        #expect(try read(bytes, deflate: windowBits == 0 ? nil : parameters) == expected)
    }

    @Test("Deflated frames are shorter, and made once for all who ask")
    func deflated() {
        let one = publications[5]
        let deflater = Deflater()
        let first = one.frame(.deflate(windowBits: 15), deflater)
        #expect(first.count < one.frame.count / 4)
        let second = one.frame(.deflate(windowBits: 15), Deflater())
        let isSameMemory = first.withUnsafeBytes { a in
            second.withUnsafeBytes { a.baseAddress == $0.baseAddress }
        }
        #expect(isSameMemory)
    }
}
