/// A command line that is not understood.
public struct UsageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// One line: what is wrong, and what is allowed.
    public let description: String

    /// An error with its line; control characters of what the user wrote are escaped.
    public init(_ description: String) {
        self.description = description.onOneLine
    }
}

extension String {
    /// The text with control characters and line separators escaped, so that whatever a stranger sent stays
    /// one line and cannot steer the terminal.
    var onOneLine: String {
        var line = ""
        for scalar in unicodeScalars {
            switch scalar.value {
            case 0..<0x20, 0x7F...0x9F, 0x2028, 0x2029: line += scalar.escaped(asASCII: true)
            default: line.unicodeScalars.append(scalar)
            }
        }
        return line
    }
}
