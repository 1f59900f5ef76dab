import Analysis
import FIMLCore
import FoundationEssentials
import GatewayTesting
import MarketData
import Testing

@Suite("An asset is judged by the economy's observed factors, and by no default")
struct MacroWorkerTests {
    private static func day(_ text: String) -> Timestamp {
        Timestamp(rfc3339: text + "T00:00:00Z") ?? Timestamp(milliseconds: 0)
    }

    private static func series(_ values: [(String, Double)]) -> [MacroObservation] {
        values.map { MacroObservation(period: day($0.0), value: $0.1) }
    }

    private static func figures(
        _ observations: [MacroIndicator: [MacroObservation]],
        _ asset: Asset = Asset(symbol: "A", assetType: .equity)
    ) -> Figures {
        var figures = Figures(asset, at: day("2026-08-20"))
        figures.observations = observations
        return figures
    }

    /// Growth, inflation and the change of unemployment over a year; the interest rate at 3.
    private static func economy(growth: Double, inflation: Double, slack: Double = 0, rate: Double = 3)
        -> [MacroIndicator: [MacroObservation]]
    {
        [
            .interestRate: series([("2025-07-01", 3), ("2026-06-01", 3), ("2026-07-01", rate)]),
            .consumerPrices: series([("2025-07-01", 200), ("2026-07-01", 200 + 2 * inflation)]),
            .realGrowth: series([("2026-01-01", 2), ("2026-04-01", growth)]),
            .unemployment: series([("2025-07-01", 4.5 - slack), ("2026-06-01", 4.5), ("2026-07-01", 4.5)]),
        ]
    }

    @Test("Each factor has its value, the one before, that of a year before, the change and its period")
    func factors() throws {
        let finding = try MacroWorker().analyze(
            Self.figures([
                .interestRate: Self.series([("2025-07-01", 4.25), ("2026-06-01", 4), ("2026-07-01", 3.5)]),
                .consumerPrices: Self.series([
                    ("2024-07-01", 250), ("2025-06-01", 400), ("2025-07-01", 500), ("2026-06-01", 410),
                    ("2026-07-01", 520),
                ]),
                .realGrowth: Self.series([("2025-04-01", 3.75), ("2026-01-01", 2), ("2026-04-01", 1.5)]),
                .unemployment: Self.series([("2025-07-01", 4.25), ("2026-06-01", 4.5), ("2026-07-01", 4)]),
            ]))
        let expected: [(String, [Double], String)] = [
            ("interest_rate", [3.5, 4, 4.25, -0.5], "2026-07-01"),
            ("inflation", [4, 2.5, 100, 1.5], "2026-07-01"),
            ("gdp_growth", [1.5, 2, 3.75, -0.5], "2026-04-01"),
            ("unemployment", [4, 4.5, 4.25, -0.5], "2026-07-01"),
        ]
        for (name, values, period) in expected {
            for (member, value) in zip(["value", "previous", "year_ago", "change"], values) {
                #expect(
                    isClose(finding.value("factors", name, member)?.double, value, within: 1e-12),
                    "\(name) \(member)")
            }
            #expect(finding.value("factors", name, "period")?.text == period)
        }
        #expect(finding.missing.isEmpty)
        #expect(finding.confidence == 1)
        #expect(finding.asOf == Self.day("2026-07-01"))
    }

    @Test(
        "The environment and what it is for a share",
        arguments: [
            (3.0, 2.0, 0.0, "expansion", "neutral"), (1.5, 2, 0, "slowdown", "neutral"),
            (3, 2, 0.5, "slowdown", "neutral"), (-1, 2, 0, "recession", "neutral"),
            (0.5, 5, 0, "stagflation", "negative"), (-2, 8, 1, "stagflation", "negative"),
            (1.5, 2, -0.5, "recovery", "neutral"), (6, 0, -1, "recovery", "positive"),
        ])
    func environment(growth: Double, inflation: Double, slack: Double, name: String, impact: String) throws {
        let finding = try MacroWorker().analyze(
            Self.figures(Self.economy(growth: growth, inflation: inflation, slack: slack)))
        #expect(finding.value("environment")?.text == name)
        #expect(finding.value("impact")?.text == impact)
        #expect(finding.value("narrative")?.text?.contains(name) == true)
    }

    @Test("A year before is the same month, however many months are missing between")
    func gaps() throws {
        // Twelve entries before the last lies 2024-11, a year before it 2025-12.
        let months = (1...12).map { ("2025-\($0 < 10 ? "0" : "")\($0)-01", 100 + Double($0)) }
        let prices = Self.series(
            [("2024-11-01", 50), ("2024-12-01", 80)] + months.filter { $0.0 != "2025-10-01" }
                + [("2026-12-01", 140)])
        let finding = try MacroWorker().analyze(Self.figures([.consumerPrices: prices]))
        #expect(isClose(finding.value("factors", "inflation", "value")?.double, 25))
        #expect(isClose(finding.value("factors", "inflation", "previous")?.double, 40))
        #expect(isClose(finding.value("factors", "inflation", "year_ago")?.double, 40))
        // Of a month without a counterpart there is none; the newest that has one counts, and says so.
        let later = prices + Self.series([("2027-01-01", 150)])
        let kept = try MacroWorker().analyze(Self.figures([.consumerPrices: later]))
        #expect(kept.value("factors", "inflation", "period")?.text == "2026-12-01")
    }

    @Test("With one factor alone the others are null and named, and the environment is open")
    func oneFactor() throws {
        var figures = Self.figures([.interestRate: Self.series([("2026-07-01", 6)])])
        figures.missing = [
            MissingFigures(.macro, "unemployment", reason: "fred: no answer"),
            MissingFigures(.bars, reason: "not ours"),
        ]
        let finding = try MacroWorker().analyze(figures)
        #expect(finding.score == 0)
        #expect(finding.value("impact")?.text == "negative")
        for name in ["inflation", "gdp_growth", "unemployment"] {
            #expect(finding.value("factors", name) == .null)
        }
        #expect(finding.value("environment") == .null)
        #expect(
            finding.missingSubjects == [
                "inflation", "gdp_growth", "unemployment", "environment", "interest_rate.previous",
                "interest_rate.year_ago", "interest_rate.change",
            ])
        #expect(finding.missing.filter { $0.subject == "unemployment" } == [figures.missing[0]])
        #expect(!finding.missing.contains(figures.missing[1]))
        // 1 of 12 figures, of 1 of 4 factors.
        #expect(isClose(finding.confidence, 1.0 / 48))
    }

    @Test("Without any factor there is no finding")
    func nothing() {
        for observations: [MacroIndicator: [MacroObservation]] in [
            [:], [.realGrowth: []], [.unemployment: Self.series([("2026-07-01", .nan)])],
            [.consumerPrices: Self.series([("2026-06-01", 300), ("2026-07-01", 301)])],
            [.consumerPrices: Self.series([("2025-07-01", 0), ("2026-07-01", 301)])],
        ] {
            let error = #expect(throws: InsufficientData.self) {
                try MacroWorker().analyze(Self.figures(observations))
            }
            #expect(
                Set(error?.missing.compactMap(\.subject) ?? [])
                    == ["interest_rate", "inflation", "gdp_growth", "unemployment"])
        }
    }

    @Test(
        "What a higher rate is for each type of asset",
        arguments: [
            (Asset(symbol: "SPY", assetType: .etf), [-1, -1, 1, -1], "negative"),
            (Asset(symbol: "BTC", assetType: .crypto, market: .crypto), [-1, 0, 1, 0], "negative"),
            (Asset(symbol: "GC", assetType: .commodity), [-1, 1, 1, -1], "negative"),
            (Asset(symbol: "USDJPY", assetType: .forex), [1, -1, 1, -1], "positive"),
            (Asset(symbol: "EURUSD", assetType: .forex), [-1, 1, -1, 1], "negative"),
            (Asset(symbol: "EURGBP", assetType: .forex), [0, 0, 0, 0], "neutral"),
        ])
    func types(asset: Asset, signs: [Int64], impact: String) throws {
        let economy = Self.economy(growth: 2, inflation: 2, rate: 6)
        let finding = try MacroWorker().analyze(Self.figures(economy, asset))
        let names = ["interest_rate", "inflation", "gdp_growth", "unemployment"]
        #expect(names.map { finding.value("correlation_impact", $0)?.int64 } == signs)
        #expect(finding.value("impact")?.text == impact)
        // Nothing moves a pair without the dollar: the finding has no weight.
        #expect((finding.confidence == 0) == (impact == "neutral"))
    }

    @Test("The score falls with the rate, inflation and unemployment, and rises with growth")
    func monotone() throws {
        let steps = [-1e300, -5, 0, 1, 2.5, 4, 5, 9, 1e300]
        for indicator in [MacroIndicator.interestRate, .realGrowth, .unemployment, .consumerPrices] {
            let scores = try steps.map { step in
                var economy = Self.economy(growth: 2, inflation: 2)
                let newest = (economy[indicator] ?? []).count - 1
                economy[indicator]?[newest].value =
                    indicator == .consumerPrices ? 200 * (1 + max(min(step, 1e9), -50) / 100) : step
                return try MacroWorker().analyze(Self.figures(economy)).score
            }
            #expect(scores == scores.sorted { indicator == .realGrowth ? $0 < $1 : $0 > $1 })
            #expect(scores.first != scores.last)
        }
    }

    @Test("Whatever is observed, the numbers are finite, the score is in its range and nulls are named")
    func anything() {
        var generator = SeededGenerator(seed: 0x3AC_40)
        var findings = 0
        for _ in 0..<400 {
            var observations: [MacroIndicator: [MacroObservation]] = [:]
            for indicator in MacroIndicator.allCases {
                let count = Int.random(in: 0...30, using: &generator)
                observations[indicator] = (0..<count).compactMap { index in
                    let isOdd = Int.random(in: 0..<20, using: &generator) == 0
                    let period =
                        isOdd
                        ? Timestamp(milliseconds: .random(in: .min ... .max, using: &generator))
                        : PriceFixtures.start.adding(seconds: Int64(index) * 2_629_746)
                    return HostileNumber.any(using: &generator).map {
                        MacroObservation(period: period, value: $0)
                    }
                }
            }
            let type = AssetType.allCases.randomElement(using: &generator) ?? .equity
            do {
                let finding = try MacroWorker().analyze(
                    Self.figures(observations, Asset(symbol: "USDJPY", assetType: type)))
                findings += 1
                #expect((0...10).contains(finding.score))
                #expect((0...1).contains(finding.confidence))
                #expect(HostileNumber.nulls(.object(finding.details)) == finding.missingSubjects)
            } catch {
                #expect(!error.missing.isEmpty)
            }
        }
        #expect(findings > 300)
    }

    @Test(
        "Recorded answers of FRED give the independently computed factors, to 1e-9",
        .enabled(if: RecordedPrices.isThere, "../shared/market-data is absent"),
        arguments: [
            ("A191RL1Q225SBEA", MacroIndicator.realGrowth, "gdp_growth"),
            ("FEDFUNDS", .interestRate, "interest_rate"), ("UNRATE", .unemployment, "unemployment"),
            ("CPIAUCSL", .consumerPrices, "inflation"),
        ])
    func recorded(series: String, indicator: MacroIndicator, factor: String) throws {
        let path = "provider-responses/fred/observations_\(series).json"
        let body = try Data(contentsOf: URL(filePath: RecordedPrices.directory + path))
        let list = try #require(try JSONValue.parse(Array(body))["observations"]?.elements)
        let observations = try list.compactMap { item -> MacroObservation? in
            guard let value = item["value"]?.text.flatMap(Double.init) else { return nil }
            return MacroObservation(period: Self.day(try #require(item["date"]?.text)), value: value)
        }
        let finding = try MacroWorker().analyze(Self.figures([indicator: observations]))
        let truth = try #require(try RecordedPrices.truth("macro")[path])
        let isIndex = indicator == .consumerPrices
        for (member, key) in isIndex
            ? [("value", "yoy_pct")]
            : [("value", "latest"), ("previous", "previous"), ("year_ago", "year_ago"), ("change", "change")]
        {
            let value = try #require(finding.value("factors", factor, member)?.double)
            let expected = try #require(truth[key]?.double)
            #expect(abs(value - expected) <= 1e-9, "\(member)")
        }
        #expect(finding.value("factors", factor, "period") == truth["latest_date"])
    }
}
