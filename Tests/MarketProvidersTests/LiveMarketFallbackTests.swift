import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite("A live market asks one provider after another, many assets together")
struct LiveMarketFallbackTests {
    @Test("The first provider that answers is the last that is asked")
    func firstWins() async throws {
        let providers = LiveMarketProviders { provider, _ in
            provider == .kraken ? Live.quote(60_000) : nil
        }
        let answers = await Live.market(providers).quotes(of: [Live.bitcoin], at: Live.noon, covering: 60)
        #expect(try answers[0].result.get().map(\.price) == [60_000])
        #expect(await providers.asked == [.binance, .coinbaseExchange, .kraken])
    }

    @Test("Who needs no key is asked first, then those whose key is set; an empty key is none")
    func keysLast() async {
        let providers = LiveMarketProviders { _, _ in nil }
        let market = Live.market(providers, keys: [.finnhub: "k", .tiingo: "k", .polygon: ""])
        _ = await market.quotes(of: [Live.company], at: Live.noon, covering: 60)
        #expect(await providers.asked == [.yahoo, .finnhub])
        await providers.forget()
        _ = await market.bars(of: [Live.company], closedBy: Live.noon, limit: 31, unfinished: false)
        #expect(await providers.asked == [.yahoo, .stooq, .tiingo])
    }

    @Test("When all fail, one line names them all and their reasons")
    func allFail() async {
        let providers = LiveMarketProviders { provider, _ throws(MarketDataError) in
            throw MarketDataError(provider == .yahoo ? "yahoo: HTTP 500\r\nsee below" : "no answer in 5 s")
        }
        let answers = await Live.market(providers, keys: [.finnhub: "k"]).quotes(
            of: [Live.fund], at: Live.noon, covering: 60)
        #expect(
            throws: MarketDataError(
                "no provider has quotes of SPY: yahoo: HTTP 500 see below; finnhub: no answer in 5 s")
        ) { try answers[0].result.get() }
    }

    @Test("One asset's failure is in its own answer, and answers keep the order of the assets")
    func ownFailure() async throws {
        let providers = LiveMarketProviders { _, request in
            request.query.contains(["symbol", "ETHUSDT"]) ? Live.quote(4_000) : nil
        }
        let answers = await Live.market(providers).quotes(
            of: [Live.bitcoin, Live.ether], at: Live.noon, covering: 60)
        #expect(answers.map(\.asset) == [Live.bitcoin, Live.ether])
        #expect(throws: MarketDataError.self) { try answers[0].result.get() }
        #expect(try answers[1].result.get().count == 1)
    }

    @Test("No exchange shows an order book of a fund: the answer says so, and nobody is asked")
    func noBookOfFunds() async {
        let providers = LiveMarketProviders { _, _ in Live.book(1_000) }
        let answers = await Live.market(providers).depths(of: [Live.fund], at: Live.noon)
        #expect(throws: MarketDataError("no provider has an order book of SPY")) {
            try answers[0].result.get()
        }
        #expect(await providers.asked == [])
    }

    @Test("Where all providers answer that they have nothing, that is no error; one failure among them is")
    func nothing() async throws {
        let providers = LiveMarketProviders { _, _ in [Bar]() }
        var answers = await Live.market(providers).bars(
            of: [Live.company], closedBy: Live.noon, limit: 31, unfinished: false)
        #expect(try answers[0].result.get() == [])
        await providers.answer { provider, _ in provider == .yahoo ? [Bar]() : nil }
        answers = await Live.market(providers).bars(
            of: [Live.company], closedBy: Live.noon, limit: 31, unfinished: false)
        #expect(
            throws: MarketDataError("no provider has daily bars of AAPL: yahoo: has none; stooq: down")
        ) { try answers[0].result.get() }
    }

    @Test("One slow answer holds no other back")
    func slow() async throws {
        let providers = LiveMarketProviders { _, _ in Live.quote(60_000) }
        await providers.hold { $0.query.contains(["symbol", "BTCUSDT"]) }
        let assets =
            [Live.bitcoin]
            + (0..<20).map { Asset(symbol: "A\($0)", assetType: .crypto, market: .crypto) }
        let market = Live.market(providers)
        async let answers = market.quotes(of: assets, at: Live.noon, covering: 60)
        // All but Bitcoin's, which was asked for first.
        await providers.untilAnswered(20)
        await providers.letGo()
        #expect(await answers.allSatisfy { (try? $0.result.get().count) == 1 })
    }

    @Test("At most eight assets are asked about at a time")
    func bound() async {
        let providers = LiveMarketProviders { _, _ in Live.quote(60_000) }
        await providers.hold { _ in true }
        let assets = (0..<30).map { Asset(symbol: "A\($0)", assetType: .crypto, market: .crypto) }
        let market = Live.market(providers)
        async let answers = market.quotes(of: assets, at: Live.noon, covering: 60)
        await providers.untilRunning(8)
        await providers.letGo()
        #expect(await answers.count == 30)
        #expect(await providers.mostRunning == 8)
    }

    @Test("Elements that are transformed together keep their order", arguments: [0, 1, 7, 8, 9, 100])
    func order(count: Int) async {
        let doubled = await ConcurrentMap.map(Array(0..<count)) { $0 * 2 }
        #expect(doubled == (0..<count).map { $0 * 2 })
    }

    @Test("When who asked has gone, the providers that are left are not asked")
    func cancelled() async {
        let providers = LiveMarketProviders { _, _ in nil }
        await providers.hold { _ in true }
        let market = Live.market(providers)
        let task = Task { await market.quotes(of: [Live.bitcoin], at: Live.noon, covering: 60) }
        await providers.untilRunning(1)
        task.cancel()
        await providers.letGo()
        _ = await task.value
        #expect(await providers.asked == [.binance])
    }

    /// What was asked for is from how many seconds before the moment at the first two exchanges, and which
    /// of them counts.
    static let ages: [(Int64, Int64, ProviderName)] = [
        // A quote is asked for each 30 s, and stale after 150.
        (150, 0, .binance), (151, 150, .coinbaseExchange), (300, 200, .coinbaseExchange),
        (200, 300, .binance),
    ]

    @Test(
        "A stale quote is passed over for a younger one; where all are stale, the youngest counts",
        arguments: ages)
    func staleQuote(first: Int64, second: Int64, expected: ProviderName) async throws {
        let providers = LiveMarketProviders { provider, _ in
            switch provider {
            case .binance: Live.quote(1, at: Live.after(-first))
            case .coinbaseExchange: Live.quote(2, at: Live.after(-second))
            default: nil
            }
        }
        let answers = await Live.market(providers).quotes(of: [Live.bitcoin], at: Live.noon, covering: 60)
        #expect(try answers[0].result.get().map(\.price) == [expected == .binance ? 1 : 2])
    }

    @Test("Stale daily bars are passed over for younger ones; where all are stale, they still answer")
    func staleBars() async throws {
        let providers = LiveMarketProviders { provider, _ in
            Live.bars(40, upTo: Live.after((provider == .kraken ? -5 : -20) * 86_400))
        }
        var answers = await Live.market(providers).bars(
            of: [Live.bitcoin], closedBy: Live.noon, limit: 1, unfinished: false)
        let midnight = Live.noon.milliseconds - 43_200_000
        #expect(
            try answers[0].result.get().map(\.opensAt.milliseconds) == [midnight - 5 * 86_400_000])
        #expect(await providers.asked == [.binance, .coinbaseExchange, .kraken])
        await providers.answer { _, _ in Live.bars(40, upTo: Live.after(-20 * 86_400)) }
        answers = await Live.market(providers).bars(
            of: [Live.ether], closedBy: Live.noon, limit: 1, unfinished: false)
        #expect(
            try answers[0].result.get().map(\.opensAt.milliseconds) == [midnight - 20 * 86_400_000])
    }

    @Test("A stale order book is passed over")
    func staleBook() async throws {
        let providers = LiveMarketProviders { provider, _ in
            Live.book(1_000, at: Live.after(provider == .kraken ? -900 : -901))
        }
        let answers = await Live.market(providers).depths(of: [Live.bitcoin], at: Live.noon)
        #expect(try answers[0].result.get()?.observedAt == Live.after(-900))
    }

    @Test("A quote from the future is refused, and the next provider asked", arguments: [60, 61])
    func future(ahead: Int64) async throws {
        let providers = LiveMarketProviders { provider, _ in
            provider == .binance ? Live.quote(1, at: Live.after(ahead)) : Live.quote(2)
        }
        let answers = await Live.market(providers).quotes(of: [Live.bitcoin], at: Live.noon, covering: 60)
        // A minute is what clocks may differ.
        #expect(try answers[0].result.get().map(\.price) == [ahead == 60 ? 1 : 2])
    }
}
