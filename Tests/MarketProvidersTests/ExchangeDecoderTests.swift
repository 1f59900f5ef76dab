import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite("Exchanges: what they are asked, and what is read out of their answers")
struct ExchangeDecoderTests {
    static let btc = Asset(symbol: "BTC", assetType: .crypto)
    static let time = Timestamp(milliseconds: 1_700_000_000_000)

    typealias BarReader = @Sendable (Asset, BarInterval, Int) -> Endpoint<[Bar]>?
    static let barReaders: [(String, String, BarReader)] = [
        ("binance", CryptoFixtures.binanceKlines, { Binance.bars(of: $0, every: $1, limit: $2) }),
        ("bybit", CryptoFixtures.bybitKlines, { Bybit.bars(of: $0, every: $1, limit: $2) }),
        ("okx", CryptoFixtures.okxCandles, { OKX.bars(of: $0, every: $1, limit: $2) }),
        ("coinbase", CryptoFixtures.coinbaseCandles, { CoinbaseExchange.bars(of: $0, every: $1, limit: $2) }),
        ("kraken", CryptoFixtures.krakenOHLC, { Kraken.bars(of: $0, every: $1, limit: $2) }),
    ]

    @Test(
        "Bars come oldest first, whatever the exchange's order, the last one unfinished or not",
        arguments: 0..<5)
    func bars(number: Int) throws {
        let (_, fixture, read) = Self.barReaders[number]
        let endpoint = try #require(read(Self.btc, .minute, 10))
        let decoded = try endpoint.decode([UInt8](fixture.utf8))
        let second = decoded.figures.count == 2 ? decoded.figures[1] : nil
        #expect(
            decoded.figures.first
                == Bar(
                    opensAt: Self.time, intervalSeconds: 60, open: 100, high: 110, low: 95.5, close: 105.25,
                    volume: 12.5))
        #expect(second?.opensAt == Timestamp(milliseconds: 1_700_000_060_000))
        #expect(second?.closesAt == Timestamp(milliseconds: 1_700_000_120_000))
        #expect(second?.close == 102)
        #expect(decoded.refused.count == 0)
        let newest = try #require(read(Self.btc, .minute, 1)).decode([UInt8](fixture.utf8))
        #expect(newest.figures.map(\.close) == [102])
    }

    @Test("A quote has the price and the moment that the exchange tells")
    func quotes() throws {
        let told: [(Endpoint<Quote>?, String, Int64)] = [
            (Binance.quote(of: Self.btc), CryptoFixtures.binanceTicker, 1_700_000_000_123),
            (Bybit.quote(of: Self.btc), CryptoFixtures.bybitTicker, 1_700_000_000_789),
            (OKX.quote(of: Self.btc), CryptoFixtures.okxTicker, 1_700_000_000_321),
            (CoinbaseExchange.quote(of: Self.btc), CryptoFixtures.coinbaseTicker, 1_700_000_000_506),
        ]
        for (endpoint, fixture, time) in told {
            let quote = try #require(endpoint).decode([UInt8](fixture.utf8)).figures
            #expect(quote.observedAt.milliseconds == time)
            #expect(quote.price == 43_210.5)
        }
    }

    @Test("What tells no moment is from the moment of reading: Kraken's quote, Kraken's and Binance's books")
    func momentOfReading() throws {
        let before = Timestamp.present
        let quote = try #require(Kraken.quote(of: Self.btc))
            .decode([UInt8](CryptoFixtures.krakenTicker.utf8)).figures
        let kraken = try #require(Kraken.orderBook(of: Self.btc))
            .decode([UInt8](CryptoFixtures.krakenDepth.utf8)).figures
        let binance = try #require(Binance.orderBook(of: Self.btc))
            .decode([UInt8](CryptoFixtures.binanceDepth.utf8)).figures
        let after = Timestamp.present
        #expect(quote.price == 43_210.5)
        for time in [quote.observedAt, kraken.observedAt, binance.observedAt] {
            #expect((before...after).contains(time))
        }
    }

    @Test("An order book has its best levels first, and the depth that adding up by hand gives")
    func orderBooks() throws {
        let books: [(Endpoint<OrderBook>?, String)] = [
            (Binance.orderBook(of: Self.btc), CryptoFixtures.binanceDepth),
            (Bybit.orderBook(of: Self.btc), CryptoFixtures.bybitBook),
            (OKX.orderBook(of: Self.btc), CryptoFixtures.okxBook),
            (CoinbaseExchange.orderBook(of: Self.btc), CryptoFixtures.coinbaseBook),
            (Kraken.orderBook(of: Self.btc), CryptoFixtures.krakenDepth),
        ]
        for (endpoint, fixture) in books {
            let book = try #require(endpoint).decode([UInt8](fixture.utf8)).figures
            #expect(book.bids.prefix(2).map(\.price) == [99.5, 99])
            #expect(book.asks.prefix(2).map(\.price) == [100.5, 101])
            // 99.5 x 2 + 99 x 1 + 100.5 x 1 + 101 x 3; the middle is 100.
            #expect(book.depth(withinPercent: 1) == 701.5)
            #expect(book.depth(withinPercent: 0.75) == 299.5)
        }
    }

    @Test("A funding rate is for eight hours: one for four hours counts twice, one for an hour eight times")
    func fundingRates() throws {
        let binance = try #require(BinanceFutures.fundingRate(of: Self.btc))
            .decode([UInt8](CryptoFixtures.premiumIndex.utf8)).figures
        #expect(
            binance
                == FundingRate(
                    exchange: "binance", rate: -0.00125,
                    knownAt: Timestamp(milliseconds: 1_700_000_000_456), intervalSeconds: 28_800))
        let bybit = try #require(Bybit.fundingRate(of: Self.btc))
            .decode([UInt8](CryptoFixtures.bybitTicker.utf8)).figures
        #expect(bybit.rate == 0.0008)
        #expect(bybit.intervalSeconds == 14_400)
        #expect(bybit.knownAt.milliseconds == 1_700_000_000_789)
        let okx = try #require(OKX.fundingRate(of: Self.btc))
            .decode([UInt8](CryptoFixtures.okxFunding.utf8)).figures
        #expect(okx.rate == 0.0005)
        #expect(okx.intervalSeconds == 14_400)
        #expect(okx.knownAt.milliseconds == 1_700_000_000_987)
    }

    @Test("Without a moment of its own, OKX's rate is known since its period began")
    func okxWithoutMoment() throws {
        let fixture = CryptoFixtures.okxFunding.replacing(#","ts":"1700000000987""#, with: "")
        let rate = try #require(OKX.fundingRate(of: Self.btc)).decode([UInt8](fixture.utf8)).figures
        #expect(rate.knownAt.milliseconds == 1_700_006_400_000 - 14_400_000)
    }

    @Test("Each is asked by its own name of the pair, its own name of the interval, and within its own limit")
    func requests() throws {
        let doge = Asset(symbol: "DOGE", assetType: .crypto, currency: "EUR")
        let requests: [(ProviderRequest?, String)] = [
            (
                Binance.bars(of: Self.btc, every: .day, limit: 5_000)?.request,
                "/api/v3/klines?symbol=BTCUSDT&interval=1d&limit=1000"
            ),
            (
                Bybit.bars(of: Self.btc, every: .day, limit: -3)?.request,
                "/v5/market/kline?category=linear&symbol=BTCUSDT&interval=D&limit=1"
            ),
            (
                OKX.bars(of: Self.btc, every: .day, limit: 400)?.request,
                "/api/v5/market/candles?instId=BTC-USDT&bar=1Dutc&limit=300"
            ),
            (
                CoinbaseExchange.bars(of: Self.btc, every: .day, limit: 1)?.request,
                "/products/BTC-USD/candles?granularity=86400"
            ),
            (
                Kraken.bars(of: Self.btc, every: .day, limit: 1)?.request,
                "/0/public/OHLC?pair=XBTUSD&interval=1440"
            ),
            (Kraken.quote(of: doge)?.request, "/0/public/Ticker?pair=XDGEUR"),
            (OKX.quote(of: doge)?.request, "/api/v5/market/ticker?instId=DOGE-EUR"),
            (Binance.orderBook(of: Self.btc)?.request, "/api/v3/depth?symbol=BTCUSDT&limit=5000"),
            (
                Bybit.orderBook(of: Self.btc)?.request,
                "/v5/market/orderbook?category=linear&symbol=BTCUSDT&limit=500"
            ),
            (OKX.orderBook(of: Self.btc)?.request, "/api/v5/market/books?instId=BTC-USDT&sz=400"),
            (CoinbaseExchange.orderBook(of: Self.btc)?.request, "/products/BTC-USD/book?level=2"),
            (Kraken.orderBook(of: Self.btc)?.request, "/0/public/Depth?pair=XBTUSD&count=500"),
            (
                BinanceFutures.fundingRate(of: Self.btc)?.request,
                "/fapi/v1/premiumIndex?symbol=BTCUSDT"
            ),
            (
                Bybit.fundingRate(of: Self.btc)?.request,
                "/v5/market/tickers?category=linear&symbol=BTCUSDT"
            ),
            (
                OKX.fundingRate(of: Self.btc)?.request,
                "/api/v5/public/funding-rate?instId=BTC-USDT-SWAP"
            ),
        ]
        for (request, expected) in requests {
            #expect(try #require(request).line == expected)
        }
    }

    @Test(
        "Nobody is asked for what is not a crypto asset, a dollar on a chain, or no plain symbol",
        arguments: [
            Asset(symbol: "AAPL", assetType: .equity), Asset(symbol: "USDT", assetType: .crypto),
            Asset(symbol: "USDC", assetType: .crypto), Asset(symbol: "BTC/../x", assetType: .crypto),
            Asset(symbol: "BTC&limit=1", assetType: .crypto), Asset(symbol: "", assetType: .crypto),
            Asset(symbol: "ＢＴＣ", assetType: .crypto), Asset(symbol: "btc", assetType: .crypto),
            Asset(symbol: "BTC", assetType: .crypto, pair: "ETHUSDT"),
            Asset(symbol: "BTC", assetType: .crypto, pair: "BTC"),
            Asset(symbol: "BTC", assetType: .crypto, pair: "BTC--USDT"),
            Asset(symbol: "BTC", assetType: .crypto, pair: "BTC-USDT?x"),
            Asset(symbol: "BTC", assetType: .crypto, currency: "€"),
        ])
    func notAsked(asset: Asset) {
        #expect(CryptoPair(asset) == nil)
        #expect(Self.barReaders.allSatisfy { $0.2(asset, .minute, 1) == nil })
        #expect(Binance.quote(of: asset) == nil && Kraken.quote(of: asset) == nil)
        #expect(OKX.quote(of: asset) == nil && Bybit.quote(of: asset) == nil)
        #expect(CoinbaseExchange.quote(of: asset) == nil)
        #expect(BinanceFutures.fundingRate(of: asset) == nil && Bybit.fundingRate(of: asset) == nil)
        #expect(OKX.fundingRate(of: asset) == nil)
    }

    @Test("A pair of the asset's own is asked for in each exchange's form")
    func pairs() {
        for pair in ["BTCUSDC", "BTC-USDC", "BTC/USDC"] {
            let asset = Asset(symbol: "BTC", assetType: .crypto, pair: pair)
            #expect(Binance.quote(of: asset)?.request.query == [["symbol", "BTCUSDC"]])
            #expect(OKX.quote(of: asset)?.request.query == [["instId", "BTC-USDC"]])
            #expect(CoinbaseExchange.quote(of: asset)?.request.path == "/products/BTC-USDC/ticker")
            #expect(Kraken.quote(of: asset)?.request.query == [["pair", "XBTUSDC"]])
        }
    }
}

extension ProviderRequest {
    /// Path and query as they were asked, for queries that need no encoding.
    var line: String {
        path + (query.isEmpty ? "" : "?") + query.map { $0.joined(separator: "=") }.joined(separator: "&")
    }
}
