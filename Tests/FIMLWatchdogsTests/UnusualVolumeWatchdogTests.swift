import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("unusual_volume: more than 3 times the mean of the 30 bars before")
struct UnusualVolumeWatchdogTests {
    /// 30 bars of volume 10 at a price of 100, then one of `volume` at 102.
    private static func bars(_ volume: Double?, before: Int = 30) -> [Bar] {
        (0..<Int64(before)).map { bar($0 * 60, volume: 10) }
            + [bar(Int64(before) * 60, close: 102, volume: volume)]
    }

    private static func judge(
        _ bars: [Bar], at second: Int64 = 31 * 60, multiplier: Double = 3
    ) async throws -> [Judgement] {
        let settings = settings(\.unusualVolume) { $0.multiplier = multiplier }
        let market = FixtureMarket(bars: [equity("A"): bars])
        return try await UnusualVolumeWatchdog(settings, assets: [equity("A")], source: market)
            .check(at: at(second))
    }

    @Test(
        "the ratio decides, strictly",
        arguments: [
            (30.0, nil), (30.1, .high), (50.0, .high), (50.1, .critical), (0.0, nil), (1e18, .critical),
        ] as [(Double, Severity?)])
    func severity(volume: Double, expected: Severity?) async throws {
        #expect(try await Self.judge(Self.bars(volume)).map { $0.anomaly?.severity } == [expected])
    }

    @Test("the event carries FIML's figures and the evidence")
    func figures() async throws {
        let judgement = try #require(try await Self.judge(Self.bars(40)).first)
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
        #expect(judgement.subject == "A" && judgement.assets == [equity("A")])
        #expect(judgement.observedAt == at(31 * 60))
        #expect(judgement.anomaly == Anomaly(type: .unusualVolume, severity: .high))
    }

    @Test("a bar that is not over counts as it stands, against the 30 that are")
    func unfinished() async throws {
        let halfway = try #require(try await Self.judge(Self.bars(40), at: 30 * 60 + 20).first)
        #expect(halfway.data["volume_ratio"] == .number(4))
        #expect(halfway.observedAt == at(30 * 60 + 20))
        // One bar more is over: the newest of those is not mistaken for the unfinished one.
        let longer = [bar(-60, volume: 1e9)] + Self.bars(40)
        #expect(
            try await Self.judge(longer, at: 30 * 60 + 20).map { $0.data["avg_volume"] } == [.number(10)])
    }

    @Test("the multiplier is a setting")
    func multiplier() async throws {
        let judgement = try #require(try await Self.judge(Self.bars(40), multiplier: 4).first)
        #expect(judgement.anomaly == nil && judgement.evidence.threshold == 4)
    }

    @Test("too few bars, a missing or senseless figure, a mean of 0 or a stale bar are not judged")
    func notJudged() async throws {
        func broken(_ index: Int, _ change: (inout Bar) -> Void) -> [Bar] {
            var bars = Self.bars(40)
            change(&bars[index])
            return bars
        }
        let cases: [([Bar], Int64)] = [
            (Self.bars(40, before: 29), 30 * 60), (Self.bars(nil), 31 * 60),
            (broken(7) { $0.volume = nil }, 31 * 60), (broken(7) { $0.volume = .nan }, 31 * 60),
            (broken(7) { $0.volume = -10 }, 31 * 60), (broken(30) { $0.volume = .infinity }, 31 * 60),
            (broken(30) { $0.close = 0 }, 31 * 60), (broken(29) { $0.close = -1 }, 31 * 60),
            ((0..<31).map { bar($0 * 60, volume: $0 == 30 ? 9 : 0) }, 31 * 60),
            (Self.bars(40), 31 * 60 + 301), (Self.bars(40), 0),
        ]
        for (index, (bars, second)) in cases.enumerated() {
            #expect(try await Self.judge(bars, at: second) == [], "case \(index)")
        }
        #expect(try await Self.judge(Self.bars(40), at: 31 * 60 + 300).count == 1)
    }

    @Test("a bar that is told twice counts once")
    func doubled() async throws {
        var market = FixtureMarket(bars: [equity("A"): Self.bars(40).flatMap { [$0, $0] }])
        market.isCareless = true
        let watchdog = UnusualVolumeWatchdog(settings(\.unusualVolume), assets: [equity("A")], source: market)
        #expect(try await watchdog.check(at: at(31 * 60)) == Self.judge(Self.bars(40)))
    }

    @Test("all assets that fire are told, and one that fails does not spoil the rest")
    func severalAssets() async throws {
        let assets = ["A", "B", "C"].map(equity)
        var market = FixtureMarket(
            bars: Dictionary(uniqueKeysWithValues: assets.map { ($0, Self.bars(40)) }))
        market.failing = ["B"]
        let judgements = try await UnusualVolumeWatchdog(
            settings(\.unusualVolume), assets: assets, source: market
        ).check(at: at(31 * 60))
        #expect(judgements.filter { $0.anomaly != nil }.map(\.subject) == ["A", "C"])
        market.failing = ["A", "B", "C"]
        let watchdog = UnusualVolumeWatchdog(settings(\.unusualVolume), assets: assets, source: market)
        await #expect(throws: MarketDataError.self) { try await watchdog.check(at: at(31 * 60)) }
    }
}
