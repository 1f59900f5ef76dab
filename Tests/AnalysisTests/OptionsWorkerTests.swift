import Analysis
import FIMLCore
import GatewayTesting
import MarketData
import Testing

/// Chains for the tests of options.
enum OptionFixtures {
    static let day: Int64 = 86_400
    /// 2026-08-19, 00:00.
    static let morning = Timestamp(rfc3339: "2026-08-19T00:00:00Z") ?? Timestamp(milliseconds: 0)

    /// An option that ends `days` after the fixtures' day.
    static func option(
        _ symbol: String, _ kind: OptionContract.Kind, strike: Double = 100, days: Int64 = 30,
        volume: Double? = nil, open: Double? = nil, volatility: Double? = nil, bid: Double? = nil,
        ask: Double? = nil
    ) -> OptionContract {
        var contract = OptionContract(
            symbol: symbol, kind: kind, strike: strike, expiresOn: morning.adding(seconds: days * day))
        contract.volume = volume
        contract.openInterest = open
        contract.impliedVolatility = volatility
        contract.bid = bid
        contract.ask = ask
        return contract
    }

    /// Two months of expiry, one contract that ended, figures that are missing.
    static let chain = [
        option("C100", .call, strike: 100, volume: 500, open: 100, volatility: 0.2),
        option("C110", .call, strike: 110, volume: 300, open: 200, volatility: 0.3),
        option("C120", .call, strike: 120, volume: 100, open: 10, volatility: 0.1),
        option("C90", .call, strike: 90, days: -1, volume: 9_000, open: 1, volatility: 0.9),
        option("P90", .put, strike: 90, volume: 450, open: 225, volatility: 0.28),
        option("P80", .put, strike: 80, days: 121, volume: 101, volatility: 0.32),
        option("P85", .put, strike: 85, days: 121, volume: 102, open: 0),
        option("P70", .put, strike: 70),
    ]

    static func figures(
        _ contracts: [OptionContract], price: Double? = nil, at moment: Timestamp = morning
    ) -> Figures {
        var figures = Figures(PriceFixtures.asset, at: moment.adding(seconds: 60))
        figures.optionChain = OptionChain(
            observedAt: moment, underlyingPrice: price, contracts: contracts)
        return figures
    }

    /// A call and a put with these volumes and volatilities, and as many open of each.
    static func pair(
        calls: Double = 100, puts: Double = 100, call: Double? = 0.2, put: Double? = 0.2
    ) -> Figures {
        figures([
            option("C", .call, volume: calls, open: 100, volatility: call),
            option("P", .put, volume: puts, open: 100, volatility: put),
        ])
    }
}

@Suite("An asset is judged by its options, and what they do not tell is said")
struct OptionsWorkerTests {
    private static let worker = OptionsWorker()
    private static let metrics: Set<String> = [
        "put_call_ratio", "put_call_oi_ratio", "avg_implied_volatility", "call_implied_volatility",
        "put_implied_volatility", "volatility_skew", "unusual_call_count", "unusual_put_count",
        "total_call_volume", "total_put_volume",
    ]

    private static func finding(_ figures: Figures) throws -> Finding { try worker.analyze(figures) }

    @Test("The figures of a chain; contracts of every expiry count, those that ended do not")
    func figures() throws {
        let finding = try Self.finding(OptionFixtures.figures(OptionFixtures.chain))
        let expected = [
            "total_call_volume": 900, "total_put_volume": 653, "put_call_ratio": 0.725555555555556,
            "put_call_oi_ratio": 0.725806451612903, "call_implied_volatility": 0.2,
            "put_implied_volatility": 0.3, "avg_implied_volatility": 0.25, "volatility_skew": 0.1,
            "unusual_call_count": 1, "unusual_put_count": 2,
        ]
        for (name, value) in expected {
            #expect(isClose(finding.value("metrics", name)?.double, value, within: 1e-12), "\(name)")
        }
        #expect(Set(finding.value("metrics")?.members?.keys.map { $0 } ?? []) == Self.metrics)
        #expect(finding.value("sentiment") == "neutral")
        #expect(finding.value("volatility_outlook") == "normal")
        // 5 × 0.774444 + 2 × 0.774194 + 2 × 0.25 + 1 × 0.846154, by hand.
        #expect(isClose(finding.score, 6.76676316516, within: 1e-9))
        // All ten metrics; 1,553 contracts against 1,000.
        #expect(isClose(finding.confidence, 0.608303956130, within: 1e-9))
        #expect(finding.asOf == OptionFixtures.morning)
        #expect(finding.missing.isEmpty)
        #expect(
            finding.value("interpretation")?.text
                == "0.73 puts were traded a call, which is neutral; an implied volatility of 25.0 % is "
                + "normal; 3 contracts with unusual volume.")
    }

    @Test("Unusual is above 100 and above twice what is open; the largest volume comes first")
    func unusual() throws {
        let finding = try Self.finding(OptionFixtures.figures(OptionFixtures.chain))
        let rows = finding.value("unusual_activity")?.elements ?? []
        #expect(rows.map { $0["contract"]?.text } == ["C100", "P85", "P80"])
        #expect(
            rows.first
                == [
                    "contract": "C100", "kind": "call", "strike": .number(100), "expires_on": "2026-09-18",
                    "volume": .number(500), "open_interest": .number(100),
                ])
        #expect(rows.map { $0["open_interest"] } == [.number(100), .number(0), .null])
        #expect(rows.last?["expires_on"] == "2026-12-18")
    }

    @Test("At most ten unusual contracts are listed, all are counted; equal volumes go by symbol")
    func unusualLimit() throws {
        let many = (10..<40).map { number in
            OptionFixtures.option("C\(number)", .call, volume: 1_000, open: 1, volatility: 0.2)
        }
        let put = OptionFixtures.option("P", .put, volume: 1_001, open: 1, volatility: 0.2)
        let finding = try Self.finding(OptionFixtures.figures(many.reversed() + [put]))
        #expect(finding.value("metrics", "unusual_call_count")?.double == 30)
        let names = (finding.value("unusual_activity")?.elements ?? []).map { $0["contract"]?.text }
        #expect(names == ["P"] + (10..<19).map { "C\($0)" })
    }

    @Test(
        "Sentiment by puts a call",
        arguments: [
            (0, "bullish"), (69, "bullish"), (70, "neutral"), (120, "neutral"), (121, "bearish"),
        ] as [(Double, String)])
    func sentiment(puts: Double, expected: String) throws {
        let finding = try Self.finding(OptionFixtures.pair(puts: puts))
        #expect(finding.value("sentiment")?.text == expected)
    }

    @Test(
        "Outlook by the mean implied volatility",
        arguments: [
            (0.1499, "compressed"), (0.15, "normal"), (0.3499, "normal"), (0.35, "elevated"),
            (0.5999, "elevated"), (0.6, "extreme"), (5, "extreme"),
        ])
    func outlook(volatility: Double, expected: String) throws {
        let finding = try Self.finding(OptionFixtures.pair(call: volatility, put: volatility))
        #expect(finding.value("volatility_outlook")?.text == expected)
    }

    @Test("More puts, dearer puts and more volatility never raise the score, and end at 0 and 10")
    func monotone() throws {
        func falls(_ scores: [Double]) -> Bool { zip(scores, scores.dropFirst()).allSatisfy { $0 >= $1 } }
        let puts = try (0...30).map { try Self.finding(OptionFixtures.pair(puts: Double($0) * 10)).score }
        #expect(falls(puts) && (puts.first ?? 0) > (puts.last ?? 0))
        let skews = try (1...30).map {
            try Self.finding(OptionFixtures.pair(call: 0.31 - Double($0) / 100, put: Double($0) / 100)).score
        }
        #expect(falls(skews) && (skews.first ?? 0) > (skews.last ?? 0))
        let levels = try (1...30).map {
            let volatility = Double($0) / 20
            return try Self.finding(OptionFixtures.pair(call: volatility, put: volatility)).score
        }
        #expect(falls(levels) && (levels.first ?? 0) > (levels.last ?? 0))
        func extreme(_ calls: Double, _ puts: Double, _ call: Double, _ put: Double) throws -> Double {
            try Self.finding(
                OptionFixtures.figures([
                    OptionFixtures.option("C", .call, volume: calls, open: calls, volatility: call),
                    OptionFixtures.option("P", .put, volume: puts, open: puts, volatility: put),
                ])
            ).score
        }
        #expect(try extreme(1_000, 0, 0.12, 0.06) == 10)
        #expect(try extreme(100, 1_000, 0.9, 1.2) == 0)
    }

    @Test("Without a trade of calls the ratio is null and says so; what is left judges")
    func zeroVolumes() throws {
        let finding = try Self.finding(OptionFixtures.pair(calls: 0, puts: 0))
        #expect(finding.value("metrics", "put_call_ratio") == .null)
        #expect(finding.value("metrics", "total_call_volume")?.double == 0)
        #expect(finding.value("sentiment") == .null)
        #expect(
            finding.missing == [
                MissingFigures(.optionChain, "put_call_ratio", reason: "no calls were traded")
            ])
        #expect(finding.confidence == 0)
        #expect(finding.value("interpretation")?.text?.hasPrefix("No calls were traded") == true)
    }

    @Test("A side without volatilities leaves mean and skew null, with reasons")
    func oneSide() throws {
        let finding = try Self.finding(OptionFixtures.pair(put: nil))
        #expect(finding.value("metrics", "call_implied_volatility")?.double == 0.2)
        #expect(
            finding.missingSubjects
                == ["put_implied_volatility", "avg_implied_volatility", "volatility_skew"])
        #expect(finding.value("volatility_outlook") == .null)
        #expect(isClose(finding.confidence, 0.7 * 200 / 1_200))
    }

    @Test("What could not be had of options comes with the finding; what others need does not")
    func carries() throws {
        var figures = OptionFixtures.pair()
        let ours = MissingFigures(.optionChain, reason: "cboe answered 503")
        figures.missing = [ours, MissingFigures(.news, reason: "newsapi answered 401")]
        #expect(try Self.finding(figures).missing == [ours])
        figures.optionChain = nil
        #expect(throws: InsufficientData([ours])) { try Self.finding(figures) }
    }

    @Test("No chain, an empty one, one that ended or one without a figure: nothing is said")
    func insufficient() {
        let none = Figures(PriceFixtures.asset, at: OptionFixtures.morning)
        let cases: [(Figures, String)] = [
            (none, "there are no options"),
            (OptionFixtures.figures([]), "the chain is empty"),
            (
                OptionFixtures.figures([OptionFixtures.option("C", .call, days: -1, volume: 5)]),
                "all options have ended"
            ),
        ]
        for (figures, reason) in cases {
            #expect(throws: InsufficientData([MissingFigures(.optionChain, reason: reason)])) {
                try Self.finding(figures)
            }
        }
        let bare = OptionFixtures.figures([OptionFixtures.option("C", .call)])
        let error = #expect(throws: InsufficientData.self) { try Self.finding(bare) }
        #expect(error?.missing.contains { $0.subject == "put_call_ratio" } == true)
    }

    @Test("An option lives to the end of its last day")
    func lastDay() throws {
        let contracts = [
            OptionFixtures.option("C", .call, days: 0, volume: 10, open: 1),
            OptionFixtures.option("P", .put, days: 0, volume: 20, open: 1),
        ]
        let evening = OptionFixtures.morning.adding(seconds: OptionFixtures.day - 1)
        let finding = try Self.finding(OptionFixtures.figures(contracts, at: evening))
        #expect(finding.value("metrics", "put_call_ratio")?.double == 2)
        let midnight = OptionFixtures.morning.adding(seconds: OptionFixtures.day)
        #expect(throws: InsufficientData.self) {
            try Self.finding(OptionFixtures.figures(contracts, at: midnight))
        }
    }
}

@Suite("Where a source tells no implied volatility, bid and ask do")
struct ComputedVolatilityTests {
    /// Seventy-three days, a fifth of a year, on 100 at 4 % without yield; prices by an independent
    /// computation in Python.
    private static func quoted(
        _ symbol: String, _ kind: OptionContract.Kind, strike: Double = 100, middle: Double
    ) -> OptionContract {
        OptionFixtures.option(
            symbol, kind, strike: strike, days: 72, volume: 10, open: 10, bid: middle - 0.05,
            ask: middle + 0.05)
    }

    private static let chain = [
        quoted("C", .call, middle: 4.849981972214579), quoted("P", .put, strike: 95, middle: 3.6085533127644),
    ]

    private func volatility(_ side: String, _ figures: Figures) throws -> Double? {
        try OptionsWorker().analyze(figures).value("metrics", "\(side)_implied_volatility")?.double
    }

    @Test("With the chain's price of the asset, else the newest close, else not at all")
    func spot() throws {
        let told = OptionFixtures.figures(Self.chain, price: 100)
        #expect(isClose(try volatility("call", told), 0.25, within: 1e-8))
        #expect(isClose(try volatility("put", told), 0.35, within: 1e-8))
        var untold = OptionFixtures.figures(Self.chain)
        #expect(try volatility("call", untold) == nil)
        untold.bars = PriceFixtures.bars([50, 100])
        #expect(isClose(try volatility("call", untold), 0.25, within: 1e-8))
        var both = told
        both.bars = PriceFixtures.bars([50])
        #expect(isClose(try volatility("put", both), 0.35, within: 1e-8))
    }

    @Test("A told volatility is not computed anew; one without bid, or crossed, or off bounds has none")
    func leftOut() throws {
        var chain = Self.chain
        chain[0].impliedVolatility = 0.6
        #expect(try volatility("call", OptionFixtures.figures(chain, price: 100)) == 0.6)
        for (bid, ask) in [(nil, 5), (0, 5), (5, nil), (5, 4), (120, 121), (.infinity, .infinity)]
            as [(Double?, Double?)]
        {
            chain = Self.chain
            chain[1].bid = bid
            chain[1].ask = ask
            #expect(try volatility("put", OptionFixtures.figures(chain, price: 100)) == nil)
        }
    }

    @Test("A spread around the value at once tells no volatility, and uses up none of the 32")
    func spread() throws {
        // Strike 50: worth 50.398 at once, less than the middle of 50.2 and 51.2 and more than the bid.
        let deep = OptionFixtures.option("D", .call, strike: 50, days: 72, volume: 1, bid: 50.2, ask: 51.2)
        let alone = OptionFixtures.figures([deep, Self.chain[1]], price: 100)
        #expect(try volatility("call", alone) == nil)
        let many = Array(repeating: deep, count: 40)
        #expect(
            isClose(
                try volatility("call", OptionFixtures.figures(many + Self.chain, price: 100)), 0.25,
                within: 1e-8))
    }

    @Test("Of each side the first 32 whose bid tells one are computed; the others do not count")
    func limit() throws {
        let dear = Self.quoted("C", .call, middle: 9.270659159787023)
        let plain = Self.quoted("C", .call, middle: 4.849981972214579)
        let bare = OptionFixtures.option("C", .call, volume: 1)
        let calls =
            Array(repeating: bare, count: 100) + Array(repeating: plain, count: 32)
            + Array(repeating: dear, count: 100)
        let figures = OptionFixtures.figures(calls + [Self.chain[1]], price: 100)
        #expect(isClose(try volatility("call", figures), 0.25, within: 1e-8))
        #expect(isClose(try volatility("put", figures), 0.35, within: 1e-8))
    }
}
