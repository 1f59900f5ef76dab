import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("earnings_anomaly: a surprise of more than 10 % of the estimate")
struct EarningsAnomalyWatchdogTests {
    private static let day: Int64 = 86_400

    /// The report of the quarter to the last day of 1970's March.
    private static func report(
        _ actual: Double, _ estimate: Double?, reported: Int64? = nil, revenue: Double? = nil
    ) -> EarningsReport {
        EarningsReport(
            quarterEnd: at(89 * day), reportedAt: reported.map { at($0 * day) }, actualEPS: actual,
            estimatedEPS: estimate, revenue: revenue)
    }

    private static func judge(
        _ report: EarningsReport?, onDay: Int64 = 120, thresholdPct: Double = 10
    ) async throws -> [Judgement] {
        var market = FixtureMarket(reports: [equity("A"): report.map { [$0] } ?? []])
        market.isCareless = true
        let settings = settings(\.earningsAnomaly) { $0.thresholdPct = thresholdPct }
        return try await EarningsAnomalyWatchdog(settings, assets: [equity("A")], source: market)
            .check(at: at(onDay * day))
    }

    @Test(
        "the surprise decides, strictly, either way, in percent of the estimate's size",
        arguments: [
            (1.125, 1, .medium), (1.0, 1, nil), (0.875, 1, .medium), (1.25, 1, .high), (0.5, 1, .high),
            (11, 10, nil), (9, 10, nil), (12, 10, .medium), (8, 10, .medium), (12.5, 10, .high),
            (-11.5, -10, .medium), (-8.5, -10, .medium), (-10.5, -10, nil), (1, -1, .high), (0, 1, .high),
        ] as [(Double, Double, Severity?)])
    func rule(actual: Double, estimate: Double, severity: Severity?) async throws {
        let judgements = try await Self.judge(Self.report(actual, estimate))
        #expect(judgements.map { $0.anomaly?.severity } == [severity])
        #expect(judgements.allSatisfy { $0.discriminator == "1970-03-31" })
    }

    @Test("the event carries FIML's figures and the evidence, null where nobody says")
    func figures() async throws {
        let sparse = try #require(try await Self.judge(Self.report(12.5, 10)).first)
        #expect(
            sparse.data == [
                "actual_eps": .number(12.5), "estimated_eps": .number(10), "surprise_pct": .number(25),
                "report_date": .null, "quarter_end": "1970-03-31", "revenue": .null,
                "revenue_estimate": .null,
            ])
        #expect(
            sparse.evidence
                == Evidence(
                    rule: "earnings_anomaly.threshold_pct", operator: "gt", threshold: 10, observed: 25))
        #expect(sparse.observedAt == at(89 * Self.day) && sparse.subject == "A")
        #expect(
            sparse.description
                == "A earned 12.50 a share in the quarter to 1970-03-31, +25.00 % against the estimate")
        let full = try #require(
            try await Self.judge(Self.report(7.5, 10, reported: 110, revenue: 5)).first)
        #expect(full.data["report_date"] == "1970-04-21" && full.data["revenue"] == .number(5))
        #expect(full.data["surprise_pct"] == .number(-25) && full.evidence.observed == 25)
        #expect(full.observedAt == at(110 * Self.day))
    }

    @Test("no report, no estimate, an estimate of 0 or nonsense is not judged")
    func notJudged() async throws {
        #expect(try await Self.judge(nil) == [])
        for (actual, estimate) in [(1, nil), (1, 0), (1, -0.0), (1, .nan), (.infinity, 1)]
            as [(Double, Double?)]
        {
            #expect(try await Self.judge(Self.report(actual, estimate)) == [])
        }
        #expect(try await Self.judge(Self.report(1e300, 1e-300)) == [])
        #expect(try await Self.judge(Self.report(2, 1), onDay: 88) == [])
        #expect(try await Self.judge(Self.report(2, 1, reported: 121), onDay: 120) == [])
    }

    @Test(
        "when the next quarter ends a surprise is judged as over: newer than its report, older than the next")
    func over() async throws {
        let report = Self.report(2, 1, reported: 110)
        let last = try #require(try await Self.judge(report, onDay: 177).first)
        #expect(last.anomaly != nil && last.observedAt == at(110 * Self.day))
        let over = try #require(try await Self.judge(report, onDay: 178).first)
        #expect(over.anomaly == nil && over.observedAt == at(178 * Self.day))
        #expect(over.data == last.data)
        #expect(last.evidence.observed == 100 && over.evidence.observed == 0)
    }

    @Test("a report that comes late is news for a week")
    func late() async throws {
        let report = Self.report(2, 1, reported: 190)
        #expect(try await Self.judge(report, onDay: 196).first?.anomaly != nil)
        #expect(try await Self.judge(report, onDay: 197).first?.anomaly == nil)
    }

    @Test("the threshold is a setting")
    func threshold() async throws {
        #expect(try await Self.judge(Self.report(12, 10), thresholdPct: 30).first?.anomaly == nil)
    }
}
