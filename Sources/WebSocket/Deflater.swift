import CZlib

/// Deflates messages (RFC 7692 §7.2.1), each on its own (`server_no_context_takeover`), so that one deflated
/// frame serves every subscriber that negotiated the same window. One per thread.
public final class Deflater {
    /// A stream for each window of 9 to 15 bits, made on first need and kept from message to message.
    private var streams: [UnsafeMutablePointer<z_stream>?] = Array(repeating: nil, count: 7)
    private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 32 * 1024, alignment: 16)

    /// A deflater without any stream yet.
    public init() {}

    deinit {
        for case let stream? in streams {
            deflateEnd(stream)
            stream.deallocate()
        }
        chunk.deallocate()
    }

    /// Deflates one whole message, for the payload of a frame with `isCompressed`.
    ///
    /// - Parameter windowBits: the agreed window, 8 to 15: a server's is `serverMaxWindowBits`.
    public func deflate(_ payload: UnsafeRawBufferPointer, windowBits: Int) -> [UInt8] {
        precondition(payload.count <= Int(UInt32.max), "zlib counts its input in 32 bits")
        let stream = stream(windowBits: windowBits)
        stream.pointee.setInput(payload)
        var output: [UInt8] = []
        repeat {
            stream.pointee.setOutput(chunk)
            let status = CZlib.deflate(stream, Z_SYNC_FLUSH)
            // Z_BUF_ERROR only says that the output had fitted the last chunk exactly.
            precondition(status == Z_OK || status == Z_BUF_ERROR, "zlib could not deflate: \(status)")
            output.append(contentsOf: chunk[..<(chunk.count - Int(stream.pointee.avail_out))])
        } while stream.pointee.avail_out == 0
        deflateReset(stream)
        precondition(
            output.suffix(4) == Inflater.messageTail[...], "a sync flush ends with an empty stored block")
        output.removeLast(4)
        return output
    }

    /// The same for an array.
    public func deflate(_ payload: [UInt8], windowBits: Int) -> [UInt8] {
        payload.withUnsafeBytes { deflate($0, windowBits: windowBits) }
    }

    private func stream(windowBits: Int) -> UnsafeMutablePointer<z_stream> {
        precondition((8...15).contains(windowBits), "a DEFLATE window has 8 to 15 bits")
        // zlib refuses raw DEFLATE with 8 bits. Its 9 bits serve, since it never refers further back than the
        // window less 262 bytes (MIN_LOOKAHEAD in its deflate.h): 512 - 262 = 250, within 256.
        let bits = max(windowBits, 9)
        if let stream = streams[bits - 9] { return stream }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        stream.initialize(to: z_stream())
        let status = zlib_deflate_init(stream, Self.level, Int32(-bits), Self.memoryLevel)
        precondition(status == Z_OK, "zlib could not make a deflate stream: \(status)")
        streams[bits - 9] = stream
        return stream
    }

    /// zlib's default. Of our events of half a kilobyte it leaves as much as level 9 does.
    private static let level: Int32 = 6
    /// Enough for blocks of 2,048 symbols. Messages of 16 KiB get no smaller with zlib's default of 8, which
    /// takes twice the memory and has eight times the hash table to clear before each message.
    private static let memoryLevel: Int32 = 5
}
