import FIMLCore

/// An event as one line for people: time, severity, status, watchdog, assets, description, position.
///
/// It reads the message leniently, since a newer server may say more than we know (rule 3 of the protocol).
public struct EventLine: Sendable {
    private let hasColor: Bool

    /// A writer of lines, with or without colours (ANSI X3.64, "SGR").
    public init(hasColor: Bool) {
        self.hasColor = hasColor
    }

    /// The line of an `event` message, without its end.
    public func text(_ message: JSONValue) -> String {
        let event = message["event"] ?? [:]
        let severity = Self.text(event["severity"])
        let assets = (event["assets"]?.elements ?? []).compactMap(\.text).joined(separator: ",")
        let columns = [
            Self.text(event["timestamp"]),
            painted(Self.padded(severity, to: 8), Self.color(of: severity)),
            Self.padded(Self.text(event["status"]), to: 8),
            Self.padded(Self.text(event["watchdog"]), to: 21),
            Self.padded(assets.isEmpty ? "(market)" : assets.onOneLine, to: 8),
            Self.text(event["description"]),
            painted(Self.text(message["position"]), Self.dim),
        ]
        return columns.joined(separator: " ")
    }

    private static let dim = "2"

    private static func color(of severity: String) -> String? {
        switch Severity(rawValue: severity) {
        case .critical: "1;31"  // bold red
        case .high: "31"  // red
        case .medium: "33"  // yellow
        case .low: "36"  // cyan
        case nil: nil
        }
    }

    private func painted(_ text: String, _ color: String?) -> String {
        guard hasColor, let color else { return text }
        return "\u{1B}[\(color)m\(text)\u{1B}[0m"
    }

    private static func text(_ value: JSONValue?) -> String {
        value?.text?.onOneLine ?? "?"
    }

    /// To the width of the longest word of its closed list, so that columns stand below each other.
    private static func padded(_ text: String, to width: Int) -> String {
        text + String(repeating: " ", count: max(0, width - text.count))
    }
}
