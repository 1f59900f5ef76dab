import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite(
    "Recorded answers of exchanges and chains read as what was computed from them elsewhere",
    .enabled(if: CryptoRecordings.areThere, CryptoRecordings.absence))
struct RecordedCryptoTests {
    static func crypto(_ symbol: String, _ pair: String? = nil) -> Asset {
        Asset(symbol: symbol, assetType: .crypto, pair: pair)
    }

    static func read<Figures>(_ endpoint: Endpoint<Figures>?, _ name: String) throws -> Figures {
        let decoded = try #require(endpoint).decode(try CryptoRecordings.body(name))
        #expect(decoded.refused.count == 0, "\(decoded.refused.reasons)")
        return decoded.figures
    }

    @Test("Binance: two days' klines, oldest first")
    func binanceBars() throws {
        let bars = try Self.read(
            Binance.bars(of: Self.crypto("ADA", "ADABTC"), every: .minute, limit: 1_000),
            "binance/klines_ADABTC_1m.json")
        #expect(bars.count == 21)
        #expect(bars.first?.opensAt.milliseconds == 1_637_971_200_000)
        #expect(bars.last?.opensAt.milliseconds == 1_638_058_200_000)
        #expect(bars.first?.close == 0.00002854)
        #expect(agree(bars.reduce(0) { $0 + ($1.volume ?? 0) }, "620206.4"))
    }

    @Test("Kraken: twelve hours of minutes, most without a trade")
    func krakenBars() throws {
        let bars = try Self.read(
            Kraken.bars(of: Self.crypto("BTC", "BTCUSDT"), every: .minute, limit: 1_000),
            "kraken/OHLC_XBTUSDT_1.json")
        #expect(bars.count == 721)
        #expect(bars.last?.opensAt.milliseconds == 1_762_820_220_000)
        #expect(agree(bars.reduce(0) { $0 + ($1.volume ?? 0) }, "137.57368379"))
        #expect(agree(bars.reduce(0) { $0 + $1.close }, "76258353.7"))
    }

    @Test("Coinbase, Bybit and OKX list the newest first, which comes last here")
    func newestFirst() throws {
        let coinbase = try Self.read(
            CoinbaseExchange.bars(of: Self.crypto("BTC"), every: .minute, limit: 300),
            "coinbase-exchange/candles_BTC-USD_60.json")
        #expect(coinbase.count == 10)
        #expect(coinbase.last?.opensAt.milliseconds == 1_517_443_740_000)
        #expect(coinbase.last?.open == 10_106.01)
        #expect(coinbase.last?.high == 10_120.21)
        #expect(agree(coinbase.reduce(0) { $0 + ($1.volume ?? 0) }, "53.24348675"))
        let bybit = try Self.read(
            Bybit.bars(of: Self.crypto("BTC"), every: .minute, limit: 9), "bybit/kline_BTCUSDT.json")
        #expect(bybit.map(\.close) == [27_455])
        #expect(bybit.map(\.volume) == [123.45])
        let okx = try Self.read(
            OKX.bars(of: Self.crypto("BTC"), every: .minute, limit: 9), "okx/candles.json")
        #expect(okx.map(\.close) == [102_806.1, 102_820.4])
    }

    @Test("Quotes")
    func quotes() throws {
        let btc = Self.crypto("BTC")
        let binance = try Self.read(Binance.quote(of: btc), "binance/ticker_24hr_BTCUSDT.json")
        #expect(binance.price == 47_174.97)
        #expect(binance.observedAt.milliseconds == 1_639_734_042_763)
        let bybit = try Self.read(Bybit.quote(of: btc), "bybit/tickers_spot_BTCUSDT.json")
        #expect(bybit.price == 20_533.13)
        #expect(bybit.observedAt.milliseconds == 1_673_859_087_947)
        let coinbase = try Self.read(
            CoinbaseExchange.quote(of: btc), "coinbase-exchange/ticker_BTC-USD.json")
        #expect(coinbase.price == 246.28)
        #expect(coinbase.observedAt.rfc3339 == "2015-04-08T20:49:06.506Z")
        #expect(
            try Self.read(Kraken.quote(of: Self.crypto("BTC", "BTCUSDT")), "kraken/Ticker_XBTUSDT.json").price
                == 105_899.4)
    }

    @Test(
        "Order books have the depth that was computed",
        arguments: [
            ("binance/depth_NKNUSDT_1000.json", Binance.orderBook(of: crypto("NKN"))),
            // The futures' book has the spot market's shape.
            ("binance-futures/depth_SUSHIUSDT_1000.json", Binance.orderBook(of: crypto("SUSHI"))),
            ("bybit/orderbook_BTCUSDT.json", Bybit.orderBook(of: crypto("BTC"))),
            ("kraken/Depth_XBTUSDT_5.json", Kraken.orderBook(of: crypto("BTC", "BTCUSDT"))),
            ("okx/books.json", OKX.orderBook(of: crypto("BTC"))),
        ])
    func depth(name: String, endpoint: Endpoint<OrderBook>?) throws {
        let book = try Self.read(endpoint, name)
        let truth = try #require(
            try CryptoRecordings.truth("order_book_depth", about: "provider-responses/\(name)").first)
        #expect("\(book.bids.count)" == truth[0])
        #expect("\(book.asks.count)" == truth[1])
        #expect(agree(book.bids.first?.price, truth[2]))
        #expect(agree(book.asks.first?.price, truth[3]))
        for (percent, expected) in [(1.0, truth[6]), (2, truth[7]), (5, truth[8])] {
            #expect(agree(book.depth(withinPercent: percent), expected))
        }
    }

    @Test("Binance's funding: just the five that were computed are beyond 0.1 % among all 379")
    func premiumIndex() throws {
        let name = "binance-futures/premiumIndex_all.json"
        let body = try CryptoRecordings.body(name)
        let truth = try CryptoRecordings.truth("funding_rate", about: "provider-responses/\(name)")
        #expect(truth.count == 5)
        var beyond: [String: Double] = [:]
        let futures = try #require(try JSONValue.parse(body).elements)
        #expect(futures.count == 379)
        for future in futures {
            guard let symbol = future["symbol"]?.text, symbol.hasSuffix("USDT"),
                let endpoint = BinanceFutures.fundingRate(of: Self.crypto(String(symbol.dropLast(4))))
            else { continue }
            let rate = try endpoint.decode(future.json).figures
            if abs(rate.rate) > 0.001 { beyond[symbol] = rate.rate }
        }
        #expect(Set(beyond.keys) == Set(truth.map { $0[0] }))
        for row in truth {
            #expect(agree(beyond[row[0]], row[1]))
            // Out of the answer with all futures too.
            let asset = Self.crypto(String(row[0].dropLast(4)))
            let rate = try #require(BinanceFutures.fundingRate(of: asset)).decode(body).figures
            #expect(agree(rate.rate, row[1]))
            #expect(rate.knownAt.milliseconds == 1_732_715_655_000)
        }
    }

    @Test("Bybit's inverse future has a rate that is read as the others' are")
    func inverseFunding() throws {
        let inverse = try Bybit.fundingRate(
            in: try CryptoRecordings.body("bybit/tickers_inverse_BTCUSD.json"), of: "BTCUSD")
        #expect(inverse.figures.rate == -0.001034)
        #expect(inverse.figures.knownAt.milliseconds == 1_672_376_496_682)
    }

    @Test("Transactions have the amounts, times and values that were computed")
    func transactions() throws {
        let hash = "0000000000000000000efcea1cc1a169955e9cf6f039ddeabfdd1da1ac6d9899"
        let time = Timestamp(milliseconds: 1_573_858_343_000)
        let header = BlockHeader(hash: hash, previous: hash, time: time, transactionCount: 10)
        let block = try Self.read(BlockchainInfo.block(hash), "blockchain-info/rawblock_603966.json")
        #expect(
            block.header.previous == "0000000000000000000ee40dc80e8ddd28d6389ba8dd59bb147b48d8f7a87f13")
        let large = block.transactions[1]
        #expect(large.from == "17A16QmavnUfCW11DAApiJxp7ARnxN5pGX")
        // Most of it goes back to who paid.
        #expect(large.to == "3Hrzz6z4ukbRhrheDrUyEHCBHZdYk2pixT")
        let esplora = try Self.read(
            Esplora.transactions(of: header, from: 0), "esplora/block_603966_txs.json")
        #expect(esplora == block.transactions)
        let sources = [
            ("blockchain-info/rawblock_603966.json", block.transactions),
            ("esplora/block_603966_txs.json", esplora),
            (
                "esplora/mempool_transactions.json",
                try Esplora.transactions(
                    in: try CryptoRecordings.body("esplora/mempool_transactions.json"), observedAt: time
                ).figures
            ),
        ]
        for (name, transactions) in sources {
            let truth = try CryptoRecordings.truth("whale_movement", about: "provider-responses/\(name)")
            #expect(transactions.map(\.hash) == truth.map { $0[0] })
            for (transaction, row) in zip(transactions, truth) {
                #expect(agree(transaction.amount, row[2]))
                #expect(agree(transaction.amount * (Double(row[3]) ?? 0), row[4]) || row[4] == "0.0")
                if name.contains("mempool") { continue }
                #expect("\(transaction.observedAt.milliseconds / 1_000)" == row[6])
            }
        }
    }

    @Test("Whale Alert: 24 transactions, just those beyond a million that were computed")
    func whales() throws {
        let name = "whale-alert/transactions_2019-06-18.json"
        let transfers = try Self.read(
            WhaleAlert.transactions(
                since: Timestamp(milliseconds: 1_560_836_902_000), minUSD: 500_000, key: "KEY"), name)
        let truth = try CryptoRecordings.truth("whale_movement", about: "provider-responses/\(name)")
        #expect(transfers.count == 24)
        let byHash = Dictionary(uniqueKeysWithValues: transfers.map { ($0.hash, $0) })
        for row in truth {
            let transfer = try #require(byHash[row[0]])
            #expect(agree(transfer.amount, row[2]))
            #expect(agree(transfer.usdValue, row[4]))
            #expect((transfer.usdValue > 1_000_000) == (row[5] == "1"))
            #expect("\(transfer.observedAt.milliseconds / 1_000)" == row[6])
        }
    }

    /// Each with what of its query is not as it was recorded: how much is asked for, or from when on.
    static let requests: [(String, ProviderRequest?, Set<String>)] = [
        (
            "binance/klines_ADABTC_1m.json",
            Binance.bars(of: crypto("ADA", "ADABTC"), every: .minute, limit: 9)?.request, []
        ),
        ("binance/ticker_24hr_BTCUSDT.json", Binance.quote(of: crypto("BTC"))?.request, []),
        ("binance/depth_NKNUSDT_1000.json", Binance.orderBook(of: crypto("NKN"))?.request, ["limit"]),
        (
            "binance-futures/premiumIndex_all.json", BinanceFutures.fundingRate(of: crypto("BTC"))?.request,
            []
        ),
        ("bybit/kline_BTCUSDT.json", Bybit.bars(of: crypto("BTC"), every: .minute, limit: 9)?.request, []),
        ("bybit/orderbook_BTCUSDT.json", Bybit.orderBook(of: crypto("BTC"))?.request, []),
        ("bybit/tickers_spot_BTCUSDT.json", Bybit.quote(of: crypto("BTC"))?.request, []),
        // That was a future; bars are those of the spot market.
        ("okx/candles.json", OKX.bars(of: crypto("BTC"), every: .minute, limit: 9)?.request, ["instId"]),
        ("okx/books.json", OKX.orderBook(of: crypto("BTC"))?.request, []),
        (
            "coinbase-exchange/candles_BTC-USD_60.json",
            CoinbaseExchange.bars(of: crypto("BTC"), every: .minute, limit: 9)?.request, []
        ),
        ("coinbase-exchange/ticker_BTC-USD.json", CoinbaseExchange.quote(of: crypto("BTC"))?.request, []),
        (
            "kraken/OHLC_XBTUSDT_1.json",
            Kraken.bars(of: crypto("BTC", "BTCUSDT"), every: .minute, limit: 9)?.request, []
        ),
        ("kraken/Ticker_XBTUSDT.json", Kraken.quote(of: crypto("BTC", "BTCUSDT"))?.request, []),
        ("kraken/Depth_XBTUSDT_5.json", Kraken.orderBook(of: crypto("BTC", "BTCUSDT"))?.request, ["count"]),
        (
            "blockchain-info/rawblock_603966.json",
            BlockchainInfo.block("0000000000000000000efcea1cc1a169955e9cf6f039ddeabfdd1da1ac6d9899")?.request,
            []
        ),
        (
            "esplora/block_603966_txs.json",
            Esplora.transactions(
                of: BlockHeader(
                    hash: "0000000000000000000efcea1cc1a169955e9cf6f039ddeabfdd1da1ac6d9899", previous: "",
                    time: Timestamp(milliseconds: 0), transactionCount: 10), from: 0)?.request, []
        ),
        (
            "whale-alert/transactions_2019-06-18.json",
            WhaleAlert.transactions(
                since: Timestamp(milliseconds: 1_560_836_902_000), minUSD: 500_000, key: "KEY"
            ).request, ["cursor"]
        ),
    ]

    @Test("Each is asked by the path, and with all of the query, that the recorded answer was given to")
    func recordedRequests() throws {
        for (name, request, others) in Self.requests {
            let recorded = try #require(try CryptoRecordings.request(name), "\(name)").split(separator: "?")
            let request = try #require(request)
            #expect(request.path == recorded[0])
            for item in recorded.dropFirst().flatMap({ $0.split(separator: "&") }) {
                let pair = item.split(separator: "=").map(String.init)
                if !others.contains(pair[0]) { #expect(request.query.contains(pair), "\(name): \(item)") }
            }
        }
    }
}
