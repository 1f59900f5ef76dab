import FIMLCore
import MarketData

/// Kraken's spot market: `api.kraken.com`. Pairs are priced in dollars unless the asset says otherwise.
public enum Kraken {
    /// Kraken's own codes for assets.
    private static let codes = ["BTC": "XBT", "DOGE": "XDG"]
    /// Row of OHLC: start time, open, high, low, close, mean price, volume, count.
    private static let columns = BarColumns(
        time: 0, clock: .seconds, open: 1, high: 2, low: 3, close: 4, volume: 6)

    /// The newest bars, oldest first, at most the 720 that are answered; the last one may not be over yet.
    /// Volume in units of the asset.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> Endpoint<[Bar]>? {
        guard let pair = pair(of: asset) else { return nil }
        let query = [["pair", pair], ["interval", "\(interval.seconds / 60)"]]
        return Endpoint(.kraken, ProviderRequest("/0/public/OHLC", query: query)) {
            body throws(MarketDataError) in
            var reader = AnswerReader()
            return try reader.bars(
                try result(body), at: "bars", columns, every: interval, order: .oldestFirst, limit: limit)
        }
    }

    /// The price of the last trade. The answer tells no time: it is from the moment of reading.
    public static func quote(of asset: Asset) -> Endpoint<Quote>? {
        guard let pair = pair(of: asset) else { return nil }
        let request = ProviderRequest("/0/public/Ticker", query: [["pair", pair]], countsFromReading: true)
        return Endpoint(.kraken, request) { body throws(MarketDataError) in
            var reader = AnswerReader()
            let price = reader.price(try result(body)["c"]?.column(0), at: "c[0]")
            return try reader.quote(price, observedAt: .present)
        }
    }

    /// The best 500 levels of each side. The answer tells no time: it is from the moment of reading.
    public static func orderBook(of asset: Asset) -> Endpoint<OrderBook>? {
        guard let pair = pair(of: asset) else { return nil }
        let query = [["pair", pair], ["count", "500"]]
        let request = ProviderRequest("/0/public/Depth", query: query, countsFromReading: true)
        return Endpoint(.kraken, request) { body throws(MarketDataError) in
            let book = try result(body)
            var reader = AnswerReader()
            return try reader.orderBook(
                bids: book["bids"], asks: book["asks"], observedAt: .present)
        }
    }

    private static func pair(of asset: Asset) -> String? {
        guard let pair = CryptoPair(asset) else { return nil }
        let quote = pair.quote ?? "USD"
        return (codes[pair.base] ?? pair.base) + (codes[quote] ?? quote)
    }

    /// The result of a body for the one pair that was asked for, which Kraken calls by another name than it
    /// was asked by (`XXBTZUSD` for `XBTUSD`). Throws what Kraken says is wrong: errors come with status 200.
    private static func result(_ body: [UInt8]) throws(MarketDataError) -> JSONValue {
        let answer = try AnswerReader.json(body)
        if let error = answer["error"]?.elements?.first {
            throw MarketDataError(saidByProvider: error, cause: cause(of: error.text ?? ""))
        }
        // Beside the pair, OHLC has a `last`, from where on to ask next time.
        let pairs = answer["result"]?.members?.filter { $0.key != "last" } ?? [:]
        guard pairs.count == 1, let pair = pairs.first?.value else {
            throw MarketDataError("the answer does not hold one pair")
        }
        return pair
    }

    private static func cause(of error: String) -> MarketDataError.Cause {
        switch error {
        case "EGeneral:Too many requests", "EAPI:Rate limit exceeded": .tooOften
        case "EQuery:Unknown asset pair": .hasNone
        default: .failure
        }
    }
}
