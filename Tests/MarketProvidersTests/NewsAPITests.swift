import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// A short answer in the shape of a real one.
enum NewsAPIFixtures {
    static let news = #"""
        {"status":"ok","totalResults":2,"articles":[{"source":{"id":null,"name":"A paper"},"author":null,
        "title":"A headline","description":"The first sentence.","url":"https://example.com/1",
        "publishedAt":"2021-12-16T01:43:53Z","content":"…"},
        {"source":{},"title":"Another","publishedAt":"yesterday"}]}
        """#
}

@Suite("NewsAPI's answers are read")
struct NewsAPITests {
    @Test("An article, and one without a moment")
    func news() throws {
        let endpoint = NewsAPI.news(about: CompanyAnswers.apple, limit: 5, key: "k")
        let decoded = try reading(NewsAPIFixtures.news, with: endpoint)
        #expect(decoded.figures.map(\.title) == ["A headline"])
        #expect(decoded.figures[0].publisher == "A paper")
        #expect(decoded.refused.count == 1)
        #expect(endpoint?.request.query.first == ["q", "\"Apple\""])
        #expect(endpoint?.request.fields == [["X-Api-Key", "k"]])
        #expect(throws: MarketDataError("NewsAPI says: Your API key is invalid.")) {
            try reading(#"{"status":"error","message":"Your API key is invalid."}"#, with: endpoint)
        }
    }

    @Test(
        "Recorded answers have the truth's headlines",
        .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
    func recorded() throws {
        let endpoint = try #require(
            NewsAPI.news(about: Asset(symbol: "TSLA", name: "tesla", assetType: .equity), limit: 5, key: ""))
        let file = "newsapi/everything_tesla.json"
        try expectTrueNews(try readingRecorded(file, with: endpoint).figures, file: file)
        let headlines = "newsapi/top_headlines_us.json"
        let decoded = try endpoint.decode(try CompanyAnswers.body(headlines))
        try expectTrueNews(decoded.figures, file: headlines)
    }
}
