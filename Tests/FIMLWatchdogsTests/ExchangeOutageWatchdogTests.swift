import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("exchange_outage: an exchange that does not answer, answers with an error, or is slow twice")
struct ExchangeOutageWatchdogTests {
    private static func status(
        _ exchange: String, _ code: Int?, _ milliseconds: Double = 80, at second: Int64 = 60,
        error: String? = nil
    ) -> ExchangeStatus {
        ExchangeStatus(
            exchange: exchange, observedAt: at(second), intervalSeconds: 60, statusCode: code,
            responseMilliseconds: milliseconds, error: error)
    }

    private static func judge(_ statuses: [ExchangeStatus], at second: Int64 = 60) async throws -> [Judgement]
    {
        var market = FixtureMarket(statuses: statuses)
        market.isCareless = true
        return try await ExchangeOutageWatchdog(settings(\.exchangeOutage), source: market)
            .check(at: at(second))
    }

    @Test(
        "no answer is critical, a status other than 200 high",
        arguments: [
            (200, nil), (nil, .critical), (503, .high), (204, .high), (429, .high), (0, .high), (-1, .high),
            (.max, .high),
        ] as [(Int?, Severity?)])
    func rule(code: Int?, severity: Severity?) async throws {
        #expect(try await Self.judge([Self.status("x", code)]).map { $0.anomaly?.severity } == [severity])
    }

    @Test(
        "slower than 4 s is medium when it happens twice in a row; once is noise",
        arguments: [
            ([80, 4_001], nil), ([4_001, 80], nil), ([4_001, 4_001], .medium), ([4_000, 4_001], nil),
            ([4_001, 4_000], nil), ([4_001], nil), ([4_001, 80, 4_001], nil), ([80, 4_001, 1e300], .medium),
        ] as [([Double], Severity?)])
    func slow(milliseconds: [Double], severity: Severity?) async throws {
        let statuses = milliseconds.enumerated().map { Self.status("x", 200, $1, at: Int64($0) * 60) }
        let last = Int64(milliseconds.count - 1) * 60
        #expect(try await Self.judge(statuses, at: last).map { $0.anomaly?.severity } == [severity])
    }

    @Test("a status that is told twice is one, and one of long ago is not in a row with the newest")
    func notInARow() async throws {
        let slow = Self.status("x", 200, 4_500)
        #expect(try await Self.judge([slow, slow]).map { $0.anomaly } == [nil])
        #expect(try await Self.judge([Self.status("x", 200, 4_500, at: -300), slow]).first?.anomaly == nil)
        #expect(try await Self.judge([Self.status("x", 200, 4_500, at: 0), slow]).first?.anomaly != nil)
    }

    @Test("the event is about the whole market and carries FIML's figures and the evidence")
    func figures() async throws {
        let refused = try #require(
            try await Self.judge([Self.status("kraken", nil, 3, error: "connection refused")]).first)
        #expect(
            refused.data == [
                "exchange": "kraken", "status_code": .null, "response_time_ms": .number(3),
                "error": "connection refused",
            ])
        #expect(
            refused.evidence
                == Evidence(
                    rule: "exchange_outage.status_code", operator: "neq", threshold: 200, observed: 0))
        #expect(refused.assets == [] && refused.subject == "kraken" && refused.observedAt == at(60))
        #expect(refused.description == "kraken does not answer")
        #expect(
            refused.anomaly
                == Anomaly(type: .exchangeOutage, severity: .critical))
        let failing = try #require(try await Self.judge([Self.status("kraken", 503)]).first)
        #expect(failing.data["status_code"] == .integer(503))
        #expect(failing.data["error"] == "answers with status 503" && failing.evidence.observed == 503)
        let well = try #require(try await Self.judge([Self.status("kraken", 200)]).first)
        #expect(well.data["error"] == .null && well.description == "kraken answers")
        #expect(
            well.evidence
                == Evidence(rule: "exchange_outage.slow_ms", operator: "gt", threshold: 4_000, observed: 80))
        let slow = try await Self.judge([
            Self.status("kraken", 200, 4_500, at: 0), Self.status("kraken", 200, 4_200),
        ])
        #expect(slow.first?.description == "kraken answered slowly twice in a row, last in 4.20 seconds")
        #expect(slow.first?.data["error"] == .null && slow.first?.evidence.observed == 4_200)
    }

    @Test("when none of several answers, the events say that the gateway's own network may be at fault")
    func ownNetwork() async throws {
        let note = "; none of the exchanges answers, so the gateway's own network may be at fault"
        let all = try await Self.judge([Self.status("b", nil), Self.status("a", nil)])
        #expect(all.map(\.description) == ["a does not answer" + note, "b does not answer" + note])
        let one = try await Self.judge([Self.status("a", nil), Self.status("b", 500)])
        #expect(one.map(\.description) == ["a does not answer", "b answers with status 500"])
    }

    @Test("an exchange that was not asked for long, or nonsense, is not judged")
    func notJudged() async throws {
        #expect(try await Self.judge([Self.status("x", nil)], at: 360).count == 1)
        #expect(try await Self.judge([Self.status("x", nil)], at: 361) == [])
        #expect(try await Self.judge([Self.status("x", nil, .nan), Self.status("x", 200, -1)]) == [])
        #expect(try await Self.judge([Self.status("", nil)]) == [])
        #expect(try await Self.judge([]) == [])
    }
}
