import Configuration
import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@Suite("price_anomaly: a move of more than 5 % within the window")
struct PriceAnomalyWatchdogTests {
    private static func judge(
        _ quotes: [Quote], at moment: Timestamp? = nil,
        _ change: (inout Settings.PriceAnomaly) -> Void = { _ in }
    ) async throws -> [Judgement] {
        let watchdog = PriceAnomalyWatchdog(
            settings(\.priceAnomaly, change), assets: [equity("A")],
            source: FixtureMarket(quotes: [equity("A"): quotes]))
        return try await watchdog.check(at: moment ?? quotes.last?.observedAt ?? at(0))
    }

    @Test(
        "the move decides, strictly; below -10 % it is a flash crash",
        arguments: [
            (105.0, nil), (105.5, Anomaly(type: .priceAnomaly, severity: .high)),
            (95.0, nil), (94.5, Anomaly(type: .priceAnomaly, severity: .high)),
            (110.0, Anomaly(type: .priceAnomaly, severity: .high)),
            (111.0, Anomaly(type: .priceAnomaly, severity: .critical)),
            (90.0, Anomaly(type: .priceAnomaly, severity: .high)),
            (89.0, Anomaly(type: .flashCrash, severity: .critical)),
        ] as [(Double, Anomaly?)])
    func rule(price: Double, anomaly: Anomaly?) async throws {
        #expect(try await Self.judge([quote(0), quote(60, price)]).map { $0.anomaly } == [anomaly])
    }

    @Test("the event carries FIML's figures and the evidence")
    func figures() async throws {
        let rise = try #require(try await Self.judge([quote(0), quote(60, 106)]).first)
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
        let crash = try #require(try await Self.judge([quote(0), quote(60, 75)]).first)
        #expect(
            crash.evidence
                == Evidence(
                    rule: "price_anomaly.flash_crash_pct", operator: "lt", threshold: -10, observed: -25,
                    windowSeconds: 60))
        #expect(crash.description == "A moved -25.00 % in 1 minute")
        #expect(crash.subject == "A" && crash.observedAt == at(60))
    }

    @Test("the newest quote is held against the one nearest to a window earlier, of two the older")
    func nearest() async throws {
        let fine = [quote(0, 90), quote(20, 101), quote(41, 102), quote(60, 103), quote(80, 104)]
            .map { Quote(observedAt: $0.observedAt, price: $0.price, intervalSeconds: 20) }
        let judgement = try #require(try await Self.judge(fine).first)
        #expect(judgement.data["past_price"] == .number(101))
        #expect(judgement.data["time_window_seconds"] == .integer(60))
        let between = [quote(10, 101), quote(30, 102), quote(80, 104)]
        #expect(try await Self.judge(between).first?.data["past_price"] == .number(101))
        #expect(try await Self.judge(between).first?.data["time_window_seconds"] == .integer(70))
    }

    @Test("a quote more than half a window off is a gap, and across a gap nothing is judged")
    func gap() async throws {
        #expect(try await Self.judge([quote(0), quote(120, 200)]) == [])
        #expect(try await Self.judge([quote(0), quote(90, 200)]).count == 1)
        #expect(try await Self.judge([quote(0), quote(91, 200)]) == [])
        #expect(try await Self.judge([quote(0), quote(30, 200)]).count == 1)
        #expect(try await Self.judge([quote(0), quote(29, 200)]) == [])
        #expect(try await Self.judge([quote(0)]) == [])
        #expect(try await Self.judge([]) == [])
    }

    @Test("quotes rarer than the window are judged from one to the next, and the true distance is told")
    func daily() async throws {
        // A Friday and a Monday.
        let days = [quote(0, 50, every: 86_400), quote(86_400, 100, every: 86_400)]
        let monday = quote(86_400 * 4, 90.5, every: 86_400)
        let judgement = try #require(try await Self.judge(days + [monday]).first)
        #expect(judgement.data["time_window_seconds"] == .integer(259_200))
        #expect(judgement.evidence.windowSeconds == 259_200)
        #expect(judgement.description == "A moved -9.50 % in 3 days")
    }

    @Test("window and threshold are settings")
    func windowAndThreshold() async throws {
        let quotes = [quote(0), quote(60, 103), quote(120, 106)]
        #expect(try await Self.judge(quotes).first?.anomaly == nil)
        #expect(try await Self.judge(quotes) { $0.window = .seconds(120) }.first?.anomaly != nil)
        #expect(try await Self.judge(quotes) { $0.thresholdPct = 2 }.first?.evidence.threshold == 2)
    }

    @Test("a stale price is not judged, nor one from more than a minute ahead")
    func stale() async throws {
        let quotes = [quote(0), quote(60, 50)]
        #expect(try await Self.judge(quotes, at: at(60 + 300)).count == 1)
        #expect(try await Self.judge(quotes, at: at(60 + 301)) == [])
        var market = FixtureMarket(quotes: [equity("A"): quotes])
        market.isCareless = true
        let watchdog = PriceAnomalyWatchdog(settings(\.priceAnomaly), assets: [equity("A")], source: market)
        #expect(try await watchdog.check(at: at(0)).count == 1)
        #expect(try await watchdog.check(at: at(-1)) == [])
    }

    @Test(
        "figures of shares are expected while New York trades, of coins always",
        arguments: [
            // 2026-11-24 is a Tuesday.
            ("2026-11-24T14:30:00Z", true), ("2026-11-24T19:59:59Z", true), ("2026-11-24T20:00:00Z", false),
            ("2026-11-24T03:00:00Z", false), ("2026-11-28T15:00:00Z", false), ("2026-11-29T15:00:00Z", false),
            ("2026-11-30T15:00:00Z", true),
        ])
    func expectations(time: String, isExpected: Bool) throws {
        let moment = try #require(Timestamp(rfc3339: time))
        func watchdog(_ assets: [Asset]) -> PriceAnomalyWatchdog {
            PriceAnomalyWatchdog(Settings().watchdogs.priceAnomaly, assets: assets, source: FixtureMarket())
        }
        #expect(watchdog([equity("AAPL")]).expectsFigures(at: moment) == isExpected)
        #expect(watchdog([equity("AAPL"), WatchedAssets.asset("BTC")]).expectsFigures(at: moment))
    }
}
