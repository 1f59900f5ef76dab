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
}
