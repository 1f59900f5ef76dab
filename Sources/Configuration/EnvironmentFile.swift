import FoundationEssentials
import Glibc

/// A `.env` file: lines of `NAME=value`.
///
/// - `# …` on a line of its own, or after a blank behind a value, is a comment.
/// - `export ` before a name is ignored.
/// - `'…'` is taken as it stands; in `"…"` the escapes `\n`, `\t`, `\"` and `\\` are read.
/// - `$NAME` is not replaced, a value ends with its line, and the last of several lines for one name counts.
public struct EnvironmentFile: Sendable {
    /// A value and where it stands.
    public struct Entry: Sendable, Equatable {
        /// Without quotes and comment.
        public let value: String
        /// Counted from 1.
        public let line: Int
    }

    /// The file's name as it was given, for messages.
    public let path: String
    /// By name.
    public let entries: [String: Entry]

    /// Reads the text of a file. Throws one problem for each line that is not understood.
    public init(text: String, path: String = ".env") throws(ConfigurationError) {
        self.path = path
        var entries: [String: Entry] = [:]
        var problems: [String] = []
        let text = text.hasPrefix("\u{FEFF}") ? text.dropFirst() : text[...]
        let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" || $0 == "\r" }
        for (number, line) in zip(1..., lines) {
            do throws(LineProblem) {
                guard let (name, value) = try Self.assignment(in: line.trimmed) else { continue }
                entries[name] = Entry(value: value, line: number)
            } catch {
                problems.append("\(path) line \(number): \(error.rawValue)")
            }
        }
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        self.entries = entries
    }

    /// Reads a file; nil where there is none and it is not `required`.
    public static func read(path: String, required: Bool) throws(ConfigurationError) -> EnvironmentFile? {
        if !required, access(path, F_OK) != 0 { return nil }
        let text: String
        do {
            text = try String(contentsOf: URL(filePath: path), encoding: .utf8)
        } catch {
            throw ConfigurationError(problems: [
                "\(path) cannot be read: no such file, no permission, or not UTF-8"
            ])
        }
        return try EnvironmentFile(text: text, path: path)
    }

    private enum LineProblem: String, Error {
        case noAssignment = "expected NAME=value"
        case badName = "a name has only letters, digits and _, and no digit first"
        case openQuote = "the quote is not closed on this line"
        case afterQuote = "only a comment may follow a quoted value"
        case badEscape = "within double quotes \\ goes only before n, t, \" or \\"
    }

    /// The name and value of a line without blanks around it; nil for an empty line and a comment.
    private static func assignment(in line: String) throws(LineProblem) -> (name: String, value: String)? {
        if line.isEmpty || line.hasPrefix("#") { return nil }
        guard let equals = line.firstIndex(of: "=") else { throw .noAssignment }
        var name = line[..<equals].trimmed
        if name.hasPrefix("export ") || name.hasPrefix("export\t") { name = name.dropFirst(7).trimmed }
        let isNamePart: (Character) -> Bool = { $0 == "_" || ($0.isASCII && ($0.isLetter || $0.isNumber)) }
        guard let first = name.first, !first.isNumber, name.allSatisfy(isNamePart) else { throw .badName }

        let rest = line[line.index(after: equals)...]
        let value = rest.trimmed
        switch value.first {
        case "'": return (name, try quoted(value.dropFirst(), by: "'"))
        case "\"": return (name, try quoted(value.dropFirst(), by: "\""))
        default: return (name, unquoted(rest))
        }
    }

    /// Up to a `#` that follows a blank.
    private static func unquoted(_ rest: Substring) -> String {
        var previous: Character = "="
        for index in rest.indices {
            if rest[index] == "#", previous == " " || previous == "\t" { return rest[..<index].trimmed }
            previous = rest[index]
        }
        return rest.trimmed
    }

    private static func quoted(_ text: Substring, by quote: Character) throws(LineProblem) -> String {
        var value = ""
        var rest = text
        while let character = rest.popFirst() {
            if character == quote {
                let tail = rest.trimmed
                guard tail.isEmpty || (tail.hasPrefix("#") && rest.first != "#") else { throw .afterQuote }
                return value
            }
            guard character == "\\", quote == "\"" else {
                value.append(character)
                continue
            }
            switch rest.popFirst() {
            case "n": value.append("\n")
            case "t": value.append("\t")
            case "\"": value.append("\"")
            case "\\": value.append("\\")
            default: throw .badEscape
            }
        }
        throw .openQuote
    }
}
