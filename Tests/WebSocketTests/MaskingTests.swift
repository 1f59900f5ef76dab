import GatewayTesting
import Testing
import WebSocket

@Suite("RFC 6455 §5.3: masking")
struct MaskingTests {
    @Test("eight bytes at a time do what byte by byte does, at every length, offset and phase")
    func fastAgainstSlow() {
        var generator = SeededGenerator(seed: 5_3)
        let keyBytes: [UInt8] = [0x37, 0xfa, 0x21, 0x3d]
        let original = generator.bytes(64)
        for offset in 0..<9 {
            for count in 0...(original.count - offset) {
                for phase in 0..<4 {
                    let range = offset..<(offset + count)
                    var expected = original
                    for (position, index) in range.enumerated() {
                        expected[index] ^= keyBytes[(phase + position) % 4]
                    }
                    let following = (0..<4).map { keyBytes[(phase + count + $0) % 4] }

                    var masked = original
                    let next = masked.withUnsafeMutableBytes { bytes in
                        Masking.apply(
                            key((0..<4).map { keyBytes[(phase + $0) % 4] }),
                            to: UnsafeMutableRawBufferPointer(rebasing: bytes[range]))
                    }
                    guard masked == expected, next == key(following) else {
                        Issue.record("offset \(offset), \(count) bytes, phase \(phase)")
                        return
                    }
                }
            }
        }
    }

    private func key(_ bytes: [UInt8]) -> UInt32 {
        bytes.reduce(0) { $0 << 8 | UInt32($1) }
    }
}
