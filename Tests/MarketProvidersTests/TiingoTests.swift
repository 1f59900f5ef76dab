import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// Short answers in the shape of real ones (hydrosquall/tiingo-python, MIT); the split is Apple's of 2020.
enum TiingoFixtures {
    static let days = #"""
        [{"date":"2020-08-28T00:00:00.000Z","close":499.23,"high":505.77,"low":498.31,"open":504.05,
        "volume":46907479,"splitFactor":1.0},
        {"date":"2020-08-31T00:00:00.000Z","close":129.04,"high":131.0,"low":126.0,"open":127.58,
        "volume":225702700,"splitFactor":4.0}]
        """#
    static let news = #"""
        [{"publishedDate":"2016-01-11T23:13:00Z","title":"A headline","url":"http://example.com/1",
        "description":"Technology companies","source":"cnbc.com","tickers":["googl","aapl"]},
        {"publishedDate":"2016-01-12T21:07:28.073309+00:00","title":"","url":"http://example.com/2"}]
        """#
}

@Suite("Tiingo's answers are read")
struct TiingoTests {
    let google = CompanyAnswers.equity("GOOGL")

    @Test("Days before a split are put into the shares after it")
    func days() throws {
        let endpoint = Tiingo.bars(
            of: google, every: .day, limit: 10, key: "k", at: try moment("2020-09-01T12:00:00Z"))
        let bars = try reading(TiingoFixtures.days, with: endpoint).figures
        #expect(bars.map(\.close) == [124.8075, 129.04])
        #expect(bars.map(\.volume) == [187_629_916, 225_702_700])
        #expect(endpoint?.request.query.contains(["startDate", "2020-08-10"]) == true)
        #expect(endpoint?.request.fields == [["Authorization", "Token k"]])
    }

    @Test("News without a headline are refused")
    func news() throws {
        let decoded = try reading(TiingoFixtures.news, with: Tiingo.news(about: google, limit: 5, key: "k"))
        #expect(decoded.figures.map(\.symbols) == [["GOOGL", "AAPL"]])
        #expect(decoded.refused.reasons == ["[1].title is missing or not a text"])
    }

    @Test("Recorded answers", .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
    func recorded() throws {
        let daily = Tiingo.bars(of: google, every: .day, limit: 50, key: "")
        let days = try readingRecorded("tiingo/daily_prices_GOOGL.json", with: daily)
        #expect(days.figures.map(\.close) == [529.55, 519.46])
        #expect(days.refused.count == 0)
        #expect(try queryDifferences("tiingo/daily_prices_GOOGL.json", daily) == [])
        let minutes = try readingRecorded(
            "tiingo/iex_intraday.json", with: Tiingo.bars(of: google, every: .minute, limit: 50, key: ""))
        #expect(minutes.figures.count == 13)
        #expect(minutes.figures.allSatisfy { $0.volume == nil })
        #expect(minutes.figures[0].opensAt == (try moment("2018-01-02T14:30:00Z")))
        let file = "tiingo/news_aapl_googl.json"
        try expectTrueNews(
            try readingRecorded(file, with: Tiingo.news(about: google, limit: 5, key: "")).figures, file: file
        )
    }
}
