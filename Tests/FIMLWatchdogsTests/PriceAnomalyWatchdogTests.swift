import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("price_anomaly: a move of more than 5 % within the window")
struct PriceAnomalyWatchdogTests {
    private static func judge(
        _ bars: [Bar], at moment: Timestamp? = nil,
        _ configuration: PriceAnomalyWatchdog.Configuration = .init()
    ) async throws -> [Judgement] {
        let watchdog = PriceAnomalyWatchdog(configuration, source: FixtureMarket(bars: [equity("A"): bars]))
        return try await watchdog.check(at: moment ?? bars.last?.closesAt ?? at(0))
    }

    @Test(
        "the move decides, strictly; below -10 % it is a flash crash",
        arguments: [
            (105.0, nil), (105.5, Anomaly(type: .priceAnomaly, severity: .high, discriminator: "up")),
            (95.0, nil), (94.5, Anomaly(type: .priceAnomaly, severity: .high, discriminator: "down")),
            (110.0, Anomaly(type: .priceAnomaly, severity: .high, discriminator: "up")),
            (111.0, Anomaly(type: .priceAnomaly, severity: .critical, discriminator: "up")),
            (90.0, Anomaly(type: .priceAnomaly, severity: .high, discriminator: "down")),
            (89.0, Anomaly(type: .flashCrash, severity: .critical, discriminator: "down")),
        ] as [(Double, Anomaly?)])
    func rule(close: Double, anomaly: Anomaly?) async throws {
        let judgements = try await Self.judge([bar(0), bar(60, close: close)])
        #expect(judgements.map { $0.anomaly } == [anomaly])
    }

    @Test("the event carries FIML's figures and the evidence")
    func figures() async throws {
        let rise = try #require(try await Self.judge([bar(0), bar(60, close: 106)]).first)
        #expect(
            rise.data == [
                "current_price": .number(106), "past_price": .number(100), "change_pct": .number(6),
                "time_window_seconds": .integer(60),
            ])
        #expect(
            rise.evidence
                == Evidence(
                    rule: "price_anomaly.threshold_pct", operator: "gt", threshold: 5, observed: 6,
                    windowSeconds: 60))
        let crash = try #require(try await Self.judge([bar(0), bar(60, close: 75)]).first)
        #expect(
            crash.evidence
                == Evidence(
                    rule: "price_anomaly.flash_crash_pct", operator: "lt", threshold: -10, observed: -25,
                    windowSeconds: 60))
        #expect(crash.description == "A moved -25.00 % in 1 minute")
    }

    @Test("fine bars are compared over the whole window, and across a gap not at all")
    func window() async throws {
        let fine = [
            bar(0, every: 20), bar(20, every: 20), bar(40, every: 20, close: 104),
            bar(60, every: 20, close: 106),
        ]
        let judgement = try #require(try await Self.judge(fine).first)
        #expect(judgement.data["past_price"] == .number(100))
        #expect(judgement.data["time_window_seconds"] == .integer(60))
        #expect(try await Self.judge([bar(0), bar(120, close: 200)]) == [])
        #expect(try await Self.judge([bar(0)]) == [])
    }

    @Test("bars longer than the window are judged bar to bar, and the true distance is told")
    func daily() async throws {
        // A Friday and a Monday.
        let friday = bar(0, every: 86_400)
        let judgement = try #require(
            try await Self.judge([friday, bar(259_200, every: 86_400, close: 90.5)]).first)
        #expect(judgement.data["time_window_seconds"] == .integer(259_200))
        #expect(judgement.evidence.windowSeconds == 259_200)
        #expect(judgement.description == "A moved -9.50 % in 3 days")
    }

    @Test("window and threshold are settings")
    func settings() async throws {
        let bars = [bar(0), bar(60, close: 103), bar(120, close: 106)]
        let wide = PriceAnomalyWatchdog.Configuration(windowSeconds: 120)
        #expect(try await Self.judge(bars, wide).first?.anomaly != nil)
        #expect(try await Self.judge(bars).first?.anomaly == nil)
        let low = PriceAnomalyWatchdog.Configuration(thresholdPct: 2)
        #expect(try await Self.judge(bars, low).first?.evidence.threshold == 2)
    }

    @Test("a stale price is not judged")
    func stale() async throws {
        let bars = [bar(0), bar(60, close: 50)]
        #expect(try await Self.judge(bars, at: at(120 + 300)).count == 1)
        #expect(try await Self.judge(bars, at: at(120 + 301)) == [])
    }
}
