import FoundationEssentials

/// How log records are written.
public enum LogFormat: Sendable {
    /// One JSON object a line: `time`, `level`, `message`, then the fields.
    case json
    /// A short line for people: `12:00:01 INFO  listening port=8000`.
    case terminal

    /// One record with its line end. Field names that speak of secrets have their value hidden.
    func line(
        time: Date, level: LogLevel, message: String, fields: KeyValuePairs<String, LogValue>
    ) -> String {
        let stamp = time.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        let shown = fields.map { name, value in (name, Self.isSecret(name) ? .text("(hidden)") : value) }
        switch self {
        case .json:
            let start =
                #"{"time":"\#(stamp)","level":"\#(level.rawValue)","message":\#(Self.quoted(message))"#
            return shown.reduce(start) { "\($0),\(Self.quoted($1.0)):\(Self.json($1.1))" } + "}\n"
        case .terminal:
            let name =
                level.rawValue.count < 7
                ? level.rawValue + String(repeating: " ", count: 7 - level.rawValue.count) : level.rawValue
            let start = "\(stamp.dropFirst(11).prefix(8)) \(name) \(Self.escaped(message))"
            return shown.reduce(start) { "\($0) \(Self.escaped($1.0))=\(Self.plain($1.1))" } + "\n"
        }
    }

    /// A guard behind the rule that no secret is logged.
    private static func isSecret(_ name: String) -> Bool {
        let name = name.lowercased()
        return ["token", "password", "secret", "authorization", "api_key", "cookie"].contains {
            name.contains($0)
        }
    }

    private static func json(_ value: LogValue) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .integer(let number): "\(number)"
        case .number(let number): number.isFinite ? "\(number)" : "null"
        case .flag(let flag): "\(flag)"
        }
    }

    private static func plain(_ value: LogValue) -> String {
        guard case .text(let text) = value else { return json(value) }
        let isWord = !text.isEmpty && !text.contains { $0 == " " || $0 == "=" || $0 == "\"" }
        return isWord ? escaped(text) : quoted(text)
    }

    private static func quoted(_ text: String) -> String {
        "\"\(escaped(text))\""
    }

    /// As RFC 8259 section 7 asks for; and DEL, the C1 controls and the Unicode line ends besides: what a
    /// peer sent must neither steer the terminal that shows it nor look like another record.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case "\0"..."\u{1F}", "\u{7F}"..."\u{9F}", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
