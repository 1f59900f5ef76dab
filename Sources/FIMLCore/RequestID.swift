/// What a client calls its request by; every reply carries it back.
public enum RequestID: Hashable, Sendable {
    /// 1 to 64 characters.
    case text(String)
    case integer(Int64)

    /// nil for anything but a string of 1 to 64 characters or an integer of 64 bits.
    public init?(_ value: JSONValue) {
        switch value {
        case .integer(let integer): self = .integer(integer)
        case .string(let text) where (1...64).contains(text.unicodeScalars.count): self = .text(text)
        case .null, .bool, .number, .string, .array, .object: return nil
        }
    }
}

extension RequestID: JSONWritable {
    /// Writes it as it came.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .text(let text): writer.string(text)
        case .integer(let integer): writer.integer(integer)
        }
    }
}
