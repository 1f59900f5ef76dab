import FIMLCore
import MarketData

/// Binance's spot market: `api.binance.com`. Pairs are priced in USDT unless the asset says otherwise. Its
/// documentation says what requests weigh.
public enum Binance {
    /// Row of a kline: open time, open, high, low, close, volume in the base asset, and others.
    private static let columns = BarColumns(
        time: 0, clock: .milliseconds, open: 1, high: 2, low: 3, close: 4, volume: 5)

    /// The newest bars, oldest first, at most 1,000; the last one may not be over yet. Volume in units of the
    /// asset.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> Endpoint<[Bar]>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let limit = min(max(limit, 1), 1_000)
        let name =
            switch interval {
            case .minute: "1m"
            case .day: "1d"
            }
        let query = [["symbol", symbol], ["interval", name], ["limit", "\(limit)"]]
        return Endpoint(.binance, ProviderRequest("/api/v3/klines", query: query, weight: 2)) {
            body throws(MarketDataError) in
            var reader = AnswerReader()
            return try reader.bars(
                try json(body), at: "klines", columns, every: interval, order: .oldestFirst, limit: limit)
        }
    }

    /// The last price, from the 24-hour ticker, which tells its moment.
    public static func quote(of asset: Asset) -> Endpoint<Quote>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let request = ProviderRequest("/api/v3/ticker/24hr", query: [["symbol", symbol]], weight: 2)
        return Endpoint(.binance, request) { body throws(MarketDataError) in
            let answer = try json(body)
            var reader = AnswerReader()
            let price = reader.price(answer["lastPrice"], at: "lastPrice")
            let time = reader.milliseconds(answer["closeTime"], at: "closeTime")
            return try reader.quote(price, observedAt: time)
        }
    }

    /// The best 5,000 levels of each side, the most there are. The answer tells no time: it is from the
    /// moment of reading.
    public static func orderBook(of asset: Asset) -> Endpoint<OrderBook>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let query = [["symbol", symbol], ["limit", "5000"]]
        let request = ProviderRequest("/api/v3/depth", query: query, countsFromReading: true, weight: 250)
        return Endpoint(.binance, request) { body throws(MarketDataError) in
            let answer = try json(body)
            var reader = AnswerReader()
            return try reader.orderBook(
                bids: answer["bids"], asks: answer["asks"], observedAt: .present)
        }
    }

    private static func symbol(of asset: Asset) -> String? {
        CryptoPair(asset)?.name(defaultQuote: "USDT")
    }

    /// The JSON of a body. Throws what Binance says is wrong: `{"code":-1121,"msg":"Invalid symbol."}`.
    static func json(_ body: [UInt8]) throws(MarketDataError) -> JSONValue {
        let answer = try AnswerReader.json(body)
        if let message = answer["msg"] { throw MarketDataError(saidByProvider: message) }
        return answer
    }
}
