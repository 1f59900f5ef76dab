import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// Short answers in the shape of real ones (polygon-io/client-python, MIT).
enum PolygonFixtures {
    static let days = #"""
        {"ticker":"AAPL","adjusted":true,"results":[
        {"v":578172308.0,"o":1.4639,"c":1.4675,"h":1.4754,"l":1.4343,"t":1112587200000},
        {"v":642646396.0,"o":1.5032,"c":1.4604,"h":1.5064,"l":1.4489,"t":1112331600000},
        {"v":1.0,"o":1.5,"c":1.5,"h":1.4,"l":1.6,"t":1112245200000}],"status":"OK"}
        """#
    static let news = #"""
        {"results":[{"publisher":{"name":"MarketWatch"},"title":"A headline",
        "published_utc":"2022-04-28T17:08:00Z","article_url":"https://example.com/1",
        "tickers":["MSFT","TSN"],"description":"If inflation is all due to"}],"status":"OK"}
        """#
    static let options = #"""
        {"results":[{"day":{"volume":8},"details":{"contract_type":"call","expiration_date":"2023-06-16",
        "strike_price":150,"ticker":"O:AAPL230616C00150000"},"implied_volatility":0.3570277203465058,
        "last_quote":{"ask":29.25,"bid":28.9,"last_updated":1651254260800059648},
        "last_trade":{"price":29.25},"open_interest":8133,
        "underlying_asset":{"last_updated":1651254263172073152,"price":159.9606}},
        {"details":{"contract_type":"other","expiration_date":"2023-06-16","strike_price":150,
        "ticker":"O:AAPL230616X00150000"}}],"status":"OK"}
        """#
}

@Suite("Polygon's answers are read")
struct PolygonTests {
    let apple = CompanyAnswers.apple

    @Test("Days begin with their day and come oldest first; a high below the low is refused")
    func days() throws {
        let endpoint = Polygon.bars(
            of: apple, every: .day, limit: 10, key: "k", at: try moment("2005-04-05T12:00:00Z"))
        let decoded = try reading(PolygonFixtures.days, with: endpoint)
        #expect(decoded.figures.map(\.opensAt.dayText) == ["2005-04-01", "2005-04-04"])
        #expect(decoded.figures.map(\.close) == [1.4604, 1.4675])
        #expect(decoded.refused.count == 1)
        #expect(endpoint?.request.path == "/v2/aggs/ticker/AAPL/range/1/day/2005-03-14/2005-04-05")
        #expect(endpoint?.request.fields == [["Authorization", "Bearer k"]])
    }

    @Test("News")
    func news() throws {
        let article = try #require(
            try reading(PolygonFixtures.news, with: Polygon.news(about: apple, limit: 5, key: "k")).figures
                .first)
        #expect(article.publisher == "MarketWatch")
        #expect(article.symbols == ["MSFT", "TSN"])
        #expect(article.publishedAt == (try moment("2022-04-28T17:08:00Z")))
    }

    @Test("Options that are neither call nor put are refused; the chain is of its newest figure")
    func options() throws {
        let decoded = try reading(PolygonFixtures.options, with: Polygon.optionChain(of: apple, key: "k"))
        let option = try #require(decoded.figures.contracts.first)
        #expect(decoded.figures.contracts.count == 1)
        #expect(decoded.figures.underlyingPrice == 159.9606)
        #expect(decoded.figures.observedAt == (try moment("2022-04-29T17:44:23.172Z")))
        #expect(option.strike == 150 && option.bid == 28.9 && option.ask == 29.25 && option.volume == 8)
        #expect(option.openInterest == 8133)
        #expect(option.impliedVolatility == 0.3570277203465058)
        #expect(decoded.refused.count >= 1)
    }

    @Test("Recorded answers", .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
    func recorded() throws {
        let bars = Polygon.bars(of: apple, every: .day, limit: 50, key: "")
        let days = try readingRecorded("polygon/aggs_AAPL_day.json", with: bars)
        #expect(days.figures.map(\.close) == [1.4604, 1.4675])
        #expect(days.refused.count == 0)
        let file = "polygon/news_NFLX.json"
        let news = Polygon.news(about: CompanyAnswers.equity("NFLX"), limit: 5, key: "")
        try expectTrueNews(try readingRecorded(file, with: news).figures, file: file)
        let chain = try readingRecorded(
            "polygon/snapshot_options_AAPL.json", with: Polygon.optionChain(of: apple, key: ""))
        #expect(chain.figures.contracts.count == 1)
        #expect(chain.refused.count == 0)
    }
}
