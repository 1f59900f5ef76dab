import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// Short answers in the shape of real ones, with figures of IBM and Microsoft.
enum AlphaVantageFixtures {
    static let daily = #"""
        {"Meta Data":{"2. Symbol":"IBM"},"Time Series (Daily)":{
        "2020-05-08":{"1. open":"122.6700","2. high":"122.8000","3. low":"121.0600","4. close":"121.7900",
        "5. volume":"2538547"},
        "2020-05-07":{"1. open":"122.9800","2. high":"123.2600","3. low":"120.8500","4. close":"121.2300",
        "5. volume":"4412047"}}}
        """#
    static let minutes = #"""
        {"Time Series (1min)":{
        "2017-07-03 09:31:00":{"1. open":"68.5","2. high":"68.6","3. low":"68.4","4. close":"68.5",
        "5. volume":"10494"},
        "2017-12-18 14:55:00":{"1. open":"86.49","2. high":"86.50","3. low":"86.4801","4. close":"86.50",
        "5. volume":"None"}}}
        """#

    static let earnings = #"""
        {"symbol":"IBM","annualEarnings":[],"quarterlyEarnings":[
        {"fiscalDateEnding":"2020-09-30","reportedDate":"2020-10-19","reportedEPS":"2.58",
        "estimatedEPS":"2.579"},
        {"fiscalDateEnding":"2020-06-30","reportedDate":"2020-01-20","reportedEPS":"2.18",
        "estimatedEPS":"None"},
        {"fiscalDateEnding":"2020-03-31","reportedDate":"2020-04-20","reportedEPS":"None",
        "estimatedEPS":"1.801"}]}
        """#
    static let overview = #"""
        {"Symbol":"IBM","LatestQuarter":"2020-06-30","MarketCapitalization":"114234572800",
        "PERatio":"14.1327","EPS":"8.811","ProfitMargin":"0.1043","ReturnOnAssetsTTM":"0.0362",
        "ReturnOnEquityTTM":"0.4097","QuarterlyRevenueGrowthYOY":"-0.054","PriceToBookRatio":"-"}
        """#
    static let economy = #"""
        {"name":"Unemployment Rate","data":[{"date":"2022-03-01","value":"3.6"},
        {"date":"2022-02-01","value":"."},{"date":"2022-01-01","value":"4.0"}]}
        """#
    static let news = #"""
        {"items":"1","feed":[{"title":"What Is a Hedge Fund","url":"https://example.com/1",
        "time_published":"20231224T203014","summary":"Hedge funds.","source":"Kiplinger",
        "overall_sentiment_score":0.031346,"ticker_sentiment":[{"ticker":"MSFT"},{"ticker":"FOREX:GBP"}]},
        {"title":"Another","url":"https://example.com/2","time_published":"20231224T253014",
        "overall_sentiment_score":7},
        {"title":"A third","url":"https://example.com/3","time_published":"20231224T103014",
        "overall_sentiment_score":7}]}
        """#
}

@Suite("Alpha Vantage's answers are read, and its errors with status 200 are errors")
struct AlphaVantageTests {
    let ibm = CompanyAnswers.equity("IBM")
    let key = "TESTKEY"

    @Test("Days come oldest first")
    func days() throws {
        let endpoint = AlphaVantage.bars(of: ibm, every: .day, limit: 100, key: key)
        let decoded = try reading(AlphaVantageFixtures.daily, with: endpoint)
        #expect(decoded.figures.map(\.opensAt.dayText) == ["2020-05-07", "2020-05-08"])
        #expect(decoded.figures.map(\.close) == [121.23, 121.79])
        #expect(
            endpoint?.request.query == [
                ["function", "TIME_SERIES_DAILY"], ["symbol", "IBM"], ["outputsize", "compact"],
                ["apikey", "TESTKEY"],
            ])
    }

    @Test("Minutes are New York's, in summer and in winter")
    func minutes() throws {
        let endpoint = AlphaVantage.bars(of: ibm, every: .minute, limit: 500, key: key)
        let decoded = try reading(AlphaVantageFixtures.minutes, with: endpoint)
        #expect(
            decoded.figures.map(\.opensAt) == [
                try moment("2017-07-03T13:31:00Z"), try moment("2017-12-18T19:55:00Z"),
            ])
        #expect(decoded.figures.map(\.volume) == [10_494, nil])
    }

    @Test(
        "New York's clock changes on the days of the law (nist.gov, dates of 2024 to 2026)",
        arguments: [
            ("2024-03-10 01:59:59", "2024-03-10T06:59:59Z"), ("2024-03-10 03:00:00", "2024-03-10T07:00:00Z"),
            ("2024-11-03 00:59:59", "2024-11-03T04:59:59Z"), ("2024-11-03 02:00:00", "2024-11-03T07:00:00Z"),
            ("2025-03-09 03:00:00", "2025-03-09T07:00:00Z"), ("2025-11-02 02:00:00", "2025-11-02T07:00:00Z"),
            ("2026-03-08 03:00:00", "2026-03-08T07:00:00Z"), ("2026-11-01 02:00:00", "2026-11-01T07:00:00Z"),
        ])
    func newYork(wall: String, utc: String) throws {
        #expect(MomentFormat.newYork.read(wall) == (try moment(utc)))
    }

    @Test("A report without earnings is refused; one from before its quarter's end has no day")
    func earnings() throws {
        let decoded = try reading(
            AlphaVantageFixtures.earnings, with: AlphaVantage.earnings(of: ibm, key: key))
        #expect(
            decoded.figures == [
                EarningsReport(quarterEnd: try startOfDay("2020-06-30"), actualEPS: 2.18, estimatedEPS: nil),
                EarningsReport(
                    quarterEnd: try startOfDay("2020-09-30"), reportedAt: try startOfDay("2020-10-19"),
                    actualEPS: 2.58, estimatedEPS: 2.579),
            ])
        #expect(decoded.refused.count == 2)
        #expect(decoded.refused.reasons.contains { $0.hasPrefix("quarterlyEarnings[2].reportedEPS") })
    }

    @Test("Fundamentals are fractions")
    func fundamentals() throws {
        let endpoint = AlphaVantage.fundamentals(of: ibm, key: key)
        let figures = try reading(AlphaVantageFixtures.overview, with: endpoint).figures
        #expect(figures.profitMargin == 0.1043)
        #expect(figures.revenueGrowth == -0.054)
        #expect(figures.priceToBook == nil)
        #expect(figures.asOf == (try startOfDay("2020-06-30")))
    }

    @Test("Observations come oldest first; real growth Alpha Vantage has not")
    func economy() throws {
        let endpoint = AlphaVantage.observations(of: .unemployment, key: key)
        let decoded = try reading(AlphaVantageFixtures.economy, with: endpoint)
        #expect(decoded.figures.map(\.value) == [4.0, 3.6])
        #expect(decoded.refused.count == 0)
        #expect(AlphaVantage.observations(of: .realGrowth, key: key) == nil)
    }

    @Test("News carry the provider's judgement; one without a moment is refused")
    func news() throws {
        let endpoint = AlphaVantage.news(about: CompanyAnswers.apple, limit: 5, key: key)
        let decoded = try reading(AlphaVantageFixtures.news, with: endpoint)
        #expect(decoded.figures.map(\.sentiment) == [0.031346, nil])
        #expect(decoded.figures[0].publishedAt == (try moment("2023-12-24T20:30:14Z")))
        #expect(decoded.figures[0].symbols == ["MSFT", "FOREX:GBP"])
        #expect(decoded.refused.count == 2)
        let bitcoin = AlphaVantage.news(about: CompanyAnswers.bitcoin, limit: 5, key: key)
        #expect(bitcoin?.request.query.contains(["tickers", "CRYPTO:BTC"]) == true)
    }

    /// What Alpha Vantage says, under which name, and what it means.
    private static let words: [(String, String, MarketDataError.Cause)] = [
        ("Error Message", "Invalid API call. Please retry or visit the documentation", .hasNone),
        ("Note", "Our standard API call frequency is 5 calls per minute and 500 calls per day.", .tooOften),
        (
            "Information", "We have detected your API key and our standard API rate limit is 25 requests",
            .tooOften
        ),
        ("Information", "Thank you for using Alpha Vantage! This is a premium endpoint.", .failure),
    ]

    @Test("A limit that is told with status 200 is one, as is a symbol that is not known", arguments: words)
    func causes(name: String, words: String, cause: MarketDataError.Cause) throws {
        let endpoint = try #require(AlphaVantage.earnings(of: CompanyAnswers.apple, key: "k"))
        let error = #expect(throws: MarketDataError.self) {
            try reading("{\"\(name)\":\"\(words)\"}", with: endpoint)
        }
        #expect(error?.cause == cause)
    }

    @Test(
        "An error with status 200 is an error",
        arguments: ["Error Message", "Note", "Information"])
    func envelopes(name: String) throws {
        let error = #expect(throws: MarketDataError.self) {
            try reading(#"{"\#(name)":"Invalid API call."}"#, with: AlphaVantage.earnings(of: ibm, key: key))
        }
        #expect(error?.description == "Alpha Vantage says: Invalid API call.")
    }
}

@Suite(
    "Alpha Vantage's recorded answers are read to the figure",
    .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
struct AlphaVantageRecordedTests {
    let ibm = CompanyAnswers.equity("IBM")

    @Test("Bars")
    func bars() throws {
        let days = AlphaVantage.bars(of: ibm, every: .day, limit: 100, key: "")
        #expect(try readingRecorded("alphavantage/TIME_SERIES_DAILY_IBM.json", with: days).figures.count == 2)
        let minutes = AlphaVantage.bars(
            of: CompanyAnswers.equity("MSFT"), every: .minute, limit: 100, key: "")
        let decoded = try readingRecorded(
            "alphavantage/TIME_SERIES_INTRADAY_MSFT_1min.json", with: minutes)
        #expect(decoded.figures.count == 100)
        #expect(decoded.figures.last?.opensAt == (try moment("2017-12-18T19:56:00Z")))
        #expect(decoded.figures.last?.close == 86.5)
        #expect(decoded.refused.count == 0)
    }

    @Test("Earnings, fundamentals and news are the truth's")
    func companies() throws {
        let earnings = AlphaVantage.earnings(of: ibm, key: "")
        let file = "alphavantage/EARNINGS_IBM.json"
        try expectTrueEarnings(try readingRecorded(file, with: earnings).figures, file: file)

        let overview = AlphaVantage.fundamentals(of: ibm, key: "")
        let figures = try readingRecorded("alphavantage/OVERVIEW_IBM.json", with: overview).figures
        let truth = try AnswerReader.json(CompanyAnswers.truth("fundamentals.json"))["alphavantage IBM"]
        func number(_ name: String) -> Double? { truth?[name]?.text.flatMap(Double.init) }
        #expect(figures.marketCap == number("MarketCapitalization"))
        #expect(figures.priceToEarnings == number("PERatio"))
        #expect(figures.earningsPerShare == number("EPS"))
        #expect(figures.profitMargin == number("ProfitMargin"))
        #expect(figures.returnOnEquity == number("ReturnOnEquityTTM"))
        _ = try readingRecorded("alphavantage/OVERVIEW_IBM_2.json", with: overview)

        let news = AlphaVantage.news(about: CompanyAnswers.apple, limit: 50, key: "")
        let newsFile = "alphavantage/NEWS_SENTIMENT_AAPL.json"
        try expectTrueNews(try readingRecorded(newsFile, with: news).figures, file: newsFile)
    }

    @Test(
        "Observations",
        arguments: [
            (MacroIndicator.consumerPrices, "CPI", [283.716, 287.504]),
            (.interestRate, "FEDERAL_FUNDS_RATE", [0.20, 0.33]), (.unemployment, "UNEMPLOYMENT", [3.8, 3.6]),
        ])
    func observations(indicator: MacroIndicator, file: String, values: [Double]) throws {
        let endpoint = AlphaVantage.observations(of: indicator, key: "")
        let decoded = try readingRecorded("alphavantage/\(file).json", with: endpoint)
        #expect(decoded.figures.map(\.value) == values)
        #expect(try queryDifferences("alphavantage/\(file).json", endpoint) == [])
    }
}
