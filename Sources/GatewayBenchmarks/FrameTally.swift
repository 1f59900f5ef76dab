import Glibc
import LinuxSystem
import WebSocket

/// Counts what subscribers receive, by looking at frame headers and the first bytes of payloads.
struct FrameTally {
    /// What the payload of every delivered event begins with.
    private static let marker: StaticString = #"{"type":"event""#
    /// What stands before the moment of publication, in nanoseconds, in the event.
    private static let timeKey = Array(#""t":"#.utf8)

    /// Delivered events. A compressed frame is taken for one: what else is sent comes before the counting.
    private(set) var events = 0
    /// Payload bytes of the last of those.
    private(set) var lastEventBytes = 0
    /// Other data frames: greetings.
    private(set) var others = 0
    /// Close frames.
    private(set) var closes = 0
    /// From publication to receipt, in nanoseconds, on sampled connections.
    var latencies: [UInt64] = []
    /// Whether a compressed frame is an event, or still a greeting.
    var isCounting = false

    /// Takes bytes of one connection's stream and returns how many it is done with. The few others, the
    /// beginning of a frame, are to be shown again with what follows.
    ///
    /// - Parameters:
    ///   - rest: bytes of the connection's current frame still to come.
    ///   - isSampled: looks for the time in payloads that came whole.
    mutating func scan(
        _ bytes: UnsafeRawBufferPointer, rest: inout Int, isSampled: Bool
    ) throws(ProtocolViolation) -> Int {
        var position = min(rest, bytes.count)
        rest -= position
        while position < bytes.count {
            let frame = UnsafeRawBufferPointer(rebasing: bytes[position...])
            guard let header = try FrameHeader.decode(frame) else { break }
            let start = header.encodedLength
            guard frame.count - start >= min(header.payloadLength, Self.marker.utf8CodeUnitCount) else {
                break
            }
            let end = start + header.payloadLength
            let payload = UnsafeRawBufferPointer(rebasing: frame[start..<min(end, frame.count)])
            count(header, payload)
            if isSampled, end <= frame.count, !header.isCompressed { sample(payload) }
            rest = max(0, end - frame.count)
            position += min(end, frame.count)
        }
        return position
    }

    private mutating func count(_ header: FrameHeader, _ payload: UnsafeRawBufferPointer) {
        switch header.opcode {
        case .text, .binary:
            if header.isCompressed ? isCounting : Self.isEvent(payload) {
                events += 1
                lastEventBytes = header.payloadLength
            } else {
                others += 1
            }
        case .close: closes += 1
        case .continuation, .ping, .pong: break
        }
    }

    private static func isEvent(_ payload: UnsafeRawBufferPointer) -> Bool {
        guard payload.count >= marker.utf8CodeUnitCount, let start = payload.baseAddress else { return false }
        return memcmp(start, marker.utf8Start, marker.utf8CodeUnitCount) == 0
    }

    private mutating func sample(_ payload: UnsafeRawBufferPointer) {
        let key = Self.timeKey
        guard payload.count > key.count else { return }
        for start in 0..<(payload.count - key.count)
        where payload[start..<start + key.count].elementsEqual(key) {
            let digits = payload[(start + key.count)...].prefix { $0 >= 48 && $0 <= 57 }
            let time = digits.reduce(UInt64(0)) { $0 &* 10 &+ UInt64($1 - 48) }
            let now = monotonicNanoseconds()
            if now > time { latencies.append(now - time) }
            return
        }
    }
}
