import FIMLCore
import MarketData

/// Bybit: `api.bybit.com`, version 5. Bars, order books and funding are those of the perpetual future in USDT
/// (`linear`), where Bybit's trade and depth are; quotes are those of the spot market.
public enum Bybit {
    /// Row of a kline: start time, open, high, low, close, volume, turnover.
    private static let columns = BarColumns(
        time: 0, clock: .milliseconds, open: 1, high: 2, low: 3, close: 4, volume: 5)

    /// The newest bars, oldest first, at most 1,000; the last one may not be over yet. Volume in units of the
    /// asset.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> Endpoint<[Bar]>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let limit = min(max(limit, 1), 1_000)
        let name =
            switch interval {
            case .minute: "1"
            case .day: "D"
            }
        let query = [
            ["category", "linear"], ["symbol", symbol], ["interval", name], ["limit", "\(limit)"],
        ]
        return Endpoint(.bybit, ProviderRequest("/v5/market/kline", query: query)) {
            body throws(MarketDataError) in
            var reader = AnswerReader()
            return try reader.bars(
                try result(body)["result"]?["list"], at: "list", columns, every: interval,
                order: .newestFirst, limit: limit)
        }
    }

    /// The last price on the spot market.
    public static func quote(of asset: Asset) -> Endpoint<Quote>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let query = [["category", "spot"], ["symbol", symbol]]
        return Endpoint(.bybit, ProviderRequest("/v5/market/tickers", query: query)) {
            body throws(MarketDataError) in
            let answer = try result(body)
            let ticker = try ticker(of: symbol, in: answer)
            var reader = AnswerReader()
            let price = reader.price(ticker["lastPrice"], at: "lastPrice")
            let time = reader.milliseconds(answer["time"], at: "time")
            return try reader.quote(price, observedAt: time)
        }
    }

    /// The best 500 levels of each side.
    public static func orderBook(of asset: Asset) -> Endpoint<OrderBook>? {
        guard let symbol = symbol(of: asset) else { return nil }
        let query = [["category", "linear"], ["symbol", symbol], ["limit", "500"]]
        return Endpoint(.bybit, ProviderRequest("/v5/market/orderbook", query: query)) {
            body throws(MarketDataError) in
            let book = try result(body)["result"]
            var reader = AnswerReader()
            guard let time = reader.milliseconds(book?["ts"], at: "ts") else {
                throw reader.nothingUsable("order book")
            }
            return try reader.orderBook(bids: book?["b"], asks: book?["a"], observedAt: time)
        }
    }

    /// The rate of the running period, for eight hours: the answer tells the period as `fundingIntervalHour`
    /// where that differs, or is taken for eight hours.
    public static func fundingRate(of asset: Asset) -> Endpoint<FundingRate>? {
        guard let symbol = perpetual(of: asset) else { return nil }
        let query = [["category", "linear"], ["symbol", symbol]]
        return Endpoint(.bybit, ProviderRequest("/v5/market/tickers", query: query)) {
            body throws(MarketDataError) in try fundingRate(in: body, of: symbol)
        }
    }

    /// The rate of one future in an answer of tickers.
    static func fundingRate(in body: [UInt8], of symbol: String) throws(MarketDataError)
        -> Decoded<FundingRate>
    {
        let answer = try result(body)
        let ticker = try ticker(of: symbol, in: answer)
        var reader = AnswerReader()
        let told = reader.optional(ticker["fundingIntervalHour"], at: "fundingIntervalHour") ?? 8
        guard reader.refused.count == 0 else { throw reader.nothingUsable("funding interval") }
        guard let hours = Int64(exactly: told), AnswerReader.fundingPeriods.contains(hours) else {
            throw MarketDataError("fundingIntervalHour is \(told), which no exchange has")
        }
        guard
            let rate = reader.fundingRate(ticker["fundingRate"], hours: hours, at: "fundingRate"),
            let time = reader.milliseconds(answer["time"], at: "time")
        else { throw reader.nothingUsable("funding rate") }
        return Decoded(
            FundingRate(exchange: "bybit", rate: rate, knownAt: time, intervalSeconds: hours * 3_600),
            refused: reader.refused)
    }

    private static func symbol(of asset: Asset) -> String? {
        CryptoPair(asset)?.name(defaultQuote: "USDT")
    }

    private static func perpetual(of asset: Asset) -> String? {
        CryptoPair(asset).map { "\($0.base)USDT" }
    }

    /// The answer of a body. Throws what Bybit says is wrong: errors come with status 200 and a `retCode`.
    private static func result(_ body: [UInt8]) throws(MarketDataError) -> JSONValue {
        let answer = try AnswerReader.json(body)
        guard answer["retCode"]?.int64 == 0 else {
            throw MarketDataError(
                saidByProvider: answer["retMsg"], cause: cause(of: answer["retCode"]?.int64))
        }
        return answer
    }

    private static func cause(of code: Int64?) -> MarketDataError.Cause {
        switch code {
        // Of a user, of an address.
        case 10_006, 10_018: .tooOften
        // A parameter is wrong; of those that we send, only the symbol can be.
        case 10_001: .hasNone
        default: .failure
        }
    }

    private static func ticker(of symbol: String, in answer: JSONValue) throws(MarketDataError)
        -> JSONValue
    {
        let tickers = answer["result"]?["list"]?.elements ?? []
        guard let ticker = tickers.first(where: { $0["symbol"]?.text == symbol }) else {
            throw MarketDataError("the answer does not hold \(symbol)")
        }
        return ticker
    }
}
