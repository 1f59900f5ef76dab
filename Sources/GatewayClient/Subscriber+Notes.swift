import FIMLCore
import WebSocket

extension Subscriber {
    /// `12 events were not delivered (slow_consumer: low 10, medium 2), 5-0 to 9-0; GET /events?… has them`.
    static func gapNote(_ message: JSONValue) -> String {
        let severities = Severity.allCases.reversed().compactMap { severity -> String? in
            let count = message["by_severity"]?[severity.rawValue]?.int64 ?? 0
            return count > 0 ? "\(severity.rawValue) \(count)" : nil
        }
        let detail = "\(text(message["reason"])): \(severities.joined(separator: ", "))"
        return "gap: \(count(message["dropped"])) events were not delivered (\(detail)), "
            + "\(text(message["from_position"])) to \(text(message["to_position"])); "
            + "GET \(text(message["backfill"])) has them"
    }

    /// `watchdog funding_rate is stale (was healthy): no data`.
    static func statusNote(_ message: JSONValue) -> String {
        "\(text(message["scope"])) \(text(message["name"])) is \(text(message["state"])) "
            + "(was \(text(message["previous_state"]))): \(text(message["reason"]))"
    }

    /// `closed by the server: 4102 too slow`.
    static func closeText(_ code: CloseCode?, _ reason: String) -> String {
        let code = code.map { "\($0.rawValue)" } ?? "without a code"
        return "closed by the server: \(code)\(reason.isEmpty ? "" : " \(reason)")"
    }

    static func text(_ value: JSONValue?) -> String {
        value?.text ?? "?"
    }

    static func count(_ value: JSONValue?) -> String {
        value?.int64.map { "\($0)" } ?? "?"
    }
}
