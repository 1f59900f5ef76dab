import FIMLCore
import Testing

@testable import GatewayClient

@Suite("An event is one line for people")
struct EventLineTests {
    private static func message(_ changes: [String: JSONValue] = [:]) -> JSONValue {
        let event: [String: JSONValue] = [
            "severity": "high", "status": "firing", "watchdog": "price_anomaly", "assets": ["BTC", "ETH"],
            "description": "BTC moved 6.1 % in 60 s", "timestamp": "2026-11-24T05:24:01.123Z",
        ]
        return [
            "type": "event", "position": "5-0",
            "event": .object(event.merging(changes) { _, changed in changed }),
        ]
    }

    @Test("Time, severity, status, watchdog, assets, description and position stand in columns")
    func plain() {
        #expect(
            EventLine(hasColor: false).text(Self.message())
                == "2026-11-24T05:24:01.123Z high     firing   price_anomaly         BTC,ETH  "
                + "BTC moved 6.1 % in 60 s 5-0")
    }

    @Test("On a terminal the severity is coloured and the position is dim")
    func coloured() {
        #expect(
            EventLine(hasColor: true).text(Self.message(["severity": "critical"]))
                == "2026-11-24T05:24:01.123Z \u{1B}[1;31mcritical\u{1B}[0m firing   price_anomaly         "
                + "BTC,ETH  BTC moved 6.1 % in 60 s \u{1B}[2m5-0\u{1B}[0m")
    }

    @Test("An event about the whole market says so")
    func marketWide() {
        #expect(EventLine(hasColor: false).text(Self.message(["assets": []])).contains(" (market) "))
    }

    @Test(
        "Nothing in an event can steer the terminal or begin a line",
        arguments: ["severity", "status", "watchdog", "description", "timestamp"])
    func controls(member: String) {
        let hostile: JSONValue = "a\u{1B}[2J\r\nb\u{9B}1m\u{7F}\u{2028}c"
        let line = EventLine(hasColor: false).text(Self.message([member: hostile, "assets": [hostile]]))
        #expect(line.unicodeScalars.allSatisfy { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        #expect(!line.contains("\u{2028}"))
        #expect(line.contains("\\u{1B}[2J\\r\\nb"))
    }

    @Test("What is missing, of another kind or unknown still gives a line")
    func lenient() {
        let writer = EventLine(hasColor: true)
        #expect(writer.text(["type": "event"]).hasPrefix("? "))
        #expect(writer.text(["event": 5, "position": 7]).hasPrefix("? "))
        #expect(writer.text(Self.message(["severity": "apocalyptic"])).contains(" apocalyptic firing "))
    }
}
