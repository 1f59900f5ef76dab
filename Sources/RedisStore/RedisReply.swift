import FIMLCore

/// What a Redis server answered.
enum RedisReply: Hashable, Sendable {
    case null
    case status(String)
    /// A line whose first word is a code: `WRONGTYPE Operation against …`.
    case error(String)
    case integer(Int64)
    case bytes([UInt8])
    case array([RedisReply])

    /// The text of a status or of bytes, else nil.
    var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        case .null, .error, .integer, .array: nil
        }
    }

    /// An integer, also one that is written as text.
    var number: Int64? {
        switch self {
        case .integer(let number): number
        case .status, .bytes: text.flatMap { Int64($0) }
        case .null, .error, .array: nil
        }
    }

    /// The bytes of a bulk string, else nil.
    var data: [UInt8]? {
        if case .bytes(let bytes) = self { bytes } else { nil }
    }

    /// The elements of an array; none for anything else.
    var elements: [RedisReply] {
        if case .array(let elements) = self { elements } else { [] }
    }

    /// A stream id, else nil.
    var position: StreamPosition? { text.flatMap { StreamPosition($0) } }

    /// The elements of an array, two by two: fields and values, members and scores.
    var pairs: [(name: RedisReply, value: RedisReply)] {
        let elements = elements
        return stride(from: 0, to: elements.count - 1, by: 2).map { (elements[$0], elements[$0 + 1]) }
    }
}
