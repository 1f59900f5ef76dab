import FIMLCore
import MarketData

/// Coinbase's exchange: `api.exchange.coinbase.com`. Products are priced in dollars unless the asset says
/// otherwise.
public enum CoinbaseExchange {
    /// Row of a candle: start time, low, high, open, close, volume.
    private static let columns = BarColumns(
        time: 0, clock: .seconds, open: 3, high: 2, low: 1, close: 4, volume: 5)

    /// The newest bars, oldest first, at most the 300 that are answered; the last one may not be over yet.
    /// Volume in units of the asset.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> Endpoint<[Bar]>? {
        guard let product = product(of: asset) else { return nil }
        let query = [["granularity", "\(interval.seconds)"]]
        return Endpoint(
            .coinbaseExchange, ProviderRequest("/products/\(product)/candles", query: query)
        ) { body throws(MarketDataError) in
            var reader = AnswerReader()
            return try reader.bars(
                try json(body), at: "candles", columns, every: interval, order: .newestFirst, limit: limit)
        }
    }

    /// The price of the last trade.
    public static func quote(of asset: Asset) -> Endpoint<Quote>? {
        guard let product = product(of: asset) else { return nil }
        return Endpoint(.coinbaseExchange, ProviderRequest("/products/\(product)/ticker")) {
            body throws(MarketDataError) in
            let ticker = try json(body)
            var reader = AnswerReader()
            let price = reader.price(ticker["price"], at: "price")
            let time = reader.moment(ticker["time"], at: "time")
            return try reader.quote(price, observedAt: time)
        }
    }

    /// The whole book, by price (level 2). An answer that tells no time is from the moment of reading.
    public static func orderBook(of asset: Asset) -> Endpoint<OrderBook>? {
        guard let product = product(of: asset) else { return nil }
        let request = ProviderRequest(
            "/products/\(product)/book", query: [["level", "2"]], countsFromReading: true)
        return Endpoint(.coinbaseExchange, request) { body throws(MarketDataError) in
            let book = try json(body)
            var reader = AnswerReader()
            let told = book["time"].flatMap { reader.moment($0, at: "time") }
            return try reader.orderBook(
                bids: book["bids"], asks: book["asks"],
                observedAt: told ?? .present)
        }
    }

    private static func product(of asset: Asset) -> String? {
        CryptoPair(asset)?.name(separator: "-", defaultQuote: "USD")
    }

    /// The JSON of a body. Throws what Coinbase says is wrong: `{"message":"NotFound"}`.
    private static func json(_ body: [UInt8]) throws(MarketDataError) -> JSONValue {
        let answer = try AnswerReader.json(body)
        if let message = answer["message"] { throw MarketDataError(saidByProvider: message) }
        return answer
    }
}
