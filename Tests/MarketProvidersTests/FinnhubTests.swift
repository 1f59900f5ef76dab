import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// Short answers in the shape of real ones, with figures of Eli Lilly.
enum FinnhubFixtures {
    static let quote =
        #"{"c":1025.28,"d":2.41,"dp":0.2356,"h":1033.6185,"l":1007.785,"o":1009,"t":1763154000}"#
    static let earnings = #"""
        [{"actual":7.02,"estimate":5.7519,"period":"2025-09-30","quarter":3,"symbol":"LLY","year":2025},
        {"actual":null,"estimate":5.5,"period":"2025-06-30"},
        {"actual":3.34,"estimate":null,"period":"2025-03-31"}]
        """#
    static let news = #"""
        [{"category":"company","datetime":1763158405,"headline":"A headline","related":"LLY,NVO",
        "source":"Yahoo","summary":"","url":"https://example.com/1"}]
        """#
}

@Suite("Finnhub's answers are read")
struct FinnhubTests {
    let lilly = CompanyAnswers.equity("LLY")

    @Test("The quote; an unknown symbol's price of 0 is none")
    func quote() throws {
        let endpoint = Finnhub.quote(of: lilly, key: "k")
        let quote = try reading(FinnhubFixtures.quote, with: endpoint).figures
        #expect(
            quote
                == Quote(observedAt: try moment("2025-11-14T21:00:00Z"), price: 1025.28, intervalSeconds: 60))
        #expect(endpoint?.request.fields == [["X-Finnhub-Token", "k"]])
        #expect(throws: MarketDataError.self) { try reading(#"{"c":0,"d":null,"t":0}"#, with: endpoint) }
        #expect(throws: MarketDataError("Finnhub says: Invalid API key")) {
            try reading(#"{"error":"Invalid API key"}"#, with: endpoint)
        }
    }

    @Test("Earnings come oldest first; those that are not out are refused")
    func earnings() throws {
        let decoded = try reading(FinnhubFixtures.earnings, with: Finnhub.earnings(of: lilly, key: "k"))
        #expect(decoded.figures.map(\.actualEPS) == [3.34, 7.02])
        #expect(decoded.figures.map(\.estimatedEPS) == [nil, 5.7519])
        #expect(decoded.refused.reasons == ["[1].actual is null, which is not a number"])
    }

    @Test("News are asked for over a week")
    func news() throws {
        let endpoint = Finnhub.news(about: lilly, limit: 5, key: "k", at: try moment("2025-11-15T12:00:00Z"))
        #expect(
            endpoint?.request.query == [["symbol", "LLY"], ["from", "2025-11-08"], ["to", "2025-11-15"]])
        let article = try #require(try reading(FinnhubFixtures.news, with: endpoint).figures.first)
        #expect(article.symbols == ["LLY", "NVO"])
        #expect(article.summary == nil)
        #expect(article.publisher == "Yahoo")
    }

    @Test(
        "Recorded answers have the truth's figures",
        .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
    func recorded() throws {
        let quote = try readingRecorded("finnhub/quote_LLY.json", with: Finnhub.quote(of: lilly, key: ""))
        #expect(quote.figures.price == 1025.28)
        let file = "finnhub/stock_earnings_LLY.json"
        let earnings = try readingRecorded(file, with: Finnhub.earnings(of: lilly, key: ""))
        try expectTrueEarnings(earnings.figures, file: file)
        let newsFile = "finnhub/company_news_LLY.json"
        let news = try readingRecorded(newsFile, with: Finnhub.news(about: lilly, limit: 5, key: ""))
        try expectTrueNews(news.figures, file: newsFile)
    }
}
