import CZlib

/// Inflates messages (RFC 7692 §7.2.2). One per event loop: no message leaves state behind for the next,
/// since we always negotiate `no_context_takeover` for both directions.
public final class Inflater {
    /// Allocated, since zlib keeps the address of the stream.
    private let stream: UnsafeMutablePointer<z_stream>
    private let chunk: UnsafeMutableRawBufferPointer

    /// What senders leave away behind a message: most of an empty stored block (RFC 7692 §7.2.1).
    static let messageTail: [UInt8] = [0x00, 0x00, 0xFF, 0xFF]

    /// An inflater for every window that a peer may use.
    public convenience init() {
        self.init(windowBits: 15, chunkBytes: 32 * 1024)
    }

    init(windowBits: Int, chunkBytes: Int) {
        stream = .allocate(capacity: 1)
        stream.initialize(to: z_stream())
        chunk = .allocate(byteCount: chunkBytes, alignment: 16)
        // Negative bits: raw DEFLATE without zlib's header. Fails only without memory, where Swift traps too.
        let status = zlib_inflate_init(stream, Int32(-windowBits))
        precondition(status == Z_OK, "zlib could not make an inflate stream: \(status)")
    }

    deinit {
        inflateEnd(stream)
        stream.deallocate()
        chunk.deallocate()
    }

    /// Inflates one whole message.
    ///
    /// - Parameters:
    ///   - payload: the payloads of the message's frames, joined.
    ///   - limit: how many bytes the result may have; inflation stops there.
    /// - Throws: `messageTooBig` past the limit, `deflateInvalid` for what is not DEFLATE or is cut off.
    public func inflate(
        _ payload: UnsafeRawBufferPointer, limit: Int
    ) throws(ProtocolViolation) -> [UInt8] {
        // An empty message should be the byte 00 (RFC 7692 §7.2.3.6). Nothing at all can only mean the same.
        guard !payload.isEmpty else { return [] }
        inflateReset(stream)
        var output: [UInt8] = []
        // A message that ends with a final block and nothing after it is complete already, though RFC 7692
        // §7.2.1 asks its sender for an empty block behind.
        if try run(payload, Z_SYNC_FLUSH, into: &output, limit) == Z_STREAM_END { return output }
        let status = try Self.messageTail.withUnsafeBufferPointer { (tail) throws(ProtocolViolation) in
            try run(UnsafeRawBufferPointer(tail), Z_BLOCK, into: &output, limit)
        }
        // With Z_BLOCK, bit 7 of data_type says that a block has just ended (zlib.h); else one was cut off.
        guard status == Z_STREAM_END || stream.pointee.data_type & 128 != 0 else { throw .deflateInvalid }
        return output
    }

    /// The same for an array.
    public func inflate(_ payload: [UInt8], limit: Int) throws(ProtocolViolation) -> [UInt8] {
        try payload.withUnsafeBufferPointer { (buffer) throws(ProtocolViolation) in
            try inflate(UnsafeRawBufferPointer(buffer), limit: limit)
        }
    }

    /// Feeds all of `input`.
    ///
    /// - Returns: zlib's last status, `Z_STREAM_END` when the input ended with a final block.
    private func run(
        _ input: UnsafeRawBufferPointer, _ flush: Int32, into output: inout [UInt8], _ limit: Int
    ) throws(ProtocolViolation) -> Int32 {
        stream.pointee.setInput(input)
        while true {
            stream.pointee.setOutput(chunk)
            let status = CZlib.inflate(stream, flush)
            let produced = chunk.count - Int(stream.pointee.avail_out)
            guard produced <= limit - output.count else { throw .messageTooBig }
            if output.count + produced > output.capacity {
                // Doubling, as arrays do, but not past the limit.
                output.reserveCapacity(min(limit, max(output.count + produced, 2 * output.capacity)))
            }
            output.append(contentsOf: chunk[..<produced])
            switch status {
            case Z_STREAM_END:
                guard stream.pointee.avail_in > 0 else { return status }
                // RFC 7692 §7.2.1 lets blocks follow a final one, at the next byte and with the window as it
                // was, which is what this leaves in place.
                inflateResetKeep(stream)
            case Z_OK, Z_BUF_ERROR:
                // Room left in the chunk: nothing more can come of this input.
                if stream.pointee.avail_in == 0, stream.pointee.avail_out > 0 { return status }
            default:
                throw .deflateInvalid
            }
        }
    }
}

extension z_stream {
    /// Points zlib at bytes that it only reads, though C's type does not say so.
    mutating func setInput(_ bytes: UnsafeRawBufferPointer) {
        next_in = UnsafeMutablePointer(mutating: bytes.bindMemory(to: UInt8.self).baseAddress)
        avail_in = UInt32(bytes.count)
    }

    /// Points zlib at room for what it makes.
    mutating func setOutput(_ room: UnsafeMutableRawBufferPointer) {
        next_out = room.bindMemory(to: UInt8.self).baseAddress
        avail_out = UInt32(room.count)
    }
}
