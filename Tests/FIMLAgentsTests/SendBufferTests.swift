import LinuxSystem
import Testing

@testable import FIMLAgents

@Suite("Frames that wait for a host are written in their order, and forgotten when they are")
struct SendBufferTests {
    @Test("Where something always waits what was sent is dropped, and nothing is lost")
    func alwaysWaiting() throws {
        let pair = try SocketPair()
        var sending = SendBuffer()
        var received: [UInt8] = []
        var expected: [UInt8] = []
        var buffer: [UInt8] = Array(repeating: 0, count: 1 << 18)
        var mostPlaces = 0
        for turn in 0..<400 {
            // 512 KiB first, so that the kernel never takes all; then a few KiB for each that are read.
            for number in 0..<(turn == 0 ? 512 : 8) {
                let frame = [UInt8](repeating: UInt8(truncatingIfNeeded: turn &+ number), count: 1_024)
                expected += frame
                sending.append(frame)
            }
            #expect(sending.send(to: pair.first.raw) == .wouldBlock)
            mostPlaces = max(mostPlaces, sending.places)
            let part = 8 * 1_024
            let outcome = buffer.withUnsafeMutableBytes { bytes in
                pair.second.read(into: UnsafeMutableRawBufferPointer(rebasing: bytes[..<part]))
            }
            guard case .moved(let count) = outcome else {
                Issue.record("nothing came")
                return
            }
            received += buffer[..<count]
        }
        #expect(mostPlaces < 512 + 256 + 64, "3,704 frames were sent or wait")
        while sending.count > 0 {
            _ = sending.send(to: pair.first.raw)
            guard case .moved(let count) = buffer.withUnsafeMutableBytes({ pair.second.read(into: $0) })
            else {
                break
            }
            received += buffer[..<count]
        }
        while case .moved(let count) = buffer.withUnsafeMutableBytes({ pair.second.read(into: $0) }) {
            received += buffer[..<count]
        }
        #expect(received == expected)
        #expect(sending.places == 0)
    }
}
