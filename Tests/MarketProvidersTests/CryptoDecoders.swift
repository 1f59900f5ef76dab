import FIMLCore
import MarketData

@testable import MarketProviders

/// A decoder with an answer that it can read, for tests of what it does with others.
struct CryptoDecoder: Sendable, CustomStringConvertible {
    /// What came out.
    struct Outcome: Sendable {
        /// Whether the figures keep what their types promise.
        var isSound: Bool
        /// How many were refused.
        var refused: Int
    }

    let description: String
    let fixture: String
    /// Places of the fixture whose figures are needed: `result.list.0.4`.
    let needed: [String]
    let decode: @Sendable ([UInt8]) throws(MarketDataError) -> Outcome
    let overHTTP: AskedOverHTTP?

    init<Figures>(
        _ description: String, _ endpoint: Endpoint<Figures>?, _ fixture: String, needed: [String],
        isSound: @escaping @Sendable (Figures) -> Bool
    ) {
        self.description = description
        self.fixture = fixture
        self.needed = needed
        overHTTP = endpoint.map { AskedOverHTTP(description, $0, fixture, isSound: isSound) }
        decode = { body throws(MarketDataError) in
            guard let endpoint else { throw MarketDataError("there is no endpoint") }
            let decoded = try endpoint.decode(body)
            return Outcome(isSound: isSound(decoded.figures), refused: decoded.refused.count)
        }
    }

    private static let btc = Asset(symbol: "BTC", assetType: .crypto)
    private static let header = BlockHeader(
        hash: CryptoFixtures.hash[0], previous: CryptoFixtures.hash[1],
        time: Timestamp(milliseconds: 1_700_000_000_000), transactionCount: 2)

    /// All of this part.
    static let all: [CryptoDecoder] = bars + quotes + books + funding + chains

    static let bars: [CryptoDecoder] = [
        CryptoDecoder(
            "binance bars", Binance.bars(of: btc, every: .minute, limit: 9), CryptoFixtures.binanceKlines,
            needed: ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5", "1.0", "1.4"], isSound: areSound),
        CryptoDecoder(
            "bybit bars", Bybit.bars(of: btc, every: .minute, limit: 9), CryptoFixtures.bybitKlines,
            needed: ["retCode", "result", "result.list", "result.list.0.0", "result.list.1.5"],
            isSound: areSound),
        CryptoDecoder(
            "okx bars", OKX.bars(of: btc, every: .minute, limit: 9), CryptoFixtures.okxCandles,
            needed: ["code", "data", "data.0.0", "data.0.4", "data.1.2"], isSound: areSound),
        CryptoDecoder(
            "coinbase bars", CoinbaseExchange.bars(of: btc, every: .minute, limit: 9),
            CryptoFixtures.coinbaseCandles, needed: ["0.0", "0.1", "0.2", "0.3", "0.4", "0.5"],
            isSound: areSound),
        CryptoDecoder(
            "kraken bars", Kraken.bars(of: btc, every: .minute, limit: 9), CryptoFixtures.krakenOHLC,
            needed: ["result", "result.XXBTZUSD", "result.XXBTZUSD.0.0", "result.XXBTZUSD.1.6"],
            isSound: areSound),
    ]

    static let quotes: [CryptoDecoder] = [
        CryptoDecoder(
            "binance quote", Binance.quote(of: btc), CryptoFixtures.binanceTicker,
            needed: ["lastPrice", "closeTime"], isSound: isSound),
        CryptoDecoder(
            "bybit quote", Bybit.quote(of: btc), CryptoFixtures.bybitTicker,
            needed: ["retCode", "time", "result.list.0.lastPrice", "result.list.0.symbol"],
            isSound: isSound),
        CryptoDecoder(
            "okx quote", OKX.quote(of: btc), CryptoFixtures.okxTicker,
            needed: ["code", "data", "data.0", "data.0.last", "data.0.ts"], isSound: isSound),
        CryptoDecoder(
            "coinbase quote", CoinbaseExchange.quote(of: btc), CryptoFixtures.coinbaseTicker,
            needed: ["price", "time"], isSound: isSound),
        CryptoDecoder(
            "kraken quote", Kraken.quote(of: btc), CryptoFixtures.krakenTicker,
            needed: ["result", "result.XXBTZUSD.c", "result.XXBTZUSD.c.0"], isSound: isSound),
    ]

    static let books: [CryptoDecoder] = [
        CryptoDecoder(
            "binance book", Binance.orderBook(of: btc), CryptoFixtures.binanceDepth,
            needed: ["bids", "asks", "bids.0", "bids.0.0", "asks.2.1"], isSound: isSound),
        CryptoDecoder(
            "bybit book", Bybit.orderBook(of: btc), CryptoFixtures.bybitBook,
            needed: ["retCode", "result.b", "result.a", "result.ts", "result.b.1.0"], isSound: isSound),
        CryptoDecoder(
            "okx book", OKX.orderBook(of: btc), CryptoFixtures.okxBook,
            needed: ["code", "data", "data.0.ts", "data.0.asks", "data.0.bids.0.1"], isSound: isSound),
        CryptoDecoder(
            "coinbase book", CoinbaseExchange.orderBook(of: btc), CryptoFixtures.coinbaseBook,
            needed: ["bids", "asks", "asks.0.0", "asks.0.1"], isSound: isSound),
        CryptoDecoder(
            "kraken book", Kraken.orderBook(of: btc), CryptoFixtures.krakenDepth,
            needed: ["result", "result.XXBTZUSD.bids", "result.XXBTZUSD.asks.1.1"], isSound: isSound),
    ]

    static let funding: [CryptoDecoder] = [
        CryptoDecoder(
            "binance funding", BinanceFutures.fundingRate(of: btc), CryptoFixtures.premiumIndex,
            needed: ["symbol", "lastFundingRate", "time"], isSound: { areSound([$0]) }),
        CryptoDecoder(
            "bybit funding", Bybit.fundingRate(of: btc), CryptoFixtures.bybitTicker,
            needed: ["retCode", "time", "result.list.0.fundingRate"], isSound: { areSound([$0]) }),
        CryptoDecoder(
            "okx funding", OKX.fundingRate(of: btc), CryptoFixtures.okxFunding,
            needed: ["data.0.fundingRate", "data.0.fundingTime"], isSound: { areSound([$0]) }),
    ]

    static let chains: [CryptoDecoder] = [
        CryptoDecoder(
            "blockchain.info latest", BlockchainInfo.latestBlockHash(), CryptoFixtures.latestBlock,
            needed: ["hash"], isSound: { AnswerReader.isHash($0) }),
        CryptoDecoder(
            "blockchain.info block", BlockchainInfo.block(CryptoFixtures.hash[0]), CryptoFixtures.rawBlock,
            needed: ["hash", "prev_block", "time", "tx", "tx.1.hash", "tx.1.out", "tx.1.out.0.value"],
            isSound: { areSound($0.transactions) }),
        CryptoDecoder(
            "esplora block", Esplora.header(CryptoFixtures.hash[0]), CryptoFixtures.esploraBlock,
            needed: ["id", "timestamp", "tx_count", "previousblockhash"],
            isSound: { $0.transactionCount >= 0 }),
        CryptoDecoder(
            "esplora page", Esplora.transactions(of: header, from: 0), CryptoFixtures.esploraPage,
            needed: ["0.txid", "1.vout", "1.vout.1.value"], isSound: areSound),
        CryptoDecoder(
            "ethereum number", Ethereum.latestBlockNumber(), CryptoFixtures.blockNumber,
            needed: ["result"], isSound: { $0 < 1 << 48 }),
        CryptoDecoder(
            "ethereum block", Ethereum.block(100), CryptoFixtures.ethereumBlock,
            needed: [
                "result", "result.number", "result.hash", "result.timestamp", "result.transactions.0.hash",
                "result.transactions.0.value",
            ], isSound: { areSound($0.transactions) }),
        CryptoDecoder(
            "ethereum logs", Ethereum.transfers(of: .usdt, from: 99, to: 100), CryptoFixtures.logs,
            needed: [
                "result", "result.0", "result.0.address", "result.0.data", "result.0.topics.1",
                "result.1.transactionHash", "result.1.blockNumber",
            ], isSound: { $0.allSatisfy { $0.amount >= 0 && $0.amount.isFinite } }),
        CryptoDecoder(
            "whale alert",
            WhaleAlert.transactions(since: header.time, minUSD: 1e6, key: "KEY"), CryptoFixtures.whales,
            needed: [
                "result", "transactions.0.hash", "transactions.0.timestamp", "transactions.1.amount",
                "transactions.1.amount_usd",
            ], isSound: { $0.allSatisfy { $0.amount >= 0 && $0.usdValue >= 0 && $0.usdValue.isFinite } }),
    ]

    private static func areSound(_ bars: [Bar]) -> Bool {
        let pricesAreSound = bars.allSatisfy { bar in
            bar.low > 0 && bar.low <= min(bar.open, bar.close) && bar.high >= max(bar.open, bar.close)
                && bar.high.isFinite && (bar.volume ?? 0) >= 0
        }
        return !bars.isEmpty && pricesAreSound
            && zip(bars, bars.dropFirst()).allSatisfy { $0.opensAt < $1.opensAt }
    }

    private static func isSound(_ quote: Quote) -> Bool {
        quote.price > 0 && quote.price.isFinite && AnswerReader.moments.contains(quote.observedAt)
    }

    private static func isSound(_ book: OrderBook) -> Bool {
        let levels = book.bids + book.asks
        return !levels.isEmpty && levels.allSatisfy { $0.price > 0 && $0.amount > 0 && $0.amount.isFinite }
            && zip(book.bids, book.bids.dropFirst()).allSatisfy { $0.price > $1.price }
            && zip(book.asks, book.asks.dropFirst()).allSatisfy { $0.price < $1.price }
            && (book.depth(withinPercent: 1) ?? 0) >= 0
    }

    private static func areSound(_ rates: [FundingRate]) -> Bool {
        !rates.isEmpty && rates.allSatisfy { abs($0.rate) <= 8 && $0.intervalSeconds >= 3_600 }
            && zip(rates, rates.dropFirst()).allSatisfy { $0.knownAt < $1.knownAt }
    }

    private static func areSound(_ transactions: [ChainTransaction]) -> Bool {
        transactions.allSatisfy { $0.amount >= 0 && $0.amount.isFinite && !$0.hash.isEmpty }
    }
}
