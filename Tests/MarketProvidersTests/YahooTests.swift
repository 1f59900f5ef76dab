import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// Short answers in the shape of real ones; figures are those that Yahoo gave for 2020 and 2024.
enum YahooFixtures {
    static let chart = #"""
        {"chart":{"result":[{"meta":{"currency":"USD","symbol":"AAPL","gmtoffset":-18000,
        "regularMarketTime":1739998801,"regularMarketPrice":244.87,"dataGranularity":"1d"},
        "timestamp":[1577975400,1578061800,1578321000],
        "indicators":{"quote":[{"open":[74.06,74.28,73.45],"high":[75.15,75.14,74.99],
        "low":[73.8,74.13,73.19],"close":[75.0875,74.3575,74.95],"volume":[135480400,146322800,null]}]}}],
        "error":null}}
        """#
    static let earnings = #"""
        {"quoteSummary":{"result":[{"earningsHistory":{"history":[
        {"epsActual":{"raw":1.53,"fmt":"1.53"},"epsEstimate":{"raw":1.49923,"fmt":"1.5"},
        "quarter":{"raw":1711843200,"fmt":"2024-03-31"},"period":"-4q"},
        {"epsActual":{"raw":1.4,"fmt":"1.4"},"epsEstimate":{},
        "quarter":{"raw":1719705600,"fmt":"2024-06-30"},"period":"-3q"}]},
        "earnings":{"earningsChart":{"quarterly":[{"date":"1Q2024","actual":1.53,"estimate":1.49923},
        {"date":"2Q2024","actual":1.41,"estimate":1.34}]},
        "financialsChart":{"quarterly":[{"date":"1Q2024","revenue":90753000000,"earnings":23636000000},
        {"date":"2Q2024","revenue":85777000000,"earnings":21448000000}]}}}],"error":null}}
        """#
    static let fundamentals = #"""
        {"quoteSummary":{"result":[{"defaultKeyStatistics":{"priceToBook":55.328976,"trailingEps":6.31,
        "mostRecentQuarter":1735344000,"profitMargins":0.24295},
        "financialData":{"debtToEquity":145,"returnOnAssets":0.22518998,"returnOnEquity":1.3652,
        "revenueGrowth":0.04,"profitMargins":0.24295},
        "summaryDetail":{"trailingPE":38.91442,"marketCap":3688676720640}}],"error":null}}
        """#
    static let options = #"""
        {"optionChain":{"result":[{"underlyingSymbol":"AAPL","quote":{"regularMarketPrice":245.55,
        "regularMarketTime":1740171602},"options":[{"expirationDate":1740700800,"calls":[
        {"contractSymbol":"AAPL250228C00110000","strike":110,"lastPrice":111.67,"openInterest":0,"bid":135.9,
        "ask":136.65,"expiration":1740700800,"impliedVolatility":3.58593853515625}],"puts":[
        {"contractSymbol":"AAPL250228P00300000","strike":300,"lastPrice":60.75,"volume":2,"openInterest":0,
        "bid":0,"ask":0,"expiration":1740700800,"impliedVolatility":0.00001}]}]}],"error":null}}
        """#
    static let news = #"""
        {"count":1,"quotes":[],"news":[
        {"title":"An older one","publisher":"A","link":"javascript:alert(1)",
        "providerPublishTime":1740442800,"relatedTickers":["AAPL"]},
        {"title":"A newer one","publisher":"B","link":"https://example.com/b",
        "providerPublishTime":1740462887,"relatedTickers":["aapl","BRK-B","no symbol"]}]}
        """#
    /// A chart of three days around a split of 4 for 1, with these closes.
    static func splitChart(closes: [Double]) -> String {
        """
        {"chart":{"result":[{"meta":{"gmtoffset":-14400},"timestamp":[1598621400,1598880600,1598967000],
        "events":{"splits":{"1598880600":{"date":1598880600,"numerator":4,"denominator":1}}},
        "indicators":{"quote":[{"open":\(closes),"high":\(closes),"low":\(closes),"close":\(closes),
        "volume":[100,400,400]}]}}],"error":null}}
        """
    }
}

@Suite("Yahoo's answers are read, and nothing in them is trusted")
struct YahooTests {
    let apple = CompanyAnswers.apple

    @Test("A day's bar begins with its day, whatever the hour of trade")
    func dayBars() throws {
        let decoded = try reading(YahooFixtures.chart, with: Yahoo.bars(of: apple, every: .day, limit: 10))
        #expect(decoded.figures.map(\.opensAt.dayText) == ["2020-01-02", "2020-01-03", "2020-01-06"])
        #expect(decoded.figures.map(\.close) == [75.0875, 74.3575, 74.95])
        #expect(decoded.figures.map(\.volume) == [135_480_400, 146_322_800, nil])
        #expect(decoded.figures.allSatisfy { $0.intervalSeconds == 86_400 })
        #expect(decoded.refused.count == 0)
    }

    @Test("A minute's bar keeps its time, and only the newest are kept")
    func minuteBars() throws {
        let decoded = try reading(YahooFixtures.chart, with: Yahoo.bars(of: apple, every: .minute, limit: 2))
        #expect(decoded.figures.map(\.opensAt.milliseconds) == [1_578_061_800_000, 1_578_321_000_000])
    }

    @Test("A minute without trade is a row of nulls and no refusal; one that lacks a price is refused")
    func withoutTrade() throws {
        let endpoint = Yahoo.bars(of: apple, every: .minute, limit: 10)
        for (close, refused) in [("null", 0), ("74.0", 1)] {
            let body = """
                {"chart":{"result":[{"timestamp":[1577975400,1577975460],"indicators":{"quote":[{
                "open":[74,null],"high":[75,null],"low":[73,null],"close":[74,\(close)],
                "volume":[5,null]}]}}],"error":null}}
                """
            let decoded = try reading(body, with: endpoint)
            #expect(decoded.figures.count == 1)
            #expect(decoded.refused.count == refused)
        }
    }

    @Test("A split that prices do not show yet is applied; one they do is not applied twice")
    func splits() throws {
        let endpoint = Yahoo.bars(of: apple, every: .day, limit: 10)
        let raw = try reading(YahooFixtures.splitChart(closes: [499.23, 129.04, 134.18]), with: endpoint)
        #expect(raw.figures.map(\.close) == [124.8075, 129.04, 134.18])
        #expect(raw.figures.map(\.volume) == [400, 400, 400])
        let adjusted = try reading(
            YahooFixtures.splitChart(closes: [124.8075, 129.04, 134.18]), with: endpoint)
        #expect(adjusted.figures.map(\.close) == [124.8075, 129.04, 134.18])
    }

    @Test("The quote is the chart's head")
    func quote() throws {
        let quote = try reading(YahooFixtures.chart, with: Yahoo.quote(of: apple)).figures
        #expect(quote.price == 244.87)
        #expect(quote.observedAt.milliseconds == 1_739_998_801_000)
    }

    @Test("Revenue counts where the calendar quarter's earnings are the same")
    func earnings() throws {
        let endpoint = Yahoo.earnings(of: apple)
        let reports = try reading(YahooFixtures.earnings, with: endpoint).figures
        #expect(
            reports == [
                EarningsReport(
                    quarterEnd: try startOfDay("2024-03-31"), actualEPS: 1.53, estimatedEPS: 1.49923,
                    revenue: 90_753_000_000),
                EarningsReport(quarterEnd: try startOfDay("2024-06-30"), actualEPS: 1.4, estimatedEPS: nil),
            ])
    }

    @Test("Debt over equity is a fraction, as the rest is")
    func fundamentals() throws {
        let endpoint = Yahoo.fundamentals(of: apple)
        let figures = try reading(YahooFixtures.fundamentals, with: endpoint).figures
        #expect(figures.debtToEquity == 1.45)
        #expect(figures.returnOnEquity == 1.3652)
        #expect(figures.asOf?.dayText == "2024-12-28")
        #expect(endpoint?.request.fields == [])
    }

    @Test("Options of both kinds are read")
    func options() throws {
        let endpoint = Yahoo.optionChain(of: apple)
        let chain = try reading(YahooFixtures.options, with: endpoint).figures
        #expect(chain.contracts.map(\.kind) == [.call, .put])
        #expect(chain.contracts.map(\.strike) == [110, 300])
        #expect(chain.contracts.map(\.volume) == [nil, 2])
        #expect(chain.contracts.map(\.expiresOn.dayText) == ["2025-02-28", "2025-02-28"])
        #expect(chain.underlyingPrice == 245.55)
    }

    @Test("News come newest first, without addresses that are none")
    func news() throws {
        let decoded = try reading(YahooFixtures.news, with: Yahoo.news(about: apple, limit: 5))
        #expect(decoded.figures.map(\.title) == ["A newer one", "An older one"])
        #expect(decoded.figures.map(\.url) == ["https://example.com/b", nil])
        #expect(decoded.figures[0].symbols == ["AAPL", "BRK-B"])
        #expect(decoded.refused.count == 1)
    }

    @Test("Symbols are Yahoo's own, and what is not safe in a path is refused")
    func symbols() {
        let cases: [(Asset, String?)] = [
            (CompanyAnswers.equity("brk.b"), "BRK-B"), (CompanyAnswers.bitcoin, "BTC-USD"),
            (CompanyAnswers.russell, "%5ERUT"), (Asset(symbol: "^GSPC", assetType: .index), "%5EGSPC"),
            (CompanyAnswers.equity("../v1"), nil), (CompanyAnswers.equity("A/B"), nil),
            (CompanyAnswers.equity("A?x"), nil), (CompanyAnswers.equity(".."), nil),
            (CompanyAnswers.equity(""), nil), (CompanyAnswers.equity("Ä"), nil),
            (Asset(symbol: "VOD", assetType: .equity, market: .uk), nil),
            (Asset(symbol: "EURUSD", assetType: .forex), nil),
        ]
        for (asset, symbol) in cases {
            #expect(Yahoo.symbol(of: asset) == symbol, "\(asset.symbol)")
        }
    }

    @Test(
        "The shortest range that holds the bars is asked for",
        arguments: [(10, "1mo"), (60, "6mo"), (90, "6mo"), (240, "1y"), (5_000, "max")])
    func ranges(limit: Int, range: String) {
        let endpoint = Yahoo.bars(of: apple, every: .day, limit: limit)
        #expect(endpoint?.request.query.contains(["range", range]) == true)
    }
}
