/// Masking and unmasking (RFC 6455 §5.3): an exclusive or with the four bytes of the key, over and over.
public enum Masking {
    /// Masks or unmasks `bytes` in place, eight at a time.
    ///
    /// - Parameter key: the masking key, its first byte on the wire as the most significant one.
    /// - Returns: the key for the bytes that follow: a payload that arrives in parts is unmasked part by
    ///   part.
    @discardableResult
    public static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer) -> UInt32 {
        // `.bigEndian` lays the key's bytes out in memory as they were on the wire, whatever the machine's
        // own order.
        let word = UInt64(key.bigEndian) << 32 | UInt64(key.bigEndian)
        var offset = 0
        while offset + 8 <= bytes.count {
            let masked = bytes.loadUnaligned(fromByteOffset: offset, as: UInt64.self) ^ word
            bytes.storeBytes(of: masked, toByteOffset: offset, as: UInt64.self)
            offset += 8
        }
        // Eight is a multiple of four: the rest begins with the key's first byte again.
        var rest = key
        while offset < bytes.count {
            bytes[offset] ^= UInt8(truncatingIfNeeded: rest >> 24)
            rest = rest << 8 | rest >> 24
            offset += 1
        }
        return rest
    }
}
