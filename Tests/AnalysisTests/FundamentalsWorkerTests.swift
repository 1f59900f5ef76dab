import Analysis
import FIMLCore
import FoundationEssentials
import GatewayTesting
import MarketData
import Testing

@Suite("A company is judged by what it reported, and by nothing else")
struct FundamentalsWorkerTests {
    private static let names = [
        "pe_ratio", "pb_ratio", "eps", "roe", "roa", "debt_to_equity", "revenue_growth", "profit_margin",
        "market_cap",
    ]

    private static func figures(_ change: (inout Fundamentals) -> Void, close: Double? = nil) -> Figures {
        var reported = Fundamentals()
        change(&reported)
        var figures = PriceFixtures.figures(close.map { PriceFixtures.bars([$0]) } ?? [])
        figures.fundamentals = reported
        return figures
    }

    /// Every figure there, each in the middle between worst and best but for what is said.
    private static func whole(_ reported: inout Fundamentals) {
        reported.asOf = PriceFixtures.start
        reported.priceToEarnings = 25
        reported.priceToBook = 5.5
        reported.earningsPerShare = 4
        reported.returnOnEquity = 0.125
        reported.returnOnAssets = 0.05
        reported.debtToEquity = 1
        reported.profitMargin = 0.1
        reported.revenueGrowth = 0.05
        reported.marketCap = 3e12
    }

    @Test("Figures in the middle give a score in the middle, all metrics and full confidence")
    func middle() throws {
        let finding = try FundamentalsWorker().analyze(Self.figures(Self.whole))
        #expect(abs(finding.score - 5) < 1e-9)
        #expect(finding.confidence == 1)
        #expect(finding.asOf == PriceFixtures.start)
        #expect(finding.missing.isEmpty)
        #expect(Set(finding.value("metrics")?.members?.keys.map { $0 } ?? []) == Set(Self.names))
        #expect(finding.value("metrics", "debt_to_equity")?.double == 1)
        #expect(finding.value("valuation")?.text == "fairly_valued")
        #expect(finding.value("financial_health")?.text == "healthy")
        #expect(
            finding.value("interpretation")?.text
                == "The share looks fairly valued and financial health is healthy: price over earnings 25.0, "
                + "price over book 5.5, return on equity 12.5 %, profit margin 10.0 %, debt over equity "
                + "100.0 %, revenue growth 5.0 %.")
    }

    @Test(
        "Labels follow the figures",
        arguments: [
            (8.0, 0.3, "undervalued", "excellent"), (60, 0.3, "overvalued", "excellent"),
            (25, 0.15, "fairly_valued", "healthy"), (25, 0.1, "fairly_valued", "concerning"),
            (-5, -0.2, "overvalued", "poor"),
        ])
    func labels(ratio: Double, equity: Double, valuation: String, health: String) throws {
        let finding = try FundamentalsWorker().analyze(
            Self.figures {
                $0.priceToEarnings = ratio
                $0.returnOnEquity = equity
            })
        #expect(finding.value("valuation")?.text == valuation)
        #expect(finding.value("financial_health")?.text == health)
    }

    @Test("Nothing reported, or nothing to judge by, is insufficient")
    func nothing() {
        var refused = PriceFixtures.figures(PriceFixtures.bars([100]))
        refused.missing = [
            MissingFigures(.fundamentals, reason: "yahoo: no such company"),
            MissingFigures(.news, reason: "not ours"),
        ]
        #expect(throws: InsufficientData([refused.missing[0]])) {
            try FundamentalsWorker().analyze(refused)
        }
        for figures in [
            PriceFixtures.figures([]), Self.figures({ _ in }), Self.figures { $0.marketCap = 1e9 },
            Self.figures { $0.returnOnEquity = .nan },
        ] {
            let error = #expect(throws: InsufficientData.self) {
                try FundamentalsWorker().analyze(figures)
            }
            #expect(error?.missing.isEmpty == false)
        }
    }

    @Test(
        "What is no company has no reports, whatever a source says of it",
        arguments: AssetType.allCases.filter { $0 != .equity })
    func noCompany(type: AssetType) {
        var figures = Self.figures(Self.whole, close: 100)
        figures.asset = Asset(symbol: "X", assetType: type)
        let missing = MissingFigures(
            .fundamentals, reason: "only companies report, and X is \(type.rawValue)")
        #expect(throws: InsufficientData([missing])) { try FundamentalsWorker().analyze(figures) }
    }

    @Test(
        "Without profit there is no price over earnings, and it counts as dear",
        arguments: [0.0, -0.01, -1e300])
    func noProfit(earnings: Double) throws {
        let finding = try FundamentalsWorker().analyze(
            Self.figures({ $0.earningsPerShare = earnings }, close: 100))
        #expect(finding.value("metrics", "pe_ratio") == .null)
        #expect(finding.value("metrics", "eps")?.double == earnings)
        #expect(
            finding.missing.first { $0.subject == "pe_ratio" }?.reason
                == "earnings per share are not positive")
        #expect(finding.score == 0)
        #expect(finding.value("valuation")?.text == "overvalued")
        #expect(finding.value("financial_health") == .null)
        #expect(finding.missingSubjects.contains("financial_health"))
    }

    @Test("Price over earnings is computed only where the source has none and there is a price")
    func computedRatio() throws {
        func ratio(reported: Double?, close: Double?) throws -> JSONValue? {
            let figures = Self.figures(
                {
                    Self.whole(&$0)
                    $0.priceToEarnings = reported
                }, close: close)
            return try FundamentalsWorker().analyze(figures).value("metrics", "pe_ratio")
        }
        #expect(try ratio(reported: nil, close: 100)?.double == 25)
        #expect(try ratio(reported: 17, close: 100)?.double == 17)
        #expect(try ratio(reported: nil, close: nil) == .null)
        #expect(try ratio(reported: nil, close: -100) == .null)
    }

    @Test("A source that does not date its figures is trusted less, and the moment stands for their time")
    func undated() throws {
        let figures = Self.figures {
            Self.whole(&$0)
            $0.asOf = nil
        }
        let finding = try FundamentalsWorker().analyze(figures)
        #expect(finding.confidence == 0.8)
        #expect(finding.asOf == figures.moment)
    }

    @Test("Better figures never lower the score")
    func monotone() throws {
        let better: [(WritableKeyPath<Fundamentals, Double?>, [Double])] = [
            (\.priceToEarnings, [-3, 1e9, 40, 25, 10, 2]), (\.priceToBook, [-1, 50, 10, 3, 1, 0.2]),
            (\.returnOnEquity, [-5, 0, 0.1, 0.25, 4]), (\.returnOnAssets, [-1, 0, 0.03, 0.1, 1]),
            (\.debtToEquity, [-1, 9, 2, 1.45, 0.1, 0]), (\.profitMargin, [-1, 0, 0.1, 0.2, 0.9]),
            (\.revenueGrowth, [-1, -0.1, 0, 0.2, 3]), (\.earningsPerShare, [-4, 0, 0.1, 20]),
        ]
        for (path, values) in better {
            let scores = try values.map { value in
                try FundamentalsWorker().analyze(
                    Self.figures {
                        Self.whole(&$0)
                        $0[keyPath: path] = value
                    }
                ).score
            }
            #expect(scores == scores.sorted())
            #expect(scores.first != scores.last)
        }
    }

    @Test("Whatever is reported, the numbers are finite and the score is in its range")
    func anything() throws {
        var generator = SeededGenerator(seed: 0xF0_4DA)
        let paths: [WritableKeyPath<Fundamentals, Double?>] = [
            \.priceToEarnings, \.priceToBook, \.earningsPerShare, \.returnOnEquity, \.returnOnAssets,
            \.debtToEquity, \.revenueGrowth, \.profitMargin, \.marketCap,
        ]
        var findings = 0
        for _ in 0..<500 {
            let figures = Self.figures(
                { for path in paths { $0[keyPath: path] = HostileNumber.any(using: &generator) } },
                close: HostileNumber.any(using: &generator))
            do {
                let finding = try FundamentalsWorker().analyze(figures)
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
        "Recorded answers give the published figures and price over earnings, to 1e-9",
        .enabled(if: RecordedPrices.isThere, "../shared/market-data is absent"),
        arguments: ["AAPL", "AMZN", "GOOG"])
    func recorded(symbol: String) throws {
        let truth = try #require(try RecordedPrices.truth("fundamentals")["yahoo \(symbol)"])
        func module(_ name: String) throws -> JSONValue {
            let path = "provider-responses/yahoo/quoteSummary_\(name)_\(symbol).json"
            let body = try Data(contentsOf: URL(filePath: RecordedPrices.directory + path))
            let answer = try JSONValue.parse(Array(body))
            return try #require(answer["quoteSummary"]?["result"]?.elements?.first?[name])
        }
        func raw(_ value: JSONValue?) -> Double? { value?["raw"]?.double ?? value?.double }
        let (data, statistics) = (try module("financialData"), try module("defaultKeyStatistics"))
        let price = try #require(truth["currentPrice"]?.double)
        let finding = try FundamentalsWorker().analyze(
            Self.figures(
                {
                    $0.priceToBook = raw(statistics["priceToBook"])
                    $0.earningsPerShare = raw(statistics["trailingEps"])
                    $0.returnOnEquity = raw(data["returnOnEquity"])
                    $0.returnOnAssets = raw(data["returnOnAssets"])
                    $0.debtToEquity = raw(data["debtToEquity"]).map { $0 / 100 }
                    $0.revenueGrowth = raw(data["revenueGrowth"])
                    $0.profitMargin = raw(data["profitMargins"])
                }, close: price))
        for (name, key, unit) in [
            ("pe_ratio", "check_pe_price_over_trailingEps", 1.0), ("pb_ratio", "priceToBook", 1),
            ("eps", "trailingEps", 1), ("roe", "returnOnEquity", 1), ("roa", "returnOnAssets", 1),
            ("debt_to_equity", "debtToEquity", 100), ("revenue_growth", "revenueGrowth", 1),
            ("profit_margin", "profitMargins", 1),
        ] {
            let value = finding.value("metrics", name)?.double
            #expect(isClose(value.map { $0 * unit }, truth[key]?.double), "\(name)")
        }
    }
}

/// Numbers that a source may give, and what no finding may hold.
enum HostileNumber {
    /// None, ordinary, of any magnitude, or no number at all.
    static func any(using generator: inout SeededGenerator) -> Double? {
        switch Int.random(in: 0..<6, using: &generator) {
        case 0: return nil
        case 1: return .random(in: -2...60, using: &generator)
        case 2: return .random(in: -1...1, using: &generator)
        case 3: return [0, -0.0, .nan, .infinity, -.infinity].randomElement(using: &generator)
        default:
            let magnitude = Double(
                sign: Bool.random(using: &generator) ? .plus : .minus,
                exponent: .random(in: -1_074...1_023, using: &generator), significand: 1)
            return magnitude * .random(in: 1..<2, using: &generator)
        }
    }

    /// The paths of the members that are null, without the object that they are in at the top.
    static func nulls(_ details: JSONValue) -> Set<String> {
        var names: Set<String> = []
        func visit(_ value: JSONValue, _ path: [String]) {
            switch value {
            case .null: names.insert(path.joined(separator: "."))
            case .number(let number): #expect(number.isFinite, "\(path)")
            case .string(let text):
                let words = text.split { !$0.isLetter }
                #expect(!words.contains("nan") && !words.contains("inf"), "\(text)")
            case .bool, .integer: break
            case .array(let elements): for element in elements { visit(element, path) }
            case .object(let members):
                let isGroup = path == ["metrics"] || path == ["factors"]
                for (name, member) in members { visit(member, isGroup ? [name] : path + [name]) }
            }
        }
        visit(details, [])
        return names
    }
}
