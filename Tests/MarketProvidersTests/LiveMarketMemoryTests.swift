import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite("A live market asks no more than it must, and remembers what providers cannot give again")
struct LiveMarketMemoryTests {
    private func bars(_ market: LiveMarket, at moment: Timestamp = Live.noon, limit: Int = 31) async throws
        -> [Bar]
    {
        let answers = await market.bars(of: [Live.bitcoin], closedBy: moment, limit: limit, unfinished: false)
        return try #require(answers.first).result.get()
    }

    private func depth(_ market: LiveMarket, at moment: Timestamp) async throws -> MarketDepth? {
        try #require(await market.depths(of: [Live.bitcoin], at: moment).first).result.get()
    }

    // MARK: Bars

    @Test("Daily bars are asked for once a minute, for every need together")
    func barsOnceAMinute() async throws {
        let providers = LiveMarketProviders { _, _ in Live.bars(200) }
        let market = Live.market(providers)
        // The last of the 200 has begun and is not over.
        #expect(try await bars(market).map(\.volume).first == 200 - 31)
        #expect(try await bars(market, at: Live.after(59), limit: 129).count == 129)
        #expect(await providers.asked == [.binance])
        _ = try await bars(market, at: Live.after(60))
        #expect(await providers.asked == [.binance, .binance])
    }

    @Test("Two checks that want the same bars at once share one question")
    func barsShared() async throws {
        let providers = LiveMarketProviders { _, _ in Live.bars(200) }
        await providers.hold { _ in true }
        let market = Live.market(providers)
        async let first = bars(market)
        async let second = bars(market, limit: 91)
        await providers.untilRunning(1)
        await providers.letGo()
        let counts = try await [first.count, second.count]
        #expect(counts == [31, 91])
        #expect(await providers.asked == [.binance])
    }

    @Test("The bar that is not over comes only where it is asked for")
    func unfinished() async throws {
        let providers = LiveMarketProviders { _, _ in Live.bars(40) }
        let market = Live.market(providers)
        for (unfinished, expected) in [(false, [38.0, 39]), (true, [38, 39, 40])] {
            let answers = await market.bars(
                of: [Live.bitcoin], closedBy: Live.noon, limit: 2, unfinished: unfinished)
            #expect(try answers[0].result.get().compactMap(\.volume) == expected)
        }
    }

    @Test("While providers are down bars come from memory, until they are too old for the watchdogs")
    func barsFromMemory() async throws {
        let providers = LiveMarketProviders { _, _ in Live.bars(40) }
        let market = Live.market(providers)
        _ = try await bars(market)
        await providers.answer { _, _ in nil }
        #expect(try await bars(market, at: Live.after(4 * 86_400)).count == 31)
        // The last bar was over 12 hours after noon; five intervals later it is stale.
        await #expect(throws: MarketDataError.self) { try await bars(market, at: Live.after(6 * 86_400)) }
    }

    @Test("A question for bars that failed is asked again by the next try, at the same moment too")
    func barsTriedAgain() async throws {
        let providers = LiveMarketProviders { _, _ in nil }
        let market = Live.market(providers)
        await #expect(throws: MarketDataError.self) { try await bars(market) }
        await providers.answer { _, _ in Live.bars(40) }
        #expect(try await bars(market).count == 31)
    }

    @Test("A check that is cancelled does not wait for bars; who else waits for them gets them")
    func barsCancelled() async throws {
        let providers = LiveMarketProviders { _, _ in Live.bars(40) }
        await providers.hold { _ in true }
        let market = Live.market(providers)
        let cancelled = Task { try await bars(market) }
        await providers.untilRunning(1)
        async let other = bars(market)
        cancelled.cancel()
        await #expect(throws: MarketDataError("the check was cancelled")) { try await cancelled.value }
        await providers.letGo()
        #expect(try await other.count == 31)
        #expect(await providers.asked == [.binance])
    }

    @Test("Bars whose figures cannot be are refused as a whole, and the next provider asked")
    func barsRefused() async throws {
        let providers = LiveMarketProviders { provider, _ in
            var bars = Live.bars(40)
            if provider == .binance { bars.swapAt(3, 4) }
            if provider == .coinbaseExchange { bars[7].close = .nan }
            if provider == .kraken { bars[8].volume = -1 }
            return bars
        }
        #expect(try await bars(Live.market(providers)).count == 31)
        #expect(await providers.asked == [.binance, .coinbaseExchange, .kraken, .okx])
    }

    @Test("Bars that begin in the future are left out")
    func barsOfTheFuture() async throws {
        let providers = LiveMarketProviders { _, _ in Live.bars(40, upTo: Live.after(3 * 86_400)) }
        let market = Live.market(providers)
        #expect(try await bars(market).last?.closesAt == Timestamp(milliseconds: 1_760_140_800_000))
    }

    // MARK: Quotes

    @Test("Quotes are asked for in each call, and those of earlier calls come with the newest")
    func quotes() async throws {
        let providers = LiveMarketProviders { _, _ in Live.quote(100, at: Live.noon) }
        let market = Live.market(providers)
        for step in Int64(1)...4 {
            await providers.answer { _, _ in Live.quote(100 + Double(step), at: Live.after(step * 30)) }
            _ = await market.quotes(of: [Live.bitcoin], at: Live.after(step * 30), covering: 60)
        }
        let answers = await market.quotes(of: [Live.bitcoin], at: Live.after(121), covering: 60)
        let quotes = try answers[0].result.get()
        #expect(quotes.map(\.price) == [102, 103, 104])
        // The provider has a new one each second; here they come each 30.
        #expect(quotes.map(\.intervalSeconds) == [30, 30, 30])
        #expect(await providers.asked.count == 5)
    }

    @Test("Each provider's quotes are its own: where another stands in, no movement is read from the change")
    func quotesOfAnother() async throws {
        let providers = LiveMarketProviders { _, _ in Live.quote(100) }
        let market = Live.market(providers)
        let steps: [(ProviderName, Double, [Double])] = [
            (.binance, 100, [100]), (.coinbaseExchange, 90, [90]), (.binance, 101, [100, 101]),
            (.coinbaseExchange, 91, [90, 91]),
        ]
        for (step, (who, price, expected)) in steps.enumerated() {
            let moment = Live.after(Int64(step) * 30)
            await providers.answer { provider, _ in provider == who ? Live.quote(price, at: moment) : nil }
            let answers = await market.quotes(of: [Live.bitcoin], at: moment, covering: 3_600)
            #expect(try answers[0].result.get().map(\.price) == expected)
        }
    }

    @Test("While providers are down the last quote answers, until it is stale")
    func quotesFromMemory() async throws {
        let providers = LiveMarketProviders { _, _ in Live.quote(100) }
        let market = Live.market(providers)
        _ = await market.quotes(of: [Live.bitcoin], at: Live.noon, covering: 60)
        await providers.answer { _, _ in nil }
        let young = await market.quotes(of: [Live.bitcoin], at: Live.after(150), covering: 60)
        #expect(try young[0].result.get().count == 1)
        let old = await market.quotes(of: [Live.bitcoin], at: Live.after(151), covering: 60)
        #expect(throws: MarketDataError.self) { try old[0].result.get() }
    }

    @Test("A price of a market that is closed keeps its time")
    func closedMarket() async throws {
        let friday = Live.after(-60_000)
        let providers = LiveMarketProviders { _, _ in Live.quote(500, at: friday, every: 60) }
        let market = Live.market(providers)
        for seconds in [Int64(0), 30, 60] {
            let answers = await market.quotes(of: [Live.fund], at: Live.after(seconds), covering: 60)
            #expect(try answers[0].result.get() == [Live.quote(500, at: friday, every: 60)])
        }
    }

    // MARK: Depth

    @Test("The mean depth is of the earlier snapshots, the new one not among them")
    func depthMean() async throws {
        let providers = LiveMarketProviders { _, _ in Live.book(1_000) }
        let market = Live.market(providers)
        #expect(try await depth(market, at: Live.noon)?.meanUSD == nil)
        for (step, usd) in [(Int64(1), 3_000.0), (2, 8_000)] {
            await providers.answer { _, _ in Live.book(usd, at: Live.after(step * 180)) }
            _ = try await depth(market, at: Live.after(step * 180))
        }
        // The same book once more changes nothing.
        let third = try #require(try await depth(market, at: Live.after(370)))
        #expect(abs(third.depthUSD - 8_000) < 1e-6)
        #expect(abs(try #require(third.meanUSD) - 2_000) < 1e-6)
        #expect(third.snapshots == 2)
        #expect(third.intervalSeconds == 180)
    }

    @Test("An exchange that stands in is compared with its own depths, not with those of another")
    func depthOfAnother() async throws {
        let providers = LiveMarketProviders { _, _ in Live.book(1_000_000) }
        let market = Live.market(providers)
        _ = try await depth(market, at: Live.noon)
        await providers.answer { provider, _ in
            provider == .coinbaseExchange ? nil : Live.book(50_000, at: Live.after(180))
        }
        let standIn = try await depth(market, at: Live.after(180))
        #expect(standIn?.snapshots == 0)
        #expect(standIn?.meanUSD == nil)
    }

    @Test("A book without a side is refused; the next exchange is asked")
    func oneSidedBook() async throws {
        let providers = LiveMarketProviders { provider, _ in
            var book = Live.book(1_000)
            if provider == .coinbaseExchange { book.asks = [] }
            return book
        }
        #expect(try await depth(Live.market(providers), at: Live.noon) != nil)
        #expect(await providers.asked == [.coinbaseExchange, .binance])
    }

    /// A book of so many bids and asks, the last of them so many percent from the middle.
    private static func book(bids: Int, asks: Int, reach: Double) -> OrderBook {
        func side(_ count: Int, _ sign: Double) -> [OrderBook.Level] {
            (1...count).map {
                .init(price: 100 * (1 + sign * reach / 100 * Double($0) / Double(count)), amount: 1)
            }
        }
        return OrderBook(observedAt: Live.noon, bids: side(bids, -1), asks: side(asks, 1))
    }

    /// Kraken tells 500 levels.
    @Test(
        "A book that was cut off within the measured depth is refused, one that reaches or is whole is not",
        arguments: [
            (500, 500, 1.1, true), (499, 499, 0.5, true), (8, 8, 0.8, true), (500, 499, 0.5, false),
            (499, 500, 0.5, false), (500, 500, 0.99, false),
        ])
    func cutBook(bids: Int, asks: Int, reach: Double, isUsed: Bool) async throws {
        let providers = LiveMarketProviders { provider, _ in
            provider == .kraken ? Self.book(bids: bids, asks: asks, reach: reach) : nil
        }
        let answer = await Live.market(providers).depths(of: [Live.bitcoin], at: Live.noon)[0]
        guard !isUsed else {
            #expect(try answer.result.get() != nil)
            return
        }
        #expect(
            throws: MarketDataError(
                "no provider has an order book of BTC: coinbase_exchange: down; binance: down; kraken: the "
                    + "500 levels of its order book end within 1.0 % of the middle; okx: down; bybit: down")
        ) { try answer.result.get() }
    }

    @Test("Each exchange's book counts as cut at no more levels than are asked of it")
    func bookLevels() throws {
        for endpoint in ProviderOrder(keys: [:]).orderBook(of: Live.bitcoin) {
            let levels = try #require(ProviderOrder.bookLevels[endpoint.provider])
            // Coinbase tells all.
            guard endpoint.provider != .coinbaseExchange else { continue }
            let asked = endpoint.request.query.compactMap { Int($0[1]) }.max()
            #expect(try #require(asked) >= levels)
        }
    }

    @Test("While exchanges are down the last depth answers, until it is stale")
    func depthFromMemory() async throws {
        let providers = LiveMarketProviders { _, _ in Live.book(1_000) }
        let market = Live.market(providers)
        let seen = try await depth(market, at: Live.noon)
        await providers.answer { _, _ in nil }
        #expect(try await depth(market, at: Live.after(900)) == seen)
        await #expect(throws: MarketDataError.self) { try await depth(market, at: Live.after(901)) }
    }
}
