/// A JSON value (RFC 8259). Integers that fit keep all their digits.
public enum JSONValue: Hashable, Sendable {
    case null
    case bool(Bool)
    case integer(Int64)
    /// Always finite.
    case number(Double)
    case string(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The text of a `string`, else nil.
    public var text: String? {
        if case .string(let text) = self { text } else { nil }
    }

    /// The truth value of a `bool`, else nil.
    public var boolean: Bool? {
        if case .bool(let truth) = self { truth } else { nil }
    }

    /// A number without a fraction that fits into 64 bits, written with a fraction of zero or not; else nil.
    public var int64: Int64? {
        switch self {
        case .integer(let integer): integer
        case .number(let number): Int64(exactly: number)
        case .null, .bool, .string, .array, .object: nil
        }
    }

    /// Any number, to the nearest `Double`; else nil.
    public var double: Double? {
        switch self {
        case .integer(let integer): Double(integer)
        case .number(let number): number
        case .null, .bool, .string, .array, .object: nil
        }
    }

    /// The elements of an `array`, else nil.
    public var elements: [JSONValue]? {
        if case .array(let elements) = self { elements } else { nil }
    }

    /// The members of an `object`, else nil.
    public var members: [String: JSONValue]? {
        if case .object(let members) = self { members } else { nil }
    }

    /// The member of that name; nil where there is none, or where this is no object.
    public subscript(name: String) -> JSONValue? {
        members?[name]
    }
}

extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral,
    ExpressibleByBooleanLiteral, ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral
{
    /// A `string`.
    public init(stringLiteral value: String) {
        self = .string(value)
    }

    /// An `integer`.
    public init(integerLiteral value: Int64) {
        self = .integer(value)
    }

    /// A `number`.
    public init(floatLiteral value: Double) {
        self = .number(value)
    }

    /// A `bool`.
    public init(booleanLiteral value: Bool) {
        self = .bool(value)
    }

    /// An `array`.
    public init(arrayLiteral elements: JSONValue...) {
        self = .array(elements)
    }

    /// An `object`; of members of one name the last counts.
    public init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { _, last in last })
    }
}

extension JSONValue: JSONWritable {
    /// Writes the members of objects in the order of their names, so that equal values give equal bytes.
    public func write(to writer: inout JSONWriter) {
        switch self {
        case .null: writer.null()
        case .bool(let truth): writer.bool(truth)
        case .integer(let integer): writer.integer(integer)
        case .number(let number): writer.number(number)
        case .string(let text): writer.string(text)
        case .array(let elements): elements.write(to: &writer)
        case .object(let members):
            writer.beginObject()
            for (name, value) in members.sorted(by: { $0.key < $1.key }) {
                writer.member(name, value)
            }
            writer.endObject()
        }
    }
}
