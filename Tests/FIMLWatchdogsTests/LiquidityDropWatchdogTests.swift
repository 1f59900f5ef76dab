import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("liquidity_drop: a depth of less than half its mean")
struct LiquidityDropWatchdogTests {
    private static func judge(
        _ depthUSD: Double, mean: Double? = 100, snapshots: Int = 10, at second: Int64 = 0,
        thresholdPct: Double = 50
    ) async throws -> [Judgement] {
        let depth = MarketDepth(
            observedAt: at(0), depthUSD: depthUSD, intervalSeconds: 60, meanUSD: mean, snapshots: snapshots)
        let settings = settings(\.liquidityDrop) { $0.thresholdPct = thresholdPct }
        return try await LiquidityDropWatchdog(
            settings, assets: [equity("BTC")], source: FixtureMarket(depths: [equity("BTC"): [depth]])
        ).check(at: at(second))
    }

    @Test(
        "the share of the mean decides, strictly",
        arguments: [
            (50, nil), (49.9, .high), (30, .high), (29.9, .critical), (0, .critical), (100, nil), (900, nil),
        ] as [(Double, Severity?)])
    func rule(depth: Double, severity: Severity?) async throws {
        #expect(try await Self.judge(depth).map { $0.anomaly?.severity } == [severity])
    }

    @Test("the event carries FIML's figures and the evidence")
    func figures() async throws {
        let judgement = try #require(try await Self.judge(25e6, mean: 100e6).first)
        #expect(
            judgement.data == [
                "current_depth": .number(25e6), "avg_depth": .number(100e6), "drop_pct": .number(75),
                "depth_ratio": .number(0.25),
            ])
        #expect(
            judgement.evidence
                == Evidence(
                    rule: "liquidity_drop.threshold_pct", operator: "gt", threshold: 50, observed: 75,
                    windowSeconds: 604_800))
        #expect(
            judgement.description
                == "BTC has 25.00 million US dollars within 1.0 % of its price, 25.00 % of the mean of 7 days"
        )
        #expect(judgement.subject == "BTC" && judgement.observedAt == at(0))
        #expect(judgement.anomaly == Anomaly(type: .liquidityDrop, severity: .critical))
    }

    @Test("a mean of too few snapshots, none, or of 0, nonsense and a stale depth are not judged")
    func notJudged() async throws {
        #expect(try await Self.judge(1, snapshots: 9) == [])
        #expect(try await Self.judge(1, mean: nil) == [])
        #expect(try await Self.judge(1, mean: 0) == [])
        #expect(try await Self.judge(1, mean: .nan) == [])
        #expect(try await Self.judge(-1) == [])
        #expect(try await Self.judge(.infinity) == [])
        #expect(try await Self.judge(1e308, mean: 1e-308) == [])
        #expect(try await Self.judge(1, at: 300).count == 1)
        #expect(try await Self.judge(1, at: 301) == [])
    }

    @Test("the threshold is a setting")
    func threshold() async throws {
        #expect(try await Self.judge(40, thresholdPct: 60).first?.anomaly == nil)
        #expect(try await Self.judge(39, thresholdPct: 60).first?.anomaly?.severity == .high)
        #expect(try await Self.judge(80, thresholdPct: 10).first?.anomaly?.severity == .high)
    }
}
