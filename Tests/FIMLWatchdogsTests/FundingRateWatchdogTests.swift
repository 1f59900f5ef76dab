import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("funding_rate: a mean rate of more than 0.1 % for eight hours")
struct FundingRateWatchdogTests {
    private static func judge(_ rates: [(String, Double, Int64)], at second: Int64 = 0) async throws
        -> [Judgement]
    {
        let market = FixtureMarket(
            rates: [
                equity("BTC"): rates.map {
                    FundingRate(exchange: $0.0, rate: $0.1, knownAt: at($0.2), intervalSeconds: 28_800)
                }
            ])
        return try await FundingRateWatchdog(source: market).check(at: at(second))
    }

    @Test(
        "the mean decides, strictly, either way",
        arguments: [
            (0.001, nil), (0.0011, Anomaly(type: .fundingSpike, severity: .high, discriminator: "positive")),
            (-0.001, nil),
            (-0.0011, Anomaly(type: .fundingSpike, severity: .high, discriminator: "negative")),
            (0.003, Anomaly(type: .fundingSpike, severity: .high, discriminator: "positive")),
            (0.0031, Anomaly(type: .fundingSpike, severity: .critical, discriminator: "positive")), (0, nil),
        ] as [(Double, Anomaly?)])
    func rule(rate: Double, anomaly: Anomaly?) async throws {
        #expect(try await Self.judge([("x", rate, 0)]).map { $0.anomaly } == [anomaly])
    }

    @Test("exchanges are averaged, and each is told")
    func mean() async throws {
        let judgement = try #require(
            try await Self.judge([("binance", 0.0025, 0), ("okx", 0.0005, 0)]).first)
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
    }

    @Test("an exchange that has fallen silent is left out, not counted as zero")
    func silent() async throws {
        let rates = [("binance", 0.002, Int64(200_000)), ("okx", 0.0, 0)]
        #expect(try await Self.judge(rates, at: 200_000).first?.data["avg_funding_rate"] == .number(0.002))
        #expect(try await Self.judge(rates, at: 900_000) == [])
    }
}
