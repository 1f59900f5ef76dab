import FIMLCore
import GatewayTesting
import Testing

@testable import FIMLWatchdogs

@Suite("One condition is one alert with a beginning and an end")
struct EventStreamTests {
    private struct Finding {
        var anomaly: Anomaly?
        var side = "up"
        /// What the rule compares with 1: above it is an anomaly.
        var observed: Double
    }

    private static let fine = Finding(observed: 0)
    private static let near = Finding(observed: 0.95)
    private static let crash = Finding(
        anomaly: Anomaly(type: .flashCrash, severity: .critical), side: "down", observed: 3)

    private static func move(_ severity: Severity, _ side: String = "up") -> Finding {
        Finding(anomaly: Anomaly(type: .priceAnomaly, severity: severity), side: side, observed: 2)
    }

    private static func judgement(
        _ second: Int64, _ finding: Finding, _ asset: Asset = equity("A"), endsAfter: Int64? = nil
    ) -> Judgement {
        Judgement(
            subject: asset.symbol, assets: [asset], observedAt: at(second), anomaly: finding.anomaly,
            discriminator: finding.side, endsAfterSeconds: endsAfter, description: "at \(second)",
            data: ["second": .integer(second)],
            evidence: Evidence(rule: "r", operator: "gt", threshold: 1, observed: finding.observed))
    }

    private static func stream(_ conditions: [Condition] = []) -> EventStream {
        EventStream(watchdog: .priceAnomaly, conditions: conditions)
    }

    private static func told(
        _ stream: inout EventStream, _ second: Int64, _ finding: Finding
    ) -> [EventStatus] {
        stream.apply([judgement(second, finding)], at: at(second)).map(\.status)
    }

    /// A row: what is judged at seconds 0, 1, 2, …; what is told of each.
    @Test(
        "the table of states holds",
        arguments: [
            ([fine, fine], [[], []]),
            ([move(.high), fine, fine], [[.firing], [.resolved], []]),
            ([move(.high), move(.high)], [[.firing], []]),
            ([move(.high), move(.critical), move(.critical)], [[.firing], [.updated], []]),
            ([move(.high), move(.critical), move(.high), move(.critical)], [[.firing], [.updated], [], []]),
            ([move(.high), move(.high, "down")], [[.firing], [.resolved, .firing]]),
            ([move(.high, "down"), crash, fine], [[.firing], [.resolved, .firing], [.resolved]]),
            ([move(.high), fine, move(.high)], [[.firing], [.resolved], [.firing]]),
            ([near, move(.high), near, near, fine], [[], [.firing], [], [], [.resolved]]),
            ([move(.high), Finding(side: "down", observed: 0.95)], [[.firing], [.resolved]]),
        ] as [([Finding], [[EventStatus]])])
    private func table(findings: [Finding], expected: [[EventStatus]]) {
        var stream = Self.stream()
        let told = findings.enumerated().map { Self.told(&stream, Int64($0), $1) }
        #expect(told == expected)
    }

    @Test("what lasts is told again after the set time, counted from the last time it was told")
    func renotify() throws {
        var stream = Self.stream()
        #expect(Self.told(&stream, 0, Self.move(.high)) == [.firing])
        #expect(Self.told(&stream, 14_399, Self.move(.high)) == [])
        let again = try #require(
            stream.apply([Self.judgement(14_400, Self.move(.high))], at: at(14_400)).first)
        #expect(again.status == .updated && again.metadata == ["reason": .string("still_firing")])
        #expect(again.data["second"] == .integer(14_400) && again.startsAt == at(0))
        #expect(Self.told(&stream, 20_000, Self.move(.critical)) == [.updated])
        #expect(Self.told(&stream, 28_801, Self.move(.critical)) == [])
        #expect(Self.told(&stream, 34_400, Self.move(.critical)) == [.updated])
        #expect(Self.told(&stream, 34_401, Self.fine) == [.resolved])
    }

    @Test("one that flaps says so and ends only after a quarter of an hour of calm")
    func flapping() throws {
        var stream = Self.stream()
        for second: Int64 in [0, 600] {
            #expect(Self.told(&stream, second, Self.move(.high)) == [.firing])
            #expect(Self.told(&stream, second + 60, Self.fine) == [.resolved])
        }
        let third = stream.apply([Self.judgement(1_200, Self.move(.high))], at: at(1_200))
        #expect(third.map(\.metadata) == [["flapping": .bool(true)]])
        for (second, finding) in [(1_260, Self.fine), (2_100, Self.fine), (2_120, Self.move(.high))] {
            #expect(Self.told(&stream, Int64(second), finding) == [])
        }
        // Calm is counted anew, and what is near the threshold is not calm.
        #expect(Self.told(&stream, 2_130, Self.near) == [])
        #expect(Self.told(&stream, 2_200, Self.fine) == [])
        #expect(Self.told(&stream, 3_099, Self.fine) == [])
        #expect(Self.told(&stream, 3_100, Self.fine) == [.resolved])
        // Long after, it begins like any other.
        let later = stream.apply([Self.judgement(9_000, Self.move(.high))], at: at(9_000))
        #expect(later.map(\.metadata) == [[:]])
    }

    @Test("one that flaps from side to side is one alert that goes on")
    func sides() {
        var stream = Self.stream()
        var told: [EventStatus] = []
        for second in Int64(0)..<20 {
            told += Self.told(&stream, second * 60, Self.move(.high, second % 2 == 0 ? "up" : "down"))
        }
        #expect(told == [.firing, .resolved, .firing, .resolved, .firing])
    }

    @Test("what is not judged for a day ends, for nobody knows whether it lasts; old figures count as judged")
    func silence() {
        var stream = Self.stream()
        #expect(Self.told(&stream, 0, Self.move(.high)) == [.firing])
        #expect(stream.apply([Self.judgement(0, Self.move(.high))], at: at(86_400)) == [])
        #expect(stream.apply([], at: at(172_800)) == [])
        let ended = stream.apply([], at: at(172_801))
        #expect(ended.map(\.status) == [.resolved])
        #expect(ended.map(\.metadata) == [["reason": .string("not_judged")]])
    }

    @Test("by other settings the same figures are judged anew, and what is not watched any more ends")
    func judgeAnew() {
        var stream = Self.stream()
        _ = stream.apply(
            [Self.judgement(5, Self.fine), Self.judgement(5, Self.move(.high), equity("B"))], at: at(5))
        #expect(Self.told(&stream, 5, Self.move(.high)) == [])
        stream.judgeAnew()
        #expect(Self.told(&stream, 5, Self.move(.high)) == [.firing])
        let ended = stream.resolve(allBut: ["A"], at: at(6))
        #expect(ended.map(\.assets) == [["B"]])
        #expect(ended.map(\.metadata) == [["reason": .string("no_longer_watched")]])
        #expect(stream.conditions.map(\.subject) == ["A"])
    }

    @Test("figures from the future, judged before a clock was set back, do not shut out the present")
    func future() {
        var stream = Self.stream()
        #expect(Self.told(&stream, 90_000, Self.move(.high)) == [.firing])
        #expect(stream.apply([Self.judgement(100, Self.fine)], at: at(100)).map(\.status) == [.resolved])
    }

    @Test("what happened once fires, ends by itself, and is not told again when it is shown again")
    func occurrence() throws {
        var stream = Self.stream()
        let transfer = Self.judgement(100, Self.move(.high), endsAfter: 3_600)
        #expect(stream.apply([transfer], at: at(120)).map(\.status) == [.firing])
        #expect(stream.apply([transfer], at: at(3_699)) == [])
        let over = try #require(stream.apply([transfer], at: at(3_701)).first)
        #expect(over.status == .resolved && over.endsAt == at(3_700))
        #expect(over.metadata == ["reason": .string("time_passed")])
        #expect(stream.apply([transfer], at: at(3_800)) == [])
        #expect(stream.conditions == [])
    }

    @Test("a restart goes on with what fires: nothing is told twice, and it ends as it would have")
    func restart() throws {
        var stream = Self.stream()
        _ = stream.apply(
            [
                Self.judgement(0, Self.move(.high)),
                Self.judgement(0, Self.move(.high, "down"), equity("B"), endsAfter: 60),
            ], at: at(0))
        let kept = try stream.conditions.map { condition -> Condition in
            var writer = JSONWriter()
            condition.write(to: &writer)
            return try #require(Condition(try JSONValue.parse(writer.bytes)))
        }
        #expect(kept == stream.conditions)
        var restarted = Self.stream(kept)
        #expect(Self.told(&restarted, 0, Self.move(.high)) == [])
        #expect(Self.told(&restarted, 30, Self.move(.high)) == [])
        #expect(Self.told(&restarted, 31, Self.move(.critical)) == [.updated])
        let ended = restarted.apply([Self.judgement(70, Self.fine)], at: at(70))
        #expect(ended.map(\.status) == [.resolved, .resolved])
        #expect(ended.map(\.assets) == [["B"], ["A"]])
    }

    @Test("what cannot be a kept condition is none", arguments: ["null", "{}", "[1]", #"{"subject":"A"}"#])
    func garbled(text: String) throws {
        #expect(Condition(try JSONValue.parse(Array(text.utf8))) == nil)
    }

    @Test("events of one condition share fingerprint and beginning; the last one has the end and its figures")
    func parts() throws {
        var stream = Self.stream()
        let firing = try #require(stream.apply([Self.judgement(10, Self.move(.high))], at: at(11)).first)
        let updated = try #require(stream.apply([Self.judgement(20, Self.move(.critical))], at: at(21)).first)
        let resolved = try #require(stream.apply([Self.judgement(30, Self.fine)], at: at(31)).first)
        let events = [firing, updated, resolved]
        #expect(Set(events.map(\.fingerprint)).count == 1)
        #expect(firing.fingerprint.count == 16)
        #expect(Set(events.map(\.eventID)).count == 3)
        #expect(firing.eventID.hasPrefix("evt_") && firing.eventID.utf8.count == 40)
        #expect(events.map(\.startsAt) == [at(10), at(10), at(10)])
        #expect(events.map(\.endsAt) == [nil, nil, at(30)])
        #expect(events.map(\.timestamp) == [at(11), at(21), at(31)])
        #expect(events.map(\.severity) == [.high, .critical, .critical])
        #expect(events.map { $0.data["second"] } == [.integer(10), .integer(20), .integer(30)])
        #expect(resolved.type == .priceAnomaly && resolved.watchdog == .priceAnomaly)
        #expect(resolved.asset == equity("A") && resolved.assets == ["A"])
        #expect(resolved.description == "Over: at 30")
    }

    @Test("assets and directions are conditions of their own, and come back under the same fingerprint")
    func fingerprints() {
        var stream = Self.stream()
        let first = stream.apply(
            [
                Self.judgement(0, Self.move(.high)), Self.judgement(0, Self.move(.high), equity("B")),
                Self.judgement(0, Self.move(.high, "down"), equity("C")),
            ], at: at(0))
        #expect(Set(first.map(\.fingerprint)).count == 3)
        _ = stream.apply([Self.judgement(1, Self.fine)], at: at(1))
        let again = stream.apply([Self.judgement(2, Self.move(.critical))], at: at(2))
        #expect(again.map(\.fingerprint) == [first[0].fingerprint])
    }

    @Test("an asset that was not judged stays as it was")
    func notJudged() {
        var stream = Self.stream()
        _ = stream.apply([Self.judgement(0, Self.move(.high))], at: at(0))
        #expect(stream.apply([], at: at(1)) == [])
        #expect(stream.apply([Self.judgement(1, Self.fine, equity("B"))], at: at(1)) == [])
        #expect(stream.apply([Self.judgement(2, Self.fine)], at: at(2)).map(\.status) == [.resolved])
    }

    @Test("when a recording starts over, what fires is resolved, and the past may be judged anew")
    func resolveAll() throws {
        var stream = Self.stream()
        _ = stream.apply(
            [Self.judgement(5, Self.move(.high)), Self.judgement(5, Self.fine, equity("B"))], at: at(5))
        let resolved = stream.resolveAll(at: at(9), reason: "recording_jumped")
        #expect(resolved.map(\.status) == [.resolved])
        #expect(resolved.map(\.endsAt) == [at(9)])
        #expect(resolved.map(\.metadata) == [["reason": .string("recording_jumped")]])
        #expect(stream.resolveAll(at: at(9), reason: "") == [])
        #expect(stream.apply([Self.judgement(1, Self.move(.high))], at: at(1)).map(\.status) == [.firing])
    }

    @Test("judging a figure twice, or an old one late, changes nothing", arguments: UInt64(1)...30)
    func doubled(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let findings = [
            Self.fine, Self.near, Self.move(.high), Self.move(.critical), Self.move(.high, "down"),
            Self.crash,
        ]
        var once = EventStream(watchdog: .priceAnomaly) { "" }
        var often = EventStream(watchdog: .priceAnomaly) { "" }
        var history: [Judgement] = []
        for second in Int64(0)..<40 {
            let asset = equity(["A", "B"].randomElement(using: &random) ?? "A")
            let judgement = Self.judgement(
                second, findings.randomElement(using: &random) ?? Self.fine, asset)
            history.append(judgement)
            let expected = once.apply([judgement], at: at(second))
            #expect(
                often.apply([judgement, judgement] + history.shuffled(using: &random), at: at(second))
                    == expected)
        }
    }
}
