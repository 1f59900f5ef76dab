import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite("A live market answers each need of the watchdogs and of the workers")
struct LiveMarketNeedsTests {
    private static func rate(_ exchange: String, at moment: Timestamp = Live.noon) -> FundingRate {
        FundingRate(exchange: exchange, rate: 0.001, knownAt: moment, intervalSeconds: 28_800)
    }

    @Test("All exchanges are asked for funding rates; one that does not answer is left out")
    func fundingRates() async throws {
        let providers = LiveMarketProviders { provider, _ in
            provider == .bybit ? nil : Self.rate(provider == .okx ? "okx" : "binance")
        }
        let answers = await Live.market(providers).fundingRates(of: [Live.bitcoin], at: Live.noon)
        #expect(try answers[0].result.get().map(\.exchange) == ["binance", "okx"])
        #expect(Set(await providers.asked) == [.binanceFutures, .bybit, .okx])
    }

    @Test("A funding rate from the future is left out; where none is left, the answer says why")
    func noFundingRates() async {
        let providers = LiveMarketProviders { provider, _ in
            provider == .okx ? Self.rate("okx", at: Live.after(3_600)) : nil
        }
        let market = Live.market(providers)
        let answers = await market.fundingRates(of: [Live.bitcoin, Live.fund], at: Live.noon)
        #expect(
            throws: MarketDataError(
                "no provider has a funding rate of BTC: binance_futures: down; bybit: down; "
                    + "okx: the figure is from the future: 2025-10-11T13:00:00.000Z")
        ) { try answers[0].result.get() }
        #expect(throws: MarketDataError("no provider has a funding rate of SPY")) {
            try answers[1].result.get()
        }
    }

    @Test("Of earnings the newest report counts that is known at the moment")
    func earnings() async throws {
        let quarters = [(0, 0), (90, 110), (180, nil), (270, nil)].map { end, reported -> EarningsReport in
            let start = Live.noon.milliseconds - 200 * 86_400_000
            return EarningsReport(
                quarterEnd: Timestamp(milliseconds: start + Int64(end) * 86_400_000),
                reportedAt: reported.map { Timestamp(milliseconds: start + Int64($0) * 86_400_000) },
                actualEPS: Double(end), estimatedEPS: 1)
        }
        let providers = LiveMarketProviders { provider, _ in provider == .yahoo ? quarters : nil }
        let market = Live.market(providers, keys: [.finnhub: "k"])
        let answers = await market.earnings(of: [Live.company, Live.bitcoin], at: Live.noon)
        #expect(try answers[0].result.get()?.actualEPS == 180)
        #expect(await providers.asked == [.yahoo])
        #expect(throws: MarketDataError("no provider has earnings of BTC")) { try answers[1].result.get() }

        // Once the providers' day is used up, what they said holds for a day.
        await providers.answer { _, _ in nil }
        let later = await market.earnings(of: [Live.company], at: Live.after(86_400))
        #expect(try later[0].result.get()?.actualEPS == 180)
        let tooLate = await market.earnings(of: [Live.company], at: Live.after(86_401))
        #expect(throws: MarketDataError.self) { try tooLate[0].result.get() }
    }

    @Test("Transfers of what is on no chain are an error; who cannot be priced is not read")
    func transfers() async {
        let providers = LiveMarketProviders { _, _ in nil }
        let answers = await Live.market(providers).transfers(
            of: [Live.fund, Live.bitcoin], at: Live.noon, within: 600, minUSD: 1_000_000)
        for answer in answers {
            #expect(throws: MarketDataError.self) { try answer.result.get() }
        }
    }

    @Test("Transfers are valued at the newest quote, which is not asked for again while it is fresh")
    func transferPrice() async {
        let providers = LiveMarketProviders { _, request in
            request.path.contains("ticker") ? Live.quote(60_000) : nil
        }
        let market = Live.market(providers)
        for seconds in [Int64(0), 120] {
            _ = await market.transfers(
                of: [Live.bitcoin], at: Live.after(seconds), within: 600, minUSD: 1_000_000)
        }
        #expect(await providers.asked.count { $0 == .binance } == 1)
        #expect(await providers.asked.contains(.blockchainInfo))
    }

    @Test("Figures of companies, economies, news and options come from the first that has any")
    func workers() async throws {
        var known = Fundamentals()
        known.priceToEarnings = 30
        let figures = known
        let article = NewsArticle(
            title: "t", summary: nil, publisher: nil, url: nil, publishedAt: Live.noon, symbols: [])
        let chain = OptionChain(
            observedAt: Live.noon, underlyingPrice: nil,
            contracts: [.init(symbol: "o", kind: .call, strike: 1, expiresOn: Live.noon)])
        let providers = LiveMarketProviders { provider, request in
            switch provider {
            case .sec: Fundamentals()
            case .fmp: figures
            case .yahoo where request.path.contains("search"): [NewsArticle]()
            case .finnhub: [article, article, article]
            case .alphaVantage where request.query.contains(["function", "UNEMPLOYMENT"]):
                [MacroObservation(period: Live.noon, value: 4)]
            case .cboe: chain
            default: nil
            }
        }
        let keys: [ProviderName: String] = [.fmp: "k", .finnhub: "k", .fred: "k", .alphaVantage: "k"]
        let market = Live.market(providers, keys: keys)
        #expect(try await market.fundamentals(of: Live.company) == figures)
        #expect(try await market.news(about: Live.company, limit: 2) == [article, article])
        #expect(try await market.observations(of: .unemployment).map(\.value) == [4])
        #expect(try await market.optionChain(of: Live.company) == chain)
    }

    @Test("Without a key the figures of an economy say that they need one")
    func macroWithoutKey() async {
        let market = Live.market(LiveMarketProviders { _, _ in nil })
        await #expect(throws: MarketDataError("unemployment needs a key of FRED or of Alpha Vantage")) {
            try await market.observations(of: .unemployment)
        }
    }

    @Test("The real time is told at once, and ends with the task that reads it")
    func moments() async throws {
        let market = Live.market(LiveMarketProviders { _, _ in nil })
        var moments = market.moments().makeAsyncIterator()
        let first = try #require(await moments.next())
        #expect(first.lap == 0)
        #expect(first.time > Live.noon)
        let task = Task { () -> Bool in
            for await _ in market.moments() where Task.isCancelled { return false }
            return true
        }
        task.cancel()
        #expect(await task.value)
    }

    @Test("A market's time only grows, when the clock is set back too")
    func timeGrows() {
        #expect(LiveClock.later(Live.noon, than: nil) == Live.noon)
        #expect(LiveClock.later(Live.after(1), than: Live.noon) == Live.after(1))
        #expect(LiveClock.later(Live.after(-3_600), than: Live.noon) == Live.after(1))
    }
}
