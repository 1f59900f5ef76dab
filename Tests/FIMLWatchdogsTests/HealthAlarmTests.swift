import FIMLCore
import Testing

@testable import FIMLWatchdogs

@Suite("A watchdog that cannot see is itself an alert")
struct HealthAlarmTests {
    private static func metrics(
        _ status: WatchdogStatus, sinceInput: Double = 0
    ) -> WatchdogMetrics {
        var metrics = WatchdogMetrics(name: .whaleMovement, status: status)
        metrics.lastError = "no provider answered"
        metrics.secondsSinceLastInput = sinceInput
        metrics.alarmAfterSeconds = 300
        return metrics
    }

    /// What is told of a status at each second.
    private static func told(_ seen: [(Int64, WatchdogStatus)]) -> (changes: [String], events: [String]) {
        var alarm = HealthAlarm(of: .whaleMovement)
        var changes: [String] = []
        var events: [String] = []
        for (second, status) in seen {
            let told = alarm.look(at: metrics(status), moment: at(second))
            if let change = told.change {
                changes.append("\(second) \(change.from.rawValue) \(change.to.rawValue)")
            }
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

    @Test("a stale one is told once it should have had input, and of a recording not at all")
    func stale() {
        var alarm = HealthAlarm(of: .whaleMovement)
        var quiet = HealthAlarm(of: .whaleMovement, tellsStale: false)
        func told(_ second: Int64, _ status: WatchdogStatus, sinceInput: Double) -> [EventStatus] {
            let metrics = Self.metrics(status, sinceInput: sinceInput)
            #expect(quiet.look(at: metrics, moment: at(second)).events == [])
            return alarm.look(at: metrics, moment: at(second)).events.map(\.status)
        }
        #expect(told(0, .stale, sinceInput: 0) == [])
        #expect(told(299, .stale, sinceInput: 299) == [])
        #expect(told(300, .stale, sinceInput: 300) == [.firing])
        #expect(told(1_199, .stale, sinceInput: 1_199) == [])
        #expect(told(1_200, .stale, sinceInput: 1_200) == [.updated])
        #expect(told(1_210, .healthy, sinceInput: 1) == [.resolved])
    }

    @Test("a restart goes on with an alarm: it is not told again, rises by its true beginning, and ends")
    func restart() throws {
        var alarm = HealthAlarm(of: .whaleMovement)
        let first = alarm.look(at: Self.metrics(.unhealthy), moment: at(100)).events
        let kept = try alarm.conditions.map { condition -> Condition in
            var writer = JSONWriter()
            condition.write(to: &writer)
            return try #require(Condition(try JSONValue.parse(writer.bytes)))
        }
        var restarted = HealthAlarm(of: .whaleMovement, conditions: kept)
        #expect(restarted.look(at: Self.metrics(.unhealthy), moment: at(160)).events == [])
        let later = restarted.look(at: Self.metrics(.unhealthy), moment: at(1_000)).events
        #expect(later.map(\.severity) == [.high])
        let ended = restarted.look(at: Self.metrics(.healthy), moment: at(1_060)).events
        #expect(ended.map(\.status) == [.resolved] && ended.map(\.fingerprint) == first.map(\.fingerprint))
    }

    @Test("one that is switched off is no alert")
    func disabled() {
        #expect(
            Self.told([(0, .unhealthy), (10, .disabled)]).events == ["0 firing medium", "10 resolved medium"])
    }

    @Test("the event is the watchdog's own, of the whole market, with its reason")
    func event() throws {
        var alarm = HealthAlarm(of: .whaleMovement)
        let event = try #require(alarm.look(at: Self.metrics(.unhealthy), moment: at(5)).events.first)
        #expect(event.type == .watchdogHealth && event.watchdog == .whaleMovement)
        #expect(event.asset == nil && event.assets == [])
        #expect(event.description == "whale_movement is unhealthy: no provider answered")
        #expect(event.data["status"] == .string("unhealthy"))
    }
}
