import Configuration
import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("whale_movement: each transfer of more than a million dollars")
struct WhaleMovementWatchdogTests {
    private static func transfer(
        _ usdValue: Double, hash: String = "h", at second: Int64 = 0, from: String? = "a",
        amount: Double = 2
    ) -> Transfer {
        Transfer(
            hash: hash, observedAt: at(second), from: from, to: "b", amount: amount, usdValue: usdValue)
    }

    private static func judge(
        _ transfers: [Transfer]?, at second: Int64 = 60,
        _ change: (inout Settings.WhaleMovement) -> Void = { _ in }
    ) async throws -> [Judgement] {
        var market = FixtureMarket()
        market.transfers[equity("BTC")] = transfers
        market.isCareless = true
        return try await WhaleMovementWatchdog(
            settings(\.whaleMovement, change), assets: [equity("BTC")], source: market
        ).check(at: at(second))
    }

    @Test(
        "the value decides: strictly above the minimum, from ten times, from fifty times",
        arguments: [
            (1_000_000, nil), (1_000_000.01, .medium), (9_999_999, .medium), (10_000_000, .high),
            (49_999_999, .high), (50_000_000, .critical), (0, nil),
        ] as [(Double, Severity?)])
    func rule(usdValue: Double, severity: Severity?) async throws {
        let found = try await Self.judge([Self.transfer(usdValue)]).compactMap { $0.anomaly }
        #expect(found.map(\.severity) == (severity.map { [$0] } ?? []))
        #expect(found.allSatisfy { $0.type == .whaleMovement })
    }

    @Test("the event carries FIML's figures and the evidence")
    func figures() async throws {
        let judgement = try #require(
            try await Self.judge([Self.transfer(27_101_250, at: 30, from: nil, amount: 412.5)]).last)
        #expect(
            judgement.data == [
                "from": .null, "to": "b", "amount": .number(412.5), "usd_value": .number(27_101_250),
                "tx_hash": "h",
            ])
        #expect(
            judgement.evidence
                == Evidence(
                    rule: "whale_movement.min_usd", operator: "gt", threshold: 1_000_000,
                    observed: 27_101_250, windowSeconds: 3_600))
        #expect(judgement.description == "412.50 BTC worth 27.10 million US dollars moved to b")
        #expect(judgement.subject == "BTC/h" && judgement.assets == [equity("BTC")])
        #expect(judgement.observedAt == at(30) && judgement.endsAfterSeconds == 3_600)
    }

    @Test("an asset that was seen is judged although nothing moved; one that was not seen is not")
    func quiet() async throws {
        let quiet = try #require(try await Self.judge([]).first)
        #expect(quiet.subject == "BTC" && quiet.anomaly == nil && quiet.endsAfterSeconds == nil)
        #expect(quiet.observedAt == at(60) && quiet.evidence.observed == 0)
        #expect(Set(quiet.data.keys) == ["from", "to", "amount", "usd_value", "tx_hash"])
        #expect(try await Self.judge(nil) == [])
        let busy = try await Self.judge([Self.transfer(3e6)])
        #expect(busy.map(\.subject) == ["BTC", "BTC/h"])
        #expect(busy.first?.anomaly == nil && busy.first?.evidence.observed == 3e6)
    }

    @Test("transfers of the last hour are told, each hash once, in the order of their time")
    func lastHour() async throws {
        let transfers = [
            Self.transfer(2e6, hash: "late", at: 5_000), Self.transfer(2e6, hash: "early", at: 1_401),
            Self.transfer(2e6, hash: "gone", at: 1_400), Self.transfer(3e6, hash: "late", at: 5_000),
            Self.transfer(2e6, hash: "late", at: 5_000),
        ]
        let told = try await Self.judge(transfers, at: 5_000).dropFirst()
        #expect(told.map(\.subject) == ["BTC/early", "BTC/late"])
        #expect(told.last?.data["usd_value"] == .number(3e6))
    }

    @Test("nonsense is passed over, the rest is told")
    func nonsense() async throws {
        var dateless = Self.transfer(2e6, hash: "f")
        dateless.observedAt = Timestamp(milliseconds: .max)
        let transfers = [
            Self.transfer(.nan, hash: "a"), Self.transfer(.infinity, hash: "b"), Self.transfer(2e6, hash: ""),
            Self.transfer(2e6, hash: "d", amount: -1), Self.transfer(2e6, hash: "e", at: 7_261), dateless,
            Self.transfer(2e6, hash: "good"),
        ]
        #expect(try await Self.judge(transfers).map(\.subject) == ["BTC", "BTC/good"])
    }

    @Test("one transaction that moves two assets is told of each")
    func swap() async throws {
        let assets = ["USDC", "USDT"].map(equity)
        let market = FixtureMarket(
            transfers: Dictionary(uniqueKeysWithValues: assets.map { ($0, [Self.transfer(2e6)]) }))
        let told = try await WhaleMovementWatchdog(
            settings(\.whaleMovement), assets: assets, source: market
        ).check(at: at(0)).filter { $0.anomaly != nil }
        #expect(told.map(\.subject) == ["USDC/h", "USDT/h"])
    }

    @Test("the minimum is a setting, and the steps are multiples of it")
    func minimum() async throws {
        let transfers = [Self.transfer(2e6, hash: "a"), Self.transfer(100, hash: "b")]
        let low = try await Self.judge(transfers) { $0.minUSD = 10 }.compactMap { $0.anomaly?.severity }
        #expect(low == [.critical, .high])
        #expect(try await Self.judge(transfers) { $0.minUSD = 1e7 }.compactMap { $0.anomaly } == [])
    }
}
