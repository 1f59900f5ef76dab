import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("funding_rate: a mean rate of more than 0.1 % for eight hours")
struct FundingRateWatchdogTests {
    private static func judge(
        _ rates: [(String, Double, Int64)], at second: Int64 = 0, thresholdPct: Double = 0.1
    ) async throws -> [Judgement] {
        let market = FixtureMarket(
            rates: [
                equity("BTC"): rates.map {
                    FundingRate(exchange: $0.0, rate: $0.1, knownAt: at($0.2), intervalSeconds: 28_800)
                }
            ])
        let settings = settings(\.fundingRate) { $0.thresholdPct = thresholdPct }
        return try await FundingRateWatchdog(settings, assets: [equity("BTC")], source: market)
            .check(at: at(second))
    }

    @Test(
        "the mean decides, strictly, either way",
        arguments: [
            (0.001, nil), (0.0011, Anomaly(type: .fundingSpike, severity: .high)),
            (-0.001, nil),
            (-0.0011, Anomaly(type: .fundingSpike, severity: .high)),
            (0.003, Anomaly(type: .fundingSpike, severity: .high)),
            (0.0031, Anomaly(type: .fundingSpike, severity: .critical)), (0, nil),
        ] as [(Double, Anomaly?)])
    func rule(rate: Double, anomaly: Anomaly?) async throws {
        #expect(try await Self.judge([("x", rate, 0)]).map { $0.anomaly } == [anomaly])
    }

    @Test("exchanges are averaged, and each is told")
    func mean() async throws {
        let judgement = try #require(
            try await Self.judge([("okx", 0.0005, 60), ("binance", 0.0025, 0)], at: 60).first)
        #expect(judgement.data["avg_funding_rate"] == .number(0.0015))
        #expect(judgement.data["funding_rate_pct"] == .number(0.15))
        #expect(
            judgement.data["by_exchange"] == .object(["binance": .number(0.0025), "okx": .number(0.0005)]))
        #expect(
            judgement.evidence
                == Evidence(
                    rule: "funding_rate.threshold_pct", operator: "gt", threshold: 0.1, observed: 0.15,
                    windowSeconds: 28_800))
        #expect(judgement.description == "BTC pays +0.1500 % funding for eight hours on binance, okx")
        #expect(judgement.subject == "BTC" && judgement.observedAt == at(60))
    }

    @Test("an exchange that has fallen silent, or says nonsense, is left out, not counted as zero")
    func silent() async throws {
        let rates = [("binance", 0.002, Int64(200_000)), ("okx", 0.0, 0), ("bybit", .nan, 200_000)]
        #expect(try await Self.judge(rates, at: 200_000).first?.data["avg_funding_rate"] == .number(0.002))
        #expect(try await Self.judge(rates, at: 900_000) == [])
        #expect(try await Self.judge([]) == [])
    }

    @Test("of several rates of one exchange the newest counts, once")
    func newest() async throws {
        let rates = [("okx", 0.004, Int64(0)), ("okx", 0.002, 60), ("okx", 0.002, 60)]
        #expect(try await Self.judge(rates, at: 60).first?.data["avg_funding_rate"] == .number(0.002))
    }

    @Test("the threshold is a setting")
    func threshold() async throws {
        #expect(try await Self.judge([("x", 0.0015, 0)], thresholdPct: 0.2).first?.anomaly == nil)
    }
}
