import FIMLCore
import MarketData
import Testing

@testable import Analysis

private typealias Fixture = PriceFixtures

@Suite("Workers that judge by prices say what they need, and judge by the documented rules")
struct PriceWorkerTests {
    private static func waves(_ count: Int, drift: Double = 0, size: Double = 0.01) -> [Double] {
        // Five returns that repeat: no two neighbours alike, mean `drift`.
        let wave = [1, -0.5, 0.25, -1, 0.25]
        return Fixture.closes(returns: (0..<max(count - 1, 0)).map { drift + size * wave[$0 % 5] })
            .prefix(count).map { $0 }
    }

    @Test(
        "With too few bars they say how many there are and how many they need",
        arguments: [0, 1, 7, 13, 14, 15, 20, 21])
    func tooFew(count: Int) throws {
        let bars = Fixture.bars(Self.waves(count))
        let market = Fixture.bars(Self.waves(count, drift: 0.001))
        let workers: [(any Worker, Int)] = [
            (TechnicalWorker(), 15), (RiskWorker(), 21), (CorrelationWorker(), 8),
        ]
        for (worker, needed) in workers {
            let figures = Fixture.figures(bars, benchmarks: [("M", market)])
            if count >= needed {
                #expect(try worker.analyze(figures).asOf == bars.last?.closesAt)
                continue
            }
            let error = #expect(throws: InsufficientData.self) { try worker.analyze(figures) }
            let reason = "\(count) daily bars, at least \(needed) needed"
            #expect(error?.missing == [MissingFigures(.bars, reason: reason)])
        }
    }

    @Test("Why there are no bars comes with it")
    func noBars() {
        var figures = Fixture.figures([])
        let refused = MissingFigures(.bars, reason: "yahoo: no answer in 5 s")
        figures.missing = [refused, MissingFigures(.news, reason: "not asked")]
        for worker in [TechnicalWorker(), RiskWorker(), CorrelationWorker()] as [any Worker] {
            let error = #expect(throws: InsufficientData.self) { try worker.analyze(figures) }
            #expect(error?.missing.count == 2)
            #expect(error?.missing.last == refused)
        }
    }

    @Test("A partial history gives the figures that it allows, and says which are missing")
    func partial() throws {
        let technical = try TechnicalWorker().analyze(Fixture.figures(Fixture.bars(Self.waves(30))))
        #expect(technical.missingSubjects == ["macd", "sma_50", "sma_200", "trend"])
        #expect(technical.missing.first?.reason == "30 daily bars, 34 needed")
        #expect(technical.value("trend") == .null && technical.value("indicators", "macd") == .null)
        #expect(technical.value("indicators", "sma_20")?.double != nil)
        #expect(isClose(technical.confidence, 9.0 / 13))
        let risk = try RiskWorker().analyze(Fixture.figures(Fixture.bars(Self.waves(64))))
        #expect(risk.missing == [MissingFigures(.bars, "var_99", reason: "63 daily returns, 100 needed")])
        // 8 of 9 metrics, a quarter of a year.
        #expect(isClose(risk.confidence, 8.0 / 9 / 2))
    }

    @Test("Flat prices: nothing moves, nothing is divided by nothing", arguments: [100, 0.1, 1e300, 1e-300])
    func flat(price: Double) throws {
        let bars = Fixture.bars(Array(repeating: price, count: 260), volume: 1e18)
        let technical = try TechnicalWorker().analyze(Fixture.figures(bars))
        #expect(technical.score == 5)
        #expect(technical.value("signal") == "hold" && technical.value("trend") == "neutral")
        #expect(technical.missingSubjects == ["rsi"])
        #expect(technical.value("indicators", "atr") == .number(0))
        #expect(isClose(technical.value("indicators", "sma_200")?.double, price))
        let risk = try RiskWorker().analyze(Fixture.figures(bars))
        #expect(risk.value("metrics", "volatility") == .number(0))
        #expect(risk.missing == [MissingFigures(.bars, "sharpe_ratio", reason: "its returns do not vary")])
        #expect(risk.value("metrics", "sharpe_ratio") == .null)
        let market = Fixture.bars(Self.waves(260))
        let error = #expect(throws: InsufficientData.self) {
            try CorrelationWorker().analyze(Fixture.figures(bars, benchmarks: [("M", market)]))
        }
        #expect(error?.missing.map(\.subject) == ["M"])
    }

    @Test("A price that grows evenly has no variance and no losses")
    func evenGrowth() throws {
        let bars = Fixture.bars(Fixture.closes(returns: Array(repeating: 0.01, count: 120)))
        let risk = try RiskWorker().analyze(Fixture.figures(bars))
        #expect(risk.missingSubjects == ["sharpe_ratio", "sortino_ratio"])
        #expect(risk.missing.last?.reason == "no day fell short of the risk-free rate")
        #expect(risk.value("metrics", "downside_deviation") == .number(0))
        #expect(risk.value("metrics", "max_drawdown") == .number(0))
        #expect(isClose(risk.value("metrics", "var_95")?.double, 0.01))
        #expect(risk.score == 10 && risk.value("risk_level") == "low" && risk.value("warnings") == [])
    }

    @Test("A hole in the days is no error: the bar before it is the previous one")
    func holes() throws {
        let closes = Self.waves(260)
        let whole = Fixture.bars(closes)
        var holed = whole
        for index in holed.indices { holed[index].opensAt.milliseconds += Int64(index / 5) * 172_800_000 }
        for worker in [TechnicalWorker(), RiskWorker()] as [any Worker] {
            let finding = try worker.analyze(Fixture.figures(holed))
            #expect(try finding.details == worker.analyze(Fixture.figures(whole)).details)
            #expect(finding.asOf == holed.last?.closesAt)
        }
    }

    @Test(
        "Technical points: trend 2, MACD 1, RSI 1.5, Bollinger bands 0.5",
        arguments: [
            // Bullish; MACD on its signal; RSI 100.
            (Fixture.ramp(260), 5.5, "hold"),
            // Bearish; MACD on its signal; RSI 0.
            (Fixture.ramp(260).reversed(), 4.5, "hold"),
            // Bullish, then a fall below the lower band: MACD below its signal, RSI 14.8.
            (Fixture.ramp(259) + [180], 5 - 1 + 1.5 + 0.5, "buy"),
            // Bearish, then a rise above the upper band: MACD above its signal, RSI 85.2.
            (Fixture.ramp(260).dropFirst().reversed() + [81], 5 + 1 - 1.5 - 0.5, "sell"),
        ] as [([Double], Double, String)])
    func technicalPoints(closes: [Double], score: Double, signal: String) throws {
        let finding = try TechnicalWorker().analyze(Fixture.figures(Fixture.bars(closes)))
        #expect(isClose(finding.score, score))
        #expect(finding.value("signal") == .string(signal))
        #expect(finding.confidence == 1)
    }

    @Test(
        "The technical signal by the score",
        arguments: [
            (10, "strong_buy"), (7.5, "strong_buy"), (7.49, "buy"), (6, "buy"), (5.99, "hold"),
            (4.01, "hold"), (4, "sell"), (2.51, "sell"), (2.5, "strong_sell"), (0, "strong_sell"),
        ])
    func signal(score: Double, expected: String) {
        #expect(TechnicalWorker.signal(score) == expected)
    }

    @Test("The wider prices swing, the lower the risk score, and the more is warned of")
    func riskGrows() throws {
        var scores: [Double] = []
        var warnings = 0
        for size in [0.01, 0.02, 0.04, 0.08] {
            let bars = Fixture.bars(Self.waves(251, size: size))
            let finding = try RiskWorker().analyze(Fixture.figures(bars))
            let count = try #require(finding.value("warnings")?.elements?.count)
            #expect(finding.score < scores.last ?? 11 && count >= warnings)
            scores.append(finding.score)
            warnings = count
        }
        #expect(warnings == 4)
    }

    @Test(
        "The risk level by the score",
        arguments: [
            (10, "low"), (7, "low"), (6.99, "moderate"), (5, "moderate"), (4.99, "high"), (3, "high"),
            (2.99, "very_high"), (0, "very_high"),
        ])
    func riskLevel(score: Double, expected: String) {
        #expect(RiskWorker.level(score) == expected)
    }

    @Test("The text is a sentence of the main figures")
    func sentences() throws {
        let bars = Fixture.bars(Fixture.ramp(260))
        let technical = try TechnicalWorker().analyze(Fixture.figures(bars))
        #expect(
            technical.value("pattern_analysis")
                == .string(
                    "The price is above its 50-day average, which is above the 200-day average; RSI 100.0 is "
                        + "overbought; MACD is on its signal line; the price is within the Bollinger bands; "
                        + "20-day support is 7.3 % below and resistance 0.0 % above the price."))
        let risk = try RiskWorker().analyze(Fixture.figures(Fixture.bars(Self.waves(251, size: 0.08))))
        let text = try #require(risk.value("risk_assessment")?.text)
        #expect(text.hasPrefix("Very high risk: volatility "))
        #expect(text.contains("deepest fall from a peak "))
    }
}

@Suite("The correlation worker compares over the days that both have")
struct CorrelationWorkerTests {
    private static let market = PriceFixtures.closes(
        returns: (0..<120).map { [0.01, -0.005, 0.0025, -0.01, 0.005, 0.002][$0 % 6] })
    /// Moves against the market, so that the mean of the two is 0.
    private static let inverse = PriceFixtures.closes(
        returns: zip(market, market.dropFirst()).map { 1 - $1 / $0 })

    @Test("With the market itself 1, with its opposite −1; beta against the first")
    func opposite() throws {
        let bars = PriceFixtures.bars(Self.market)
        let finding = try CorrelationWorker().analyze(
            PriceFixtures.figures(
                bars, benchmarks: [("SAME", bars), ("INVERSE", PriceFixtures.bars(Self.inverse))]))
        #expect(isClose(finding.value("correlations", "SAME")?.double, 1))
        #expect(isClose(finding.value("correlations", "INVERSE")?.double, -1))
        #expect(isClose(finding.value("rolling_correlations", "INVERSE", "30")?.double, -1))
        #expect(isClose(finding.value("beta")?.double, 1))
        #expect(finding.value("beta_benchmark") == "SAME")
        #expect(isClose(finding.value("diversification_score")?.double, 10))
        #expect(finding.missing.isEmpty)
        #expect(isClose(finding.confidence, (120.0 / 252).squareRoot()))
    }

    @Test("The newest return is among the last seven")
    func newest() throws {
        var bars = PriceFixtures.bars(Self.market)
        let same = bars
        bars[120].close *= 0.5
        let finding = try CorrelationWorker().analyze(PriceFixtures.figures(bars, benchmarks: [("M", same)]))
        let week = try #require(finding.value("rolling_correlations", "M", "7")?.double)
        #expect(week < 0.6)
        let quarter = try #require(finding.value("rolling_correlations", "M", "90")?.double)
        #expect(finding.value("correlation_shift", "benchmark") == "M")
        #expect(isClose(finding.value("correlation_shift", "shift")?.double, week - quarter))
    }

    @Test("A benchmark that could not be had is named, and those that are there are compared")
    func missingBenchmark() throws {
        let bars = PriceFixtures.bars(Self.market)
        var figures = PriceFixtures.figures(
            bars, benchmarks: [("SHORT", Array(bars.suffix(5))), ("SAME", Array(bars.suffix(41)))])
        let absent = MissingFigures(.benchmarkBars, "SPY", reason: "yahoo: no answer in 5 s")
        figures.missing = [absent, MissingFigures(.macro, reason: "not asked")]
        let finding = try CorrelationWorker().analyze(figures)
        #expect(
            finding.missing == [
                absent,
                MissingFigures(.benchmarkBars, "SHORT", reason: "4 joint returns, 7 needed"),
                MissingFigures(.benchmarkBars, "SAME 90", reason: "40 joint returns, 90 needed"),
                MissingFigures(.benchmarkBars, "beta", reason: "it cannot be computed against SHORT"),
            ])
        #expect(finding.value("correlations", "SHORT") == .null)
        #expect(finding.value("beta") == .null)
        #expect(finding.value("correlation_shift") == .null)
        #expect(finding.score < 1e-9)
    }

    @Test("An asset is compared with others only; its beta against itself is 1")
    func itself() throws {
        let bars = PriceFixtures.bars(Self.market)
        let inverse = PriceFixtures.bars(Self.inverse)
        let finding = try CorrelationWorker().analyze(
            PriceFixtures.figures(bars, benchmarks: [("A", bars), ("B", inverse)]))
        #expect(finding.value("correlations")?.members?.keys.sorted() == ["B"])
        #expect(isClose(finding.value("beta")?.double, 1))
        let error = #expect(throws: InsufficientData.self) {
            try CorrelationWorker().analyze(PriceFixtures.figures(bars, benchmarks: [("A", bars)]))
        }
        #expect(error?.missing.map(\.need) == [.benchmarkBars])
    }

    @Test("Without a benchmark there is nothing to say")
    func none() {
        let bars = PriceFixtures.bars(Self.market)
        let error = #expect(throws: InsufficientData.self) {
            try CorrelationWorker().analyze(PriceFixtures.figures(bars))
        }
        #expect(
            error?.missing == [
                MissingFigures(.benchmarkBars, reason: "there is nothing to compare it with")
            ])
    }
}
