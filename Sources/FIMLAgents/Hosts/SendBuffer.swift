import LinuxSystem

/// Frames that wait to be written, in their order.
struct SendBuffer {
    /// What came of writing.
    enum Outcome {
        case done, wouldBlock, failed
    }

    /// So many places of frames that were sent are kept before they are dropped: 2 KiB of them.
    private static let maxSent = 256

    private var frames: [[UInt8]] = []
    private var first = 0
    /// What of the first frame was written already.
    private var offset = 0
    /// Bytes that wait.
    private(set) var count = 0

    /// Places that are taken, those of frames that were sent included.
    var places: Int { frames.count }

    mutating func append(_ frame: [UInt8]) {
        frames.append(frame)
        count += frame.count
    }

    /// Writes as much as the kernel takes.
    mutating func send(to descriptor: Int32) -> Outcome {
        while first < frames.count {
            let frame = frames[first]
            let sent = frame.withUnsafeBytes { bytes in
                sendNow(descriptor, UnsafeRawBufferPointer(rebasing: bytes[offset...]))
            }
            guard sent >= 0 else {
                let outcome: Outcome = isWouldBlock() ? .wouldBlock : .failed
                dropSent()
                return outcome
            }
            offset += sent
            count -= sent
            guard offset == frame.count else { continue }
            frames[first] = []
            first += 1
            offset = 0
        }
        frames.removeAll(keepingCapacity: true)
        first = 0
        return .done
    }

    /// Where something always waits the frames that were sent would be kept for ever.
    private mutating func dropSent() {
        guard first >= Self.maxSent else { return }
        frames.removeSubrange(..<first)
        first = 0
    }
}
