/// Writes frames (RFC 6455 §5.2).
public enum Frame {
    /// A frame in wire form, in one allocation.
    ///
    /// - Parameters:
    ///   - payload: at most 125 bytes for a control frame; already deflated where `isCompressed`.
    ///   - isFinal: false for all fragments of a message but the last.
    ///   - isCompressed: sets RSV1; only on the first frame of a message (RFC 7692 §6.1).
    ///   - maskingKey: needed from clients (and must then be unpredictable), forbidden from servers.
    public static func encode(
        _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, isFinal: Bool = true, isCompressed: Bool = false,
        maskingKey: UInt32? = nil
    ) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(FrameHeader.maxEncodedLength + payload.count)
        append(
            opcode, payload, isFinal: isFinal, isCompressed: isCompressed, maskingKey: maskingKey, to: &bytes)
        return bytes
    }

    /// The same for an array, a slice, a string's `utf8` or `Data`.
    @inlinable
    public static func encode(
        _ opcode: Opcode, _ payload: some Collection<UInt8>, isFinal: Bool = true, isCompressed: Bool = false,
        maskingKey: UInt32? = nil
    ) -> [UInt8] {
        let encoded = payload.withContiguousStorageIfAvailable { contiguous in
            encode(
                opcode, UnsafeRawBufferPointer(contiguous), isFinal: isFinal, isCompressed: isCompressed,
                maskingKey: maskingKey)
        }
        if let encoded { return encoded }
        return Array(payload).withUnsafeBytes { bytes in
            encode(opcode, bytes, isFinal: isFinal, isCompressed: isCompressed, maskingKey: maskingKey)
        }
    }

    /// Appends a frame in wire form to `bytes`, for writes that gather several.
    public static func append(
        _ opcode: Opcode, _ payload: UnsafeRawBufferPointer, isFinal: Bool = true, isCompressed: Bool = false,
        maskingKey: UInt32? = nil, to bytes: inout [UInt8]
    ) {
        precondition(
            !opcode.isControl || (isFinal && payload.count <= FrameHeader.maxControlPayloadLength),
            "a control frame is one frame of at most 125 bytes")
        let header = FrameHeader(
            isFinal: isFinal, isCompressed: isCompressed, opcode: opcode, maskingKey: maskingKey,
            payloadLength: payload.count)
        header.append(to: &bytes)
        let start = bytes.count
        bytes.append(contentsOf: payload)
        guard let maskingKey else { return }
        bytes.withUnsafeMutableBytes { all in
            _ = Masking.apply(maskingKey, to: UnsafeMutableRawBufferPointer(rebasing: all[start...]))
        }
    }

    /// A close frame (RFC 6455 §5.5.1).
    ///
    /// - Parameters:
    ///   - code: one that is valid on the wire; nil for a close frame without a payload.
    ///   - reason: cut at a character's boundary to the 123 bytes that fit.
    public static func close(
        _ code: CloseCode?, _ reason: String = "", maskingKey: UInt32? = nil
    ) -> [UInt8] {
        guard let code else { return encode(.close, [], maskingKey: maskingKey) }
        precondition(code.isValidOnWire, "close code \(code.rawValue) must not be sent")
        var payload = [UInt8(code.rawValue >> 8), UInt8(code.rawValue & 0xFF)]
        for scalar in reason.unicodeScalars {
            guard payload.count + UTF8.width(scalar) <= FrameHeader.maxControlPayloadLength else { break }
            payload.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        }
        return encode(.close, payload, maskingKey: maskingKey)
    }
}
