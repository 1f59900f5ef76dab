/// Why a text is not a JSON value that we take, and where.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    /// What is wrong.
    public enum Reason: String, Sendable {
        case unexpectedEnd = "the text ends too early"
        case unexpectedCharacter = "unexpected character"
        case trailingText = "text after the end of the value"
        case badNumber = "malformed number"
        case numberOutOfRange = "number out of range"
        case badEscape = "malformed escape in a string"
        case controlCharacter = "control character in a string"
        case badUTF8 = "a string is not valid UTF-8"
        case duplicateName = "a name occurs twice in an object"
        case tooDeep = "nested too deeply"
    }

    /// What is wrong.
    public let reason: Reason
    /// The line, from 1.
    public let line: Int
    /// The byte within the line, from 1.
    public let column: Int

    /// `unexpected character at line 1, column 9`.
    public var description: String {
        "\(reason.rawValue) at line \(line), column \(column)"
    }
}
