import FIMLCore
import GatewayTesting
import Testing

@testable import FIMLWatchdogs

@Suite("One condition is one alert with a beginning and an end")
struct EventStreamTests {
    private static let crash = Anomaly(type: .flashCrash, severity: .critical, discriminator: "down")

    private static func judgement(
        _ second: Int64, _ anomaly: Anomaly?, _ asset: Asset = equity("A")
    ) -> Judgement {
        Judgement(
            assets: [asset], observedAt: at(second), anomaly: anomaly, description: "at \(second)",
            data: ["second": .integer(second)],
            evidence: Evidence(rule: "r", operator: "gt", threshold: 1, observed: 2))
    }

    private static func move(_ severity: Severity, _ direction: String = "up") -> Anomaly {
        Anomaly(type: .priceAnomaly, severity: severity, discriminator: direction)
    }

    private static func stream() -> EventStream {
        EventStream(watchdog: .priceAnomaly)
    }

    /// A row: what is judged at seconds 0, 1, 2, …; what is told of each.
    @Test(
        "the table of states holds",
        arguments: [
            ([nil, nil], [[], []]),
            ([move(.high), nil, nil], [[.firing], [.resolved], []]),
            ([move(.high), move(.high)], [[.firing], []]),
            ([move(.high), move(.critical), move(.critical)], [[.firing], [.updated], []]),
            ([move(.high), move(.critical), move(.high), move(.critical)], [[.firing], [.updated], [], []]),
            ([move(.high), move(.high, "down")], [[.firing], [.resolved, .firing]]),
            ([move(.high, "down"), crash, nil], [[.firing], [.resolved, .firing], [.resolved]]),
            ([move(.high), nil, move(.high)], [[.firing], [.resolved], [.firing]]),
        ] as [([Anomaly?], [[EventStatus]])])
    func table(anomalies: [Anomaly?], expected: [[EventStatus]]) {
        var stream = Self.stream()
        let told = anomalies.enumerated().map { second, anomaly in
            stream.apply([Self.judgement(Int64(second), anomaly)], at: at(Int64(second))).map(\.status)
        }
        #expect(told == expected)
    }

    @Test("events of one condition share fingerprint and beginning; the last one has the end and its figures")
    func parts() throws {
        var stream = Self.stream()
        let firing = try #require(stream.apply([Self.judgement(10, Self.move(.high))], at: at(11)).first)
        let updated = try #require(stream.apply([Self.judgement(20, Self.move(.critical))], at: at(21)).first)
        let resolved = try #require(stream.apply([Self.judgement(30, nil)], at: at(31)).first)
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
        _ = stream.apply([Self.judgement(1, nil)], at: at(1))
        let again = stream.apply([Self.judgement(2, Self.move(.critical))], at: at(2))
        #expect(again.map(\.fingerprint) == [first[0].fingerprint])
    }

    @Test("an asset that was not judged stays as it was")
    func notJudged() {
        var stream = Self.stream()
        _ = stream.apply([Self.judgement(0, Self.move(.high))], at: at(0))
        #expect(stream.apply([], at: at(1)) == [])
        #expect(stream.apply([Self.judgement(1, nil, equity("B"))], at: at(1)) == [])
        #expect(stream.apply([Self.judgement(2, nil)], at: at(2)).map(\.status) == [.resolved])
    }

    @Test("when a recording starts over, what fires is resolved, and the past may be judged anew")
    func resolveAll() throws {
        var stream = Self.stream()
        _ = stream.apply(
            [Self.judgement(5, Self.move(.high)), Self.judgement(5, nil, equity("B"))], at: at(5))
        let resolved = stream.resolveAll(at: at(9), reason: "recording_restarted")
        #expect(resolved.map(\.status) == [.resolved])
        #expect(resolved.map(\.endsAt) == [at(9)])
        #expect(resolved.map(\.metadata) == [["reason": .string("recording_restarted")]])
        #expect(stream.resolveAll(at: at(9), reason: "") == [])
        #expect(stream.apply([Self.judgement(1, Self.move(.high))], at: at(1)).map(\.status) == [.firing])
    }

    @Test("judging a figure twice, or an old one late, changes nothing", arguments: UInt64(1)...30)
    func doubled(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let anomalies: [Anomaly?] = [
            nil, Self.move(.high), Self.move(.critical), Self.move(.high, "down"), Self.crash,
        ]
        var once = EventStream(watchdog: .priceAnomaly) { "" }
        var often = EventStream(watchdog: .priceAnomaly) { "" }
        var history: [Judgement] = []
        for second in Int64(0)..<40 {
            let asset = equity(["A", "B"].randomElement(using: &random) ?? "A")
            let judgement = Self.judgement(second, anomalies.randomElement(using: &random) ?? nil, asset)
            history.append(judgement)
            let expected = once.apply([judgement], at: at(second))
            #expect(
                often.apply([judgement, judgement] + history.shuffled(using: &random), at: at(second))
                    == expected)
        }
    }
}
