import FIMLCore
import WebSocket

/// The publications of one round, and the bytes that each set of them makes on the wire. Connections that
/// want the same set in the same encoding are given the same bytes, put together once.
public struct Round {
    private struct Key: Hashable {
        let bits: UInt64
        let encoding: FrameEncoding
    }

    /// At most `Hub.roundCapacity`.
    public let publications: ArraySlice<Publication>
    private var gathered: [Key: [UInt8]] = [:]
    private var lastKey: Key?
    private var lastBytes: [UInt8] = []

    /// A round of these.
    public init(_ publications: ArraySlice<Publication>) {
        self.publications = publications
    }

    /// The frames of a set, one after the other.
    public mutating func bytes(_ bits: UInt64, _ encoding: FrameEncoding, _ deflater: Deflater) -> [UInt8] {
        let key = Key(bits: bits, encoding: encoding)
        if key == lastKey { return lastBytes }
        let bytes = gathered[key] ?? gather(bits, encoding, deflater)
        gathered[key] = bytes
        lastKey = key
        lastBytes = bytes
        return bytes
    }

    private func gather(_ bits: UInt64, _ encoding: FrameEncoding, _ deflater: Deflater) -> [UInt8] {
        if bits.nonzeroBitCount == 1 {
            return publication(bits.trailingZeroBitCount).frame(encoding, deflater)
        }
        var bytes: [UInt8] = []
        forEach(in: bits) { bytes.append(contentsOf: $0.frame(encoding, deflater)) }
        return bytes
    }

    private func publication(_ index: Int) -> Publication {
        publications[publications.startIndex + index]
    }

    /// Calls `body` with each publication of a set, in order.
    public func forEach(in bits: UInt64, _ body: (Publication) -> Void) {
        var rest = bits
        while rest != 0 {
            body(publication(rest.trailingZeroBitCount))
            rest &= rest - 1
        }
    }
}
