import FIMLCore

/// Why bytes between a host and us are no frames. Nothing that follows can be understood either.
public struct FrameViolation: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong, in one line for people.
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// Cuts what comes over a connection into frames: four bytes of length, the most significant first, and as
/// many bytes of JSON. Pure: bytes in, frames out, however they were cut on the way.
struct FrameReader {
    /// Bytes of JSON in a frame. The figures of a long option chain are some hundred kilobytes.
    static let maxBytes = 8 << 20
    static let headerBytes = 4

    private var bytes: [UInt8] = []
    /// What of `bytes` was given out already.
    private var start = 0

    /// Adds what has come.
    mutating func append(_ more: some Collection<UInt8>) {
        if start == bytes.count {
            bytes.removeAll(keepingCapacity: bytes.capacity <= 1 << 20)
            start = 0
        } else if start > 1 << 16, start > bytes.count / 2 {
            bytes.removeFirst(start)
            start = 0
        }
        bytes.append(contentsOf: more)
    }

    /// The JSON text of the next frame; nil where it has not come whole. A length that no frame has is told
    /// as soon as it is there, so that nobody waits for gigabytes.
    mutating func next() throws(FrameViolation) -> [UInt8]? {
        guard bytes.count - start >= Self.headerBytes else { return nil }
        let length = bytes[start..<start + Self.headerBytes].reduce(0) { $0 << 8 | Int($1) }
        guard (2...Self.maxBytes).contains(length) else {
            throw FrameViolation("a frame of \(length) bytes")
        }
        let first = start + Self.headerBytes
        guard bytes.count - first >= length else { return nil }
        start = first + length
        return Array(bytes[first..<start])
    }

    /// Whether a frame has begun and not ended.
    var holdsPart: Bool { start < bytes.count }
}
