/// Masking and unmasking (RFC 6455 §5.3): an exclusive or with the four bytes of the key, over and over.
public enum Masking {
    /// Masks or unmasks `bytes` in place, eight at a time.
    ///
    /// - Parameter key: the masking key, its first byte on the wire as the most significant one.
    /// - Returns: the key for the bytes that follow, where a payload arrives in parts.
    @discardableResult
    public static func apply(_ key: UInt32, to bytes: UnsafeMutableRawBufferPointer) -> UInt32 {
        // `.bigEndian` lays the key out in memory as on the wire, whatever the machine's byte order.
        let word = UInt64(key.bigEndian) << 32 | UInt64(key.bigEndian)
        let words = bytes.count / 8
        for index in 0..<words {
            let masked = bytes.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self) ^ word
            bytes.storeBytes(of: masked, toByteOffset: index * 8, as: UInt64.self)
        }
        // Eight is a multiple of four: the rest begins with the key's first byte again.
        var rest = key
        for index in (words * 8)..<bytes.count {
            bytes[index] ^= UInt8(truncatingIfNeeded: rest >> 24)
            rest = rest << 8 | rest >> 24
        }
        return rest
    }
}
