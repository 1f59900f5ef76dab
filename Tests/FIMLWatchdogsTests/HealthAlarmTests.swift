import FIMLCore
import Testing

@testable import FIMLWatchdogs

@Suite("A watchdog that cannot see is itself an alert")
struct HealthAlarmTests {
    private static func metrics(_ status: WatchdogStatus) -> WatchdogMetrics {
        var metrics = WatchdogMetrics(name: .whaleMovement, status: status)
        metrics.lastError = "no provider answered"
        return metrics
    }

    /// What is told of a status at each second.
    private static func told(_ seen: [(Int64, WatchdogStatus)]) -> (changes: [String], events: [String]) {
        var alarm = HealthAlarm()
        var changes: [String] = []
        var events: [String] = []
        for (second, status) in seen {
            let told = alarm.look(at: [metrics(status)], moment: at(second))
            changes += told.changes.map { "\(second) \($0.from.rawValue) \($0.to.rawValue)" }
            events += told.events.map { "\(second) \($0.status.rawValue) \($0.severity.rawValue)" }
        }
        return (changes, events)
    }

    @Test("an unhealthy one is told at once, rises with time, and ends when it is well")
    func unhealthy() {
        let (changes, events) = Self.told([
            (0, .healthy), (60, .degraded), (120, .unhealthy), (1_019, .unhealthy), (1_020, .unhealthy),
            (3_719, .unhealthy), (3_720, .unhealthy), (3_780, .healthy),
        ])
        #expect(changes == ["60 healthy degraded", "120 degraded unhealthy", "3780 unhealthy healthy"])
        #expect(
            events == [
                "120 firing medium", "1020 updated high", "3720 updated critical", "3780 resolved critical",
            ])
    }

    @Test("a stale one is told when it stays so for five minutes")
    func stale() {
        #expect(Self.told([(0, .healthy), (60, .stale), (359, .stale), (360, .healthy)]).events == [])
        let (changes, events) = Self.told([(0, .stale), (300, .stale), (310, .healthy)])
        #expect(changes == ["310 stale healthy"])
        #expect(events == ["300 firing medium", "310 resolved medium"])
    }

    @Test("one that is switched off is no alert")
    func disabled() {
        #expect(
            Self.told([(0, .unhealthy), (10, .disabled)]).events == ["0 firing medium", "10 resolved medium"])
    }

    @Test("the event is the watchdog's own, of the whole market, with its reason")
    func event() throws {
        var alarm = HealthAlarm()
        let event = try #require(alarm.look(at: [Self.metrics(.unhealthy)], moment: at(5)).events.first)
        #expect(event.type == .watchdogHealth && event.watchdog == .whaleMovement)
        #expect(event.asset == nil && event.assets == [])
        #expect(event.description == "whale_movement is unhealthy: no provider answered")
        #expect(event.data["status"] == .string("unhealthy"))
    }
}
