import FIMLCore
import FoundationEssentials
import Testing

@testable import MarketData

/// Figures that others computed from the same answers.
private let truth = #filePath.replacing(
    "Tests/MarketDataTests/RecordedFiguresTests.swift", with: "../shared/market-data/truth/")

@Suite("A replayed market answers the newest figures of companies, economies, news and options")
struct RecordedFiguresTests {
    private static func market(_ files: (String, String)...) throws -> ReplayMarket {
        let files = [("A.csv", "time,close\n60,1\n120,2")] + files
        return try ReplayMarket(
            parseRecording(files.map { ($0.0, Array($0.1.utf8)) }), from: nil, speed: 1)
    }

    private static let asset = Asset(symbol: "A", assetType: .equity)

    @Test("the last of each counts, though it is of long after what is replayed")
    func newest() throws {
        let market = try Self.market(
            ("A_f.csv", "time,period_end,earnings_per_share\n2025-01-01,,1\n2025-04-01,2025-03-31,2\n"),
            ("A_n.csv", "time,title\n2025-01-01,One\n2025-01-02,Two\n2025-01-03,Three\n"),
            (
                "A_o.csv",
                "time,contract,kind,strike,expires_on\n2025-01-01,a,put,1,2025-06-01\n"
                    + "2025-01-02,b,call,2,2025-06-01\n"
            ))
        #expect(try market.fundamentals(of: Self.asset).earningsPerShare == 2)
        #expect(try market.news(about: Self.asset, limit: 2).map(\.title) == ["Three", "Two"])
        #expect(try market.news(about: Self.asset, limit: 9).count == 3)
        #expect(try market.news(about: Self.asset, limit: -1).isEmpty)
        #expect(try market.optionChain(of: Self.asset).contracts.map(\.symbol) == ["b"])
    }

    @Test("they are no reason for a lap: what is replayed is what it was without them")
    func replay() throws {
        let plain = try Self.market()
        let market = try Self.market(
            ("A_n.csv", "time,title\n90,One\n2025-01-03,Three\n"),
            ("m.csv", "time,indicator,value\n100,unemployment,4\n2025-01-01,unemployment,5\n"))
        #expect(market.episodes == plain.episodes)
        #expect(market.clock.lapMilliseconds == plain.clock.lapMilliseconds)
        var (one, other) = (plain.clock, market.clock)
        #expect(one.advance(to: .seconds(500)) == other.advance(to: .seconds(500)))
        let onlyNews = try parseRecording([("A.csv", Array("time,title\n60,One\n".utf8))])
        #expect(throws: MarketDataError.self) { try ReplayMarket(onlyNews, from: nil, speed: 1) }
    }

    @Test("what was not recorded is said to be not there")
    func none() throws {
        let market = try Self.market()
        func says(_ words: String, _ ask: () throws -> Void) {
            let error = #expect(throws: MarketDataError.self, performing: ask)
            #expect(error == MarketDataError("the recording has no \(words)", cause: .hasNone))
        }
        says("fundamentals of A") { _ = try market.fundamentals(of: Self.asset) }
        says("observations of real_growth") { _ = try market.observations(of: .realGrowth) }
        says("news of A") { _ = try market.news(about: Self.asset, limit: 5) }
        says("options of A") { _ = try market.optionChain(of: Self.asset) }
    }

    @Test("of a long series of observations the newest are answered, oldest first")
    func longSeries() throws {
        let rows = (0..<1_500).map { "\($0 * 86_400),interest_rate,\($0 % 9)\n" }.joined()
        let observations = try Self.market(("m.csv", "time,indicator,value\n" + rows))
            .observations(of: .interestRate)
        #expect(observations.count == 1_000)
        #expect(observations.first?.period == Timestamp(milliseconds: 500 * 86_400_000))
        #expect(observations.last?.period == Timestamp(milliseconds: 1_499 * 86_400_000))
    }
}

@Suite("The recorded market that comes with the gateway answers an analysis of AAPL")
struct ShippedFiguresTests {
    private let market: ReplayMarket
    private let apple = Asset(symbol: "AAPL", assetType: .equity)

    init() throws {
        market = try ReplayMarket(
            try Recording.load(directory: shippedRecording), from: nil, speed: 86_400)
    }

    private static func at(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    /// rustic-ml/RusTaLib, `examples/csv/AAPL_daily_ohlcv.csv`: its first and last rows.
    @Test("260 daily bars, the last of the day before the chain of options")
    func bars() throws {
        let answer = market.bars(of: [apple], closedBy: .last, limit: 260, unfinished: false)[0]
        let bars = try answer.result.get()
        #expect(bars.count == 260)
        let last = try #require(bars.last)
        #expect(try last.opensAt == Self.at("2025-02-21T00:00:00Z"))
        #expect((last.open, last.high, last.low, last.close) == (245.95, 248.69, 245.22, 245.55))
        #expect(last.volume == 53_197_431)
        #expect(try market.optionChain(of: apple).underlyingPrice == last.close)
    }

    /// `trailingPE`, `debtToEquity` and so on of gadicc/node-yahoo-finance2's recorded answers.
    @Test("fundamentals of the quarter to the end of December 2024")
    func fundamentals() throws {
        let figures = try market.fundamentals(of: apple)
        #expect(try figures.asOf == Self.at("2024-12-28T00:00:00Z"))
        #expect(figures.priceToEarnings == 38.91442)
        #expect(figures.priceToBook == 55.328976)
        #expect(figures.earningsPerShare == 6.31)
        #expect(figures.returnOnEquity == 1.3652)
        #expect(figures.returnOnAssets == 0.22518998)
        #expect(figures.debtToEquity == 1.45)
        #expect(figures.revenueGrowth == 0.04)
        #expect(figures.profitMargin == 0.24295)
        #expect(figures.marketCap == 3_688_676_720_640)
    }

    @Test("four articles, newest first")
    func news() throws {
        let articles = try market.news(about: apple, limit: 20)
        #expect(articles.count == 4)
        #expect(articles[0].publisher == "Motley Fool")
        #expect(articles[3].title == "Why Trump could 'move fast' on Apple's $500B US investment plan")
        #expect(try articles[3].publishedAt == Self.at("2025-02-25T00:20:00Z"))
        #expect(articles[3].symbols == ["AAPL"])
        #expect(zip(articles, articles.dropFirst()).allSatisfy { $0.publishedAt >= $1.publishedAt })
    }

    @Test("a chain of options of 2025-02-24 that all end on 2025-02-28")
    func options() throws {
        let chain = try market.optionChain(of: apple)
        #expect(try chain.observedAt == Self.at("2025-02-24T09:24:42Z"))
        #expect(chain.contracts.count { $0.kind == .call } == 54)
        #expect(chain.contracts.count { $0.kind == .put } == 48)
        let end = try Self.at("2025-02-28T00:00:00Z")
        #expect(chain.contracts.allSatisfy { $0.expiresOn == end })
        #expect(try market.optionChain(of: Asset(symbol: "QQQ", assetType: .etf)).contracts.count == 180)
    }

    @Test("all indicators, two years and more of each, without a hole", arguments: MacroIndicator.allCases)
    func macro(indicator: MacroIndicator) throws {
        let observations = try market.observations(of: indicator)
        #expect(try observations.first?.period == Self.at("2018-01-01T00:00:00Z"))
        // Of CPI and unemployment in October 2025 there is none: the offices were shut.
        let longest = zip(observations, observations.dropFirst()).map {
            ($1.period.milliseconds - $0.period.milliseconds) / 86_400_000
        }.max()
        switch indicator {
        case .interestRate: #expect(longest == 31 && observations.count == 103)
        case .consumerPrices, .unemployment: #expect(longest == 61 && observations.count == 102)
        case .realGrowth: #expect(longest == 92 && observations.count == 34)
        }
    }

    private struct MacroTruth: Decodable {
        var latestDate: String
        var latest: Double
        var previous: Double
        var yearAgo: Double

        enum CodingKeys: String, CodingKey {
            case latestDate = "latest_date"
            case latest, previous
            case yearAgo = "year_ago"
        }
    }

    private struct ChainTruth: Decodable {
        var callVolume: Double
        var putVolume: Double
        var putCallRatio: Double
        var underlyingPrice: Double
        var expiration: Int64

        enum CodingKeys: String, CodingKey {
            case callVolume = "total_call_volume"
            case putVolume = "total_put_volume"
            case putCallRatio = "put_call_ratio"
            case underlyingPrice = "underlying_price"
            case expiration
        }
    }

    private struct ChainTruths: Decodable {
        var apple: ChainTruth
        var fund: ChainTruth

        enum CodingKeys: String, CodingKey {
            case apple = "provider-responses/yahoo/options_AAPL.json"
            case fund = "provider-responses/yahoo/options_QQQ.json"
        }
    }

    private static var isTruthThere: Bool { FileManager.default.fileExists(atPath: truth + "macro.json") }

    private static func decoded<Figures: Decodable>(_ file: String) throws -> Figures {
        let text = try String(contentsOfFile: truth + file, encoding: .utf8)
        return try JSONDecoder().decode(Figures.self, from: Data(text.utf8))
    }

    @Test(
        "the newest observations, and those of a year before, are those of the truth",
        .enabled(if: isTruthThere, "../shared/market-data is not there"),
        arguments: [
            (.interestRate, "FEDFUNDS", 12), (.consumerPrices, "CPIAUCSL", 12), (.unemployment, "UNRATE", 12),
            (.realGrowth, "A191RL1Q225SBEA", 4),
        ] as [(MacroIndicator, String, Int)])
    func macroTruth(indicator: MacroIndicator, series: String, periodsOfAYear: Int) throws {
        let all: [String: MacroTruth] = try Self.decoded("macro.json")
        let expected = try #require(all["provider-responses/fred/observations_\(series).json"])
        let newest = Array(try market.observations(of: indicator).reversed())
        #expect(newest[0].period.rfc3339.hasPrefix(expected.latestDate))
        #expect(newest[0].value == expected.latest)
        #expect(newest[1].value == expected.previous)
        // One month of the year has none.
        let missing = indicator == .consumerPrices || indicator == .unemployment ? 1 : 0
        #expect(newest[periodsOfAYear - missing].value == expected.yearAgo)
    }

    @Test(
        "volumes and prices of the chains are those of the truth",
        .enabled(if: isTruthThere, "../shared/market-data is not there"))
    func optionsTruth() throws {
        let truths: ChainTruths = try Self.decoded("options.json")
        for (asset, expected) in [
            (apple, truths.apple), (Asset(symbol: "QQQ", assetType: .etf), truths.fund),
        ] {
            let chain = try market.optionChain(of: asset)
            func volume(_ kind: OptionContract.Kind) -> Double {
                chain.contracts.reduce(0) { $0 + ($1.kind == kind ? $1.volume ?? 0 : 0) }
            }
            #expect(volume(.call) == expected.callVolume)
            #expect(volume(.put) == expected.putVolume)
            #expect(abs(volume(.put) / volume(.call) / expected.putCallRatio - 1) < 1e-12)
            #expect(chain.underlyingPrice == expected.underlyingPrice)
            #expect(
                chain.contracts.allSatisfy { $0.expiresOn.milliseconds == expected.expiration * 1_000 })
        }
    }
}
