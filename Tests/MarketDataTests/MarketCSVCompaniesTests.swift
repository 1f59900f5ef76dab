import FIMLCore
import GatewayTesting
import Testing

@testable import MarketData

@Suite("Fundamentals, macro figures, news and options are read, or their faults are named")
struct MarketCSVCompaniesTests {
    private static func read(_ text: String, file: String = "ABC.csv") throws(CSVProblem) -> Recording {
        try parseRecording([(file, Array(text.utf8))])
    }

    /// Noon of 2025-01-02, in milliseconds.
    private static let noon: Int64 = 1_735_819_200_000
    private static let day: Int64 = 86_400_000

    @Test("fundamentals may lack all but one figure, and tell the end of the period they are of")
    func fundamentals() throws {
        let text = """
            date,period_end,price_to_earnings,price_to_book,earnings_per_share,return_on_equity,\
            return_on_assets,debt_to_equity,revenue_growth,profit_margin,market_cap
            2025-01-02,,,,-1.5,,,,,,
            2025-02-02,2024-12-31,38.9,55.3,6.31,1.3652,0.225,1.45,-0.04,0.243,3.6e12
            """
        let series = try #require(try Self.read(text).fundamentals.first)
        #expect(series.asset == Asset(symbol: "ABC", assetType: .equity))
        var first = Fundamentals()
        first.earningsPerShare = -1.5
        var second = Fundamentals()
        second.asOf = Timestamp(milliseconds: 1_735_603_200_000)
        second.priceToEarnings = 38.9
        second.priceToBook = 55.3
        second.earningsPerShare = 6.31
        second.returnOnEquity = 1.3652
        second.returnOnAssets = 0.225
        second.debtToEquity = 1.45
        second.revenueGrowth = -0.04
        second.profitMargin = 0.243
        second.marketCap = 3_600_000_000_000
        #expect(series.figures == [first, second])
    }

    @Test("macro figures are of no asset; each indicator has its own order, and a date begins its period")
    func macro() throws {
        let text = """
            time,indicator,value
            2025-01-01,interest_rate,4.33
            2025-01-01,consumer_prices,319.086
            2025-02-01,Interest_Rate,-0.5
            2024-10-01,real_growth,-28
            2025-01-01,unemployment,4
            """
        // A file's name that is no symbol does not matter here.
        let observations = try Self.read(text, file: "the economy.csv").observations
        let january = Timestamp(milliseconds: 1_735_689_600_000)
        #expect(
            observations == [
                .interestRate: [
                    MacroObservation(period: january, value: 4.33),
                    MacroObservation(
                        period: Timestamp(milliseconds: january.milliseconds + 31 * Self.day), value: -0.5),
                ],
                .consumerPrices: [MacroObservation(period: january, value: 319.086)],
                .realGrowth: [
                    MacroObservation(period: Timestamp(milliseconds: 1_727_740_800_000), value: -28)
                ],
                .unemployment: [MacroObservation(period: january, value: 4)],
            ])
    }

    @Test("articles may lack all but a headline, and two of one moment are two")
    func news() throws {
        let text = """
            time,symbol,asset_type,title,summary,publisher,url,symbols,sentiment
            2025-01-02T12:00:00Z,btc,crypto,One,,,,,
            2025-01-02T12:00:00Z,BTC,crypto,Two,"It fell, then rose.",A Paper,https://example.org/a?b=1,\
            BTC-USD  mstr ^gspc,-0.25
            """
        let series = try #require(try Self.read(text).news.first)
        #expect(series.asset == Asset(symbol: "BTC", assetType: .crypto, market: .crypto))
        let noon = Timestamp(milliseconds: Self.noon)
        #expect(
            series.figures == [
                NewsArticle(
                    title: "One", summary: nil, publisher: nil, url: nil, publishedAt: noon, symbols: []),
                NewsArticle(
                    title: "Two", summary: "It fell, then rose.", publisher: "A Paper",
                    url: "https://example.org/a?b=1", publishedAt: noon,
                    symbols: ["BTC-USD", "MSTR", "^GSPC"], sentiment: -0.25),
            ])
    }

    /// RFC 4180, section 2, rules 5 to 7, but for line breaks inside of quotes.
    @Test(
        "quotes hold commas, blanks and quotes",
        arguments: [
            ("plain", "plain"), ("\"a, b\"", "a, b"), ("\"a \"\"b\"\" c\"", "a \"b\" c"),
            ("\"\"\"b\"\"\"", "\"b\""), ("\"\"\"\"", "\""), ("\" a \"", " a "), ("5\" nails", "5\" nails"),
            ("\"a\"\"\"\"b\"", "a\"\"b"), ("\"a,\"\",b\"", "a,\",b"),
        ])
    func quoting(field: String, text: String) throws {
        let recording = try Self.read(
            "time,title,publisher\n60,\(field)" + (field.hasPrefix("5") ? "" : ",P"))
        let article = try #require(recording.news.first?.figures.first)
        #expect(article.title == text)
        #expect(article.publisher == (field.hasPrefix("5") ? nil : "P"))
    }

    @Test("contracts of one moment are one chain, in their order; what the source does not say is nil")
    func options() throws {
        let text = """
            time,symbol,underlying_price,contract,kind,strike,expires_on,bid,ask,last,volume,open_interest,\
            implied_volatility
            2025-01-02,A,99.5,C90,call,90,2025-01-03,9,10,9.5,7,0,0.25
            2025-01-03T12:00:00Z,A,,P90,PUT,90,2025-01-03,,,,,,
            2025-01-03T12:00:00Z,A,,C90,Call,90,2025-01-17,0,0,,0,0,1e-05
            """
        let series = try #require(try Self.read(text).optionChains.first)
        let third = Timestamp(milliseconds: 1_735_862_400_000)
        var before = OptionContract(symbol: "C90", kind: .call, strike: 90, expiresOn: third)
        before.bid = 9
        before.ask = 10
        before.last = 9.5
        before.volume = 7
        before.openInterest = 0
        before.impliedVolatility = 0.25
        let put = OptionContract(symbol: "P90", kind: .put, strike: 90, expiresOn: third)
        var call = OptionContract(
            symbol: "C90", kind: .call, strike: 90,
            expiresOn: Timestamp(milliseconds: third.milliseconds + 14 * Self.day))
        call.bid = 0
        call.ask = 0
        call.volume = 0
        call.openInterest = 0
        call.impliedVolatility = 1e-05
        #expect(
            series.figures == [
                OptionChain(observedAt: third, underlyingPrice: 99.5, contracts: [before]),
                OptionChain(
                    observedAt: Timestamp(milliseconds: Self.noon + Self.day), underlyingPrice: nil,
                    contracts: [put, call]),
            ])
    }

    @Test(
        "the header tells what a file holds; one that was read before is read as before",
        arguments: [
            ("time,period_end", .fundamentals), ("date,period_end,market_cap", .fundamentals),
            ("value,indicator,time", .macro), ("time,title", .news), ("time,title,close", .bars),
            ("time,contract,kind,strike,expires_on,last", .options), ("time,period_end,close", .bars),
            ("from,to,title,time", .news),
        ] as [(String, MarketCSV.Kind)])
    func kinds(header: String, kind: MarketCSV.Kind) throws {
        #expect(try MarketCSV(Array(header.utf8), file: "A.csv").kind == kind)
    }

    /// Header and good row of each kind; `good` is at noon of 2025-01-02.
    private static let fundamentalsHeader =
        "time,symbol,period_end,earnings_per_share,market_cap\n2025-01-02T12:00:00Z,A,2024-12-31,1,2\n"
    private static let macroHeader = "time,indicator,value\n2025-01-02,consumer_prices,300\n"
    private static let newsHeader =
        "time,symbol,title,url,symbols,sentiment\n2025-01-02T12:00:00Z,A,x,http://a.b,A,0\n"
    private static let optionsHeader =
        "time,symbol,underlying_price,contract,kind,strike,expires_on,bid,last,volume,implied_volatility\n"
        + "2025-01-02T12:00:00Z,A,9,c,call,9,2025-01-02,1,1,1,1\n"
    private static let headers = [fundamentalsHeader, macroHeader, newsHeader, optionsHeader]

    @Test(
        "a wrong row is left out with its line, column, value and what is allowed",
        arguments: [
            (fundamentalsHeader, "2025-01-02,,2024-12-31,1,2", "symbol", ""),
            (fundamentalsHeader, "2025-01-02T12:00:00Z,A,2024-12-31,1,2", "time", "2025-01-02T12:00:00Z"),
            (fundamentalsHeader, "2025-01-03,A,2025-01-04,1,2", "period_end", "2025-01-04"),
            (fundamentalsHeader, "2025-01-03,A,1735603200,1,2", "period_end", "1735603200"),
            (fundamentalsHeader, "2025-01-03,A,2024-12-31,,", "period_end", "2024-12-31"),
            (fundamentalsHeader, "2025-01-03,A,2024-12-31,nan,2", "earnings_per_share", "nan"),
            (fundamentalsHeader, "2025-01-03,A,2024-12-31,2e9,2", "earnings_per_share", "2e9"),
            (fundamentalsHeader, "2025-01-03,A,2024-12-31,1,-1", "market_cap", "-1"),
            (macroHeader, "2025-01-02,consumer_prices,300", "time", "2025-01-02"),
            (macroHeader, "2025-02-02,inflation,3", "indicator", "inflation"),
            (macroHeader, "2025-02-02,,3", "indicator", ""),
            (macroHeader, "2025-02-02,consumer_prices,0", "value", "0"),
            (macroHeader, "2025-02-02,consumer_prices,.", "value", "."),
            (macroHeader, "2025-02-02,unemployment,100.5", "value", "100.5"),
            (macroHeader, "2025-02-02,real_growth,-2000", "value", "-2000"),
            (macroHeader, "2025-02-02,interest_rate,2e6", "value", "2e6"),
            (newsHeader, "2025-01-02T11:59:59Z,A,y,,,", "time", "2025-01-02T11:59:59Z"),
            (newsHeader, "2025-01-02T12:00:00Z,A,x,,,", "time", "2025-01-02T12:00:00Z"),
            (newsHeader, "2025-01-03,A,,,,", "title", ""),
            (newsHeader, "2025-01-03,A,a\u{7}b,,,", "title", "a?b"),
            (newsHeader, "2025-01-03,A,y,ftp://a.b,,", "url", "ftp://a.b"),
            (newsHeader, "2025-01-03,A,y,http://a b,,", "url", "http://a b"),
            (newsHeader, "2025-01-03,A,y,,A (B),", "symbols", "A (B)"),
            (newsHeader, "2025-01-03,A,y,,,1.5", "sentiment", "1.5"),
            (optionsHeader, "2025-01-01,A,9,d,call,9,2025-01-03,1,1,1,1", "time", "2025-01-01"),
            (
                optionsHeader, "2025-01-02T12:00:00Z,A,9,c,call,9,2025-01-02,1,1,1,1", "time",
                "2025-01-02T12:00:00Z"
            ),
            (
                optionsHeader, "2025-01-02T12:00:00Z,A,8,d,call,9,2025-01-02,1,1,1,1", "underlying_price",
                "8"
            ),
            (optionsHeader, "2025-01-03,A,0,d,call,9,2025-02-01,1,1,1,1", "underlying_price", "0"),
            (optionsHeader, "2025-01-03,A,9,,call,9,2025-02-01,1,1,1,1", "contract", ""),
            (optionsHeader, "2025-01-03,A,9,d,straddle,9,2025-02-01,1,1,1,1", "kind", "straddle"),
            (optionsHeader, "2025-01-03,A,9,d,call,0,2025-02-01,1,1,1,1", "strike", "0"),
            (optionsHeader, "2025-01-03,A,9,d,call,9,2025-01-03,1,1,1,1", "expires_on", "2025-01-03"),
            (optionsHeader, "2025-01-03,A,9,d,call,9,1738368000,1,1,1,1", "expires_on", "1738368000"),
            (optionsHeader, "2025-01-03,A,9,d,call,9,2025-02-01,-1,1,1,1", "bid", "-1"),
            (optionsHeader, "2025-01-03,A,9,d,call,9,2025-02-01,1,0,1,1", "last", "0"),
            (optionsHeader, "2025-01-03,A,9,d,call,9,2025-02-01,1,1,1e16,1", "volume", "1e16"),
            (optionsHeader, "2025-01-03,A,9,d,call,9,2025-02-01,1,1,1,0", "implied_volatility", "0"),
        ])
    func rows(header: String, row: String, column: String, value: String) throws {
        let recording = try Self.read(header + row + "\n", file: "mine.csv")
        #expect(recording.refused.count == 1)
        let problem = try #require(recording.refused.first.first)
        #expect((problem.file, problem.line, problem.column, problem.value) == ("mine.csv", 3, column, value))
        #expect(!problem.allowed.isEmpty)
    }

    @Test("headlines, tickers, articles and contracts are bounded")
    func bounds() throws {
        let titles = [500, 501].map { String(repeating: "a", count: $0) }
        let tickers = [50, 51].map { Array(repeating: "A", count: $0).joined(separator: " ") }
        let news = try Self.read(
            "time,title,symbols\n60,\(titles[0]),\n61,\(titles[1]),\n62,b,\(tickers[0])\n63,c,\(tickers[1])\n"
        )
        #expect(news.refused.first.map(\.line) == [3, 5])
        #expect(news.news.first?.figures.map(\.symbols.count) == [0, 50])

        let articles = (0...MarketCSV.maxArticles).map { "\(60 + $0),x\n" }.joined()
        let many = try Self.read("time,title\n" + articles)
        #expect(many.news.first?.figures.count == MarketCSV.maxArticles)
        #expect(many.refused.first.map(\.column) == ["title"])

        let contracts = (0...MarketCSV.maxContracts).map { "60,\($0),put,9,2025-01-02\n" }.joined()
        let chain = try Self.read("time,contract,kind,strike,expires_on\n" + contracts)
        #expect(chain.optionChains.first?.figures.map(\.contracts.count) == [MarketCSV.maxContracts])
        #expect(chain.refused.first.map(\.column) == ["contract"])
    }

    @Test("mutilated files never trap", arguments: UInt64(1)...20)
    func mutilated(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            var bytes = Array(Self.headers[Int.random(in: 0..<Self.headers.count, using: &random)].utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : 0x22
            }
            do throws(CSVProblem) {
                let recording = try parseRecording([
                    ("A.csv", bytes), ("B.csv", Array("time,close\n60,1".utf8)),
                ])
                _ = try? ReplayMarket(recording, from: nil, speed: 1)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}
