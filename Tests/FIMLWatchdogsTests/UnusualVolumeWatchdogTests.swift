import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("unusual_volume: more than 3 times the mean of the 30 bars before")
struct UnusualVolumeWatchdogTests {
    /// 30 bars of volume 10 at a price of 100, then one of `volume` at 102.
    private static func market(_ volume: Double?, before: Int = 30) -> FixtureMarket {
        var bars = (0..<Int64(before)).map { bar($0 * 60, volume: 10) }
        bars.append(bar(Int64(before) * 60, close: 102, volume: volume))
        return FixtureMarket(bars: [equity("A"): bars])
    }

    @Test(
        "the ratio decides, strictly",
        arguments: [
            (30.0, nil), (30.1, .high), (50.0, .high), (50.1, .critical), (0.0, nil), (1e18, .critical),
        ] as [(Double, Severity?)])
    func severity(volume: Double, expected: Severity?) async throws {
        let judgements = try await UnusualVolumeWatchdog(source: Self.market(volume)).check(at: at(31 * 60))
        #expect(judgements.map { $0.anomaly?.severity } == [expected])
    }

    @Test("the event carries FIML's figures and the evidence")
    func figures() async throws {
        let judgement = try #require(
            try await UnusualVolumeWatchdog(source: Self.market(40)).check(at: at(31 * 60)).first)
        #expect(
            judgement.data == [
                "current_volume": .number(40), "avg_volume": .number(10), "volume_ratio": .number(4),
                "price_change_pct": .number(2), "price": .number(102),
            ])
        #expect(
            judgement.evidence
                == Evidence(
                    rule: "unusual_volume.multiplier", operator: "gt", threshold: 3, observed: 4,
                    windowSeconds: 1_800))
        #expect(judgement.description == "A traded 4.00 times its mean volume of 30 bars (+2.00 %)")
        #expect(judgement.observedAt == at(31 * 60))
        #expect(judgement.anomaly == Anomaly(type: .unusualVolume, severity: .high))
    }

    @Test("the multiplier is a setting")
    func multiplier() async throws {
        let watchdog = UnusualVolumeWatchdog(.init(multiplier: 4), source: Self.market(40))
        #expect(try await watchdog.check(at: at(31 * 60)).map { $0.anomaly } == [nil])
    }

    @Test("too few bars, a missing volume, a mean of 0 or a stale bar are not judged")
    func notJudged() async throws {
        let dead = FixtureMarket(bars: [equity("A"): (0..<31).map { bar($0 * 60, volume: $0 == 30 ? 9 : 0) }])
        var holed = Self.market(40)
        holed.bars[equity("A")]?[7].volume = nil
        let cases = [
            (Self.market(40, before: 29), 30 * 60), (Self.market(nil), 31 * 60), (holed, 31 * 60),
            (dead, 31 * 60),
            (Self.market(40), 31 * 60 + 301), (Self.market(40), 0),
        ]
        for (market, second) in cases {
            #expect(try await UnusualVolumeWatchdog(source: market).check(at: at(Int64(second))) == [])
        }
    }

    @Test("all assets that fire are told, and one that fails does not spoil the rest")
    func severalAssets() async throws {
        var market = Self.market(40)
        market.bars[equity("B")] = market.bars[equity("A")]
        market.bars[equity("C")] = market.bars[equity("A")]
        market.failing = ["B"]
        let judgements = try await UnusualVolumeWatchdog(source: market).check(at: at(31 * 60))
        #expect(judgements.filter { $0.anomaly != nil }.map { $0.assets[0].symbol } == ["A", "C"])
        market.failing = ["A", "B", "C"]
        await #expect(throws: MarketDataError.self) {
            try await UnusualVolumeWatchdog(source: market).check(at: at(31 * 60))
        }
    }
}
