import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite(
    "Yahoo's recorded answers are read to the figure",
    .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
struct YahooRecordedTests {
    @Test(
        "Charts",
        arguments: [
            ("chart_AAPL_2020-01.json", "AAPL", 1), ("chart_AAPL_2020-08-31_2020-11-07.json", "AAPL", 49),
            ("chart_AMZN_2020-01.json", "AMZN", 1), ("chart_GOOG_2020-01.json", "GOOG", 1),
            ("chart_QQQ_2020-01.json", "QQQ", 1), ("chart_MSFT_2021-02_2022-01.json", "MSFT", 252),
        ])
    func charts(file: String, symbol: String, bars: Int) throws {
        let endpoint = Yahoo.bars(of: CompanyAnswers.equity(symbol), every: .day, limit: 1_000)
        let decoded = try readingRecorded("yahoo/\(file)", with: endpoint)
        #expect(decoded.figures.count == bars)
        #expect(decoded.refused.count == 0, "\(decoded.refused.reasons)")
    }

    @Test("Days around Apple's split of 2020, which Yahoo had put into new shares already")
    func split() throws {
        let endpoint = Yahoo.bars(of: CompanyAnswers.apple, every: .day, limit: 1_000)
        let bars = try readingRecorded("yahoo/chart_AAPL_2020-08-31_2020-11-07.json", with: endpoint).figures
        #expect(bars[0].opensAt == (try startOfDay("2020-08-31")))
        #expect(bars[0].close == 129.0399932861328)
        #expect(bars[0].volume == 225_702_700)
    }

    @Test("Bitcoin's days, and a weekend without trade")
    func otherCharts() throws {
        let bitcoin = try readingRecorded(
            "yahoo/chart_BTC-USD_2020-01.json",
            with: Yahoo.bars(of: CompanyAnswers.bitcoin, every: .day, limit: 10))
        #expect(bitcoin.figures.map(\.close) == [7200.17431640625, 6985.47021484375, 7344.88427734375])
        #expect(throws: MarketDataError.self) {
            try readingRecorded(
                "yahoo/chart_AAPL_1m_weekend_empty.json",
                with: Yahoo.bars(of: CompanyAnswers.apple, every: .minute, limit: 10))
        }
        let quote = try readingRecorded(
            "yahoo/chart_AAPL_2020-01.json", with: Yahoo.quote(of: CompanyAnswers.apple))
        #expect(quote.figures.price == 244.87)
    }

    @Test("Earnings are the truth's", arguments: ["AAPL", "AMZN", "GOOG"], ["", "_2021"])
    func earnings(symbol: String, suffix: String) throws {
        let file = "yahoo/quoteSummary_earningsHistory_\(symbol)\(suffix).json"
        let endpoint = Yahoo.earnings(of: CompanyAnswers.equity(symbol))
        try expectTrueEarnings(try readingRecorded(file, with: endpoint).figures, file: file)
    }

    @Test("Revenue is that of the module beside")
    func revenue() throws {
        let history = try AnswerReader.json(
            CompanyAnswers.body("yahoo/quoteSummary_earningsHistory_AAPL.json"))
        let chart = try AnswerReader.json(CompanyAnswers.body("yahoo/quoteSummary_earnings_AAPL.json"))
        let both: JSONValue = [
            "quoteSummary": [
                "result": [
                    [
                        "earningsHistory": try #require(module("earningsHistory", of: history)),
                        "earnings": try #require(module("earnings", of: chart)),
                    ]
                ]
            ]
        ]
        let endpoint = try #require(Yahoo.earnings(of: CompanyAnswers.apple))
        let reports = try endpoint.decode(bytes(of: both)).figures
        #expect(reports.map(\.revenue) == [90_753e6, 85_777e6, 94_930e6, 124_300e6])
    }

    @Test("What Yahoo says where it has nothing is the error")
    func noData() {
        #expect(
            throws: MarketDataError(
                "Yahoo says: No fundamentals data found for any of the summaryTypes=earningsHistory",
                cause: .hasNone)
        ) {
            try readingRecorded(
                "yahoo/quoteSummary_earningsHistory_QQQ_no_data.json",
                with: Yahoo.earnings(of: CompanyAnswers.equity("QQQ")))
        }
    }

    @Test("Fundamentals are the truth's", arguments: ["AAPL", "AMZN", "GOOG"])
    func fundamentals(symbol: String) throws {
        let modules = ["defaultKeyStatistics", "financialData", "summaryDetail"]
        var result: [String: JSONValue] = [:]
        for name in modules {
            let answer = try CompanyAnswers.body("yahoo/quoteSummary_\(name)_\(symbol).json")
            result[name] = module(name, of: try AnswerReader.json(answer))
        }
        let whole: JSONValue = ["quoteSummary": ["result": .array([.object(result)])]]
        let endpoint = try #require(
            Yahoo.fundamentals(of: CompanyAnswers.equity(symbol)))
        let decoded = try endpoint.decode(bytes(of: whole))
        let truth = try AnswerReader.json(CompanyAnswers.truth("fundamentals.json"))["yahoo \(symbol)"]
        let figures = decoded.figures
        #expect(figures.priceToEarnings == truth?["trailingPE"]?.double)
        #expect(figures.priceToBook == truth?["priceToBook"]?.double)
        #expect(figures.earningsPerShare == truth?["trailingEps"]?.double)
        #expect(figures.returnOnEquity == truth?["returnOnEquity"]?.double)
        #expect(figures.returnOnAssets == truth?["returnOnAssets"]?.double)
        #expect(figures.debtToEquity.map { $0 * 100 } == truth?["debtToEquity"]?.double)
        #expect(figures.revenueGrowth == truth?["revenueGrowth"]?.double)
        #expect(figures.profitMargin == truth?["profitMargins"]?.double)
        #expect(figures.marketCap == truth?["marketCap"]?.double)
        #expect(decoded.refused.count == 0)
    }

    @Test("Option chains have the truth's counts", arguments: ["AAPL", "CRON", "QQQ"])
    func options(symbol: String) throws {
        let file = "yahoo/options_\(symbol).json"
        let endpoint = Yahoo.optionChain(of: CompanyAnswers.equity(symbol))
        let chain = try readingRecorded(file, with: endpoint).figures
        let truth = try AnswerReader.json(CompanyAnswers.truth("options.json"))["provider-responses/\(file)"]
        try expectTrueCounts(chain.contracts, truth)
        #expect(chain.underlyingPrice == truth?["underlying_price"]?.double)
    }

    @Test("News have the truth's headlines", arguments: ["AAPL", "AMZN", "BTC-USD", "GOOG", "QQQ"])
    func news(symbol: String) throws {
        let asset = symbol == "BTC-USD" ? CompanyAnswers.bitcoin : CompanyAnswers.equity(symbol)
        let file = "yahoo/search_\(symbol).json"
        try expectTrueNews(
            try readingRecorded(file, with: Yahoo.news(about: asset, limit: 20)).figures, file: file)
    }

    private func module(_ name: String, of answer: JSONValue) -> JSONValue? {
        answer["quoteSummary"]?["result"]?.elements?.first?[name]
    }
}

func bytes(of value: JSONValue) -> [UInt8] {
    var writer = JSONWriter()
    value.write(to: &writer)
    return writer.bytes
}

/// Compares reports with truth/earnings_anomaly.csv: every row of that file's answer, and none more.
func expectTrueEarnings(_ reports: [EarningsReport], file: String) throws {
    let table = String(decoding: try CompanyAnswers.truth("earnings_anomaly.csv"), as: UTF8.self)
    let lines = table.split(separator: "\n").filter { $0.hasPrefix("provider-responses/\(file),") }
    let rows = lines.map { $0.split(separator: ",", omittingEmptySubsequences: false) }
        .sorted { left, right in left[2] < right[2] }
    #expect(!rows.isEmpty)
    #expect(reports.map(\.quarterEnd.dayText) == rows.map { String($0[2]) })
    #expect(reports.map(\.actualEPS) == rows.map { Double($0[3]) })
    #expect(reports.map(\.estimatedEPS) == rows.map { Double($0[4]) })
}

/// Compares contracts with a chain of truth/options.json.
func expectTrueCounts(_ contracts: [OptionContract], _ truth: JSONValue?) throws {
    let truth = try #require(truth)
    func sum(_ kind: OptionContract.Kind, _ figure: (OptionContract) -> Double?) -> Double {
        contracts.filter { $0.kind == kind }.compactMap(figure).reduce(0, +)
    }
    #expect(sum(.call) { _ in 1 } == truth["calls"]?.double)
    #expect(sum(.put) { _ in 1 } == truth["puts"]?.double)
    #expect(sum(.call, \.volume) == truth["total_call_volume"]?.double)
    #expect(sum(.put, \.volume) == truth["total_put_volume"]?.double)
    #expect(sum(.call, \.openInterest) == truth["call_oi"]?.double)
    #expect(sum(.put, \.openInterest) == truth["put_oi"]?.double)
}

/// Compares articles with truth/news_sentiment.json, in whatever order.
func expectTrueNews(_ articles: [NewsArticle], file: String) throws {
    let truth = try AnswerReader.json(CompanyAnswers.truth("news_sentiment.json"))
    let rows = try #require(truth["provider-responses/\(file)"]?["articles"]?.elements)
    #expect(articles.map(\.title).sorted() == rows.compactMap { $0["title"]?.text }.sorted())
    let scores = Dictionary(uniqueKeysWithValues: articles.map { ($0.title, $0.sentiment) })
    for row in rows {
        #expect(scores[row["title"]?.text ?? ""] == row["provider_score"]?.double)
    }
    #expect(articles.map(\.publishedAt) == articles.map(\.publishedAt).sorted(by: >))
}
