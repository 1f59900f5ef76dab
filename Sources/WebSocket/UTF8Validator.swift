/// Tells whether bytes that arrive in parts are UTF-8, and fails at the first byte that cannot belong to it.
///
/// The well-formed sequences are those of RFC 3629 §4: no overlong form or surrogate, at most U+10FFFF.
public struct UTF8Validator: Sendable {
    /// How many continuation bytes the character under way still needs.
    private var missing: UInt8 = 0
    /// Where the next continuation byte must lie; narrower than 80…BF only right after some lead bytes.
    private var lowest: UInt8 = 0x80
    private var highest: UInt8 = 0xBF

    /// A validator at the start of a text.
    public init() {}

    /// Whether the text so far ends with a whole character.
    public var isComplete: Bool {
        missing == 0
    }

    /// Whether `bytes` are a whole valid text.
    public static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var validator = UTF8Validator()
        return validator.consume(bytes) && validator.isComplete
    }

    /// Takes the next part of the text.
    ///
    /// - Returns: false when a byte is wrong. The validator then refuses every further byte.
    public mutating func consume(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            if missing == 0 {
                while index + 8 <= bytes.count,
                    bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
                {
                    index += 8
                }
                guard index < bytes.count else { return true }
            }
            guard consume(bytes[index]) else {
                // An empty range of what may follow: no byte fits any more.
                (missing, lowest, highest) = (1, 1, 0)
                return false
            }
            index += 1
        }
        return true
    }

    private mutating func consume(_ byte: UInt8) -> Bool {
        if missing > 0 {
            guard byte >= lowest, byte <= highest else { return false }
            missing -= 1
            (lowest, highest) = (0x80, 0xBF)
            return true
        }
        switch byte {
        case 0x00...0x7F: return true
        case 0xC2...0xDF: missing = 1
        // E0 80…9F would be overlong, ED A0…BF surrogates, F0 80…8F overlong, F4 90…BF above U+10FFFF.
        case 0xE0: (missing, lowest) = (2, 0xA0)
        case 0xED: (missing, highest) = (2, 0x9F)
        case 0xE1...0xEF: missing = 2
        case 0xF0: (missing, lowest) = (3, 0x90)
        case 0xF1...0xF3: missing = 3
        case 0xF4: (missing, highest) = (3, 0x8F)
        default: return false
        }
        return true
    }
}
