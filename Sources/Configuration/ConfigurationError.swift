/// Why the gateway does not start: everything that is wrong with its settings, one line each.
public struct ConfigurationError: Error, Equatable, CustomStringConvertible {
    /// One sentence a problem: the variable, its value, what is allowed.
    public let problems: [String]

    /// The problems, one a line.
    public var description: String {
        problems.joined(separator: "\n")
    }
}

extension StringProtocol {
    /// Without blanks and tabs at either end.
    var trimmed: String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        let start = drop(while: isBlank)
        guard let end = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(start[...end])
    }

    /// At most 80 characters with control characters escaped, so that whatever a variable holds, a message
    /// about it stays one readable line.
    var onOneLine: String {
        var line = ""
        for scalar in unicodeScalars.prefix(80) {
            let isControl = scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value)
            line += isControl ? scalar.escaped(asASCII: true) : String(scalar)
        }
        return unicodeScalars.count > 80 ? line + "…" : line
    }
}
