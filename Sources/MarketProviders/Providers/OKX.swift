import FIMLCore
import MarketData

/// OKX: `www.okx.com`, version 5. Bars, quotes and order books are those of the spot market, funding that of
/// the perpetual future (`SWAP`), all in USDT unless the asset says otherwise.
public enum OKX {
    /// Row of a candle: start time, open, high, low, close, volume, and others.
    private static let columns = BarColumns(
        time: 0, clock: .milliseconds, open: 1, high: 2, low: 3, close: 4, volume: 5)

    /// The newest bars, oldest first, at most 300; the last one may not be over yet. Volume in units of the
    /// asset.
    public static func bars(of asset: Asset, every interval: BarInterval, limit: Int) -> Endpoint<[Bar]>? {
        guard let instrument = instrument(of: asset) else { return nil }
        let limit = min(max(limit, 1), 300)
        let name =
            switch interval {
            case .minute: "1m"
            // The plain "1D" begins at midnight in Hong Kong.
            case .day: "1Dutc"
            }
        let query = [["instId", instrument], ["bar", name], ["limit", "\(limit)"]]
        return Endpoint(.okx, ProviderRequest("/api/v5/market/candles", query: query)) {
            body throws(MarketDataError) in
            var reader = AnswerReader()
            return try reader.bars(
                try data(body), at: "data", columns, every: interval, order: .newestFirst, limit: limit)
        }
    }

    /// The last price.
    public static func quote(of asset: Asset) -> Endpoint<Quote>? {
        guard let instrument = instrument(of: asset) else { return nil }
        let request = ProviderRequest("/api/v5/market/ticker", query: [["instId", instrument]])
        return Endpoint(.okx, request) { body throws(MarketDataError) in
            let ticker = try data(body).column(0)
            var reader = AnswerReader()
            let price = reader.price(ticker?["last"], at: "data[0].last")
            let time = reader.milliseconds(ticker?["ts"], at: "data[0].ts")
            return try reader.quote(price, observedAt: time)
        }
    }

    /// The best 400 levels of each side.
    public static func orderBook(of asset: Asset) -> Endpoint<OrderBook>? {
        guard let instrument = instrument(of: asset) else { return nil }
        let query = [["instId", instrument], ["sz", "400"]]
        return Endpoint(.okx, ProviderRequest("/api/v5/market/books", query: query)) {
            body throws(MarketDataError) in
            let book = try data(body).column(0)
            var reader = AnswerReader()
            guard let time = reader.milliseconds(book?["ts"], at: "data[0].ts") else {
                throw reader.nothingUsable("order book")
            }
            return try reader.orderBook(bids: book?["bids"], asks: book?["asks"], observedAt: time)
        }
    }

    /// The rate of the running period, for eight hours. The period is what lies between `fundingTime` and
    /// `nextFundingTime`; where it has no known length it is taken for eight hours. Known from the answer's
    /// `ts` on, or where that is missing, from the beginning of the period.
    public static func fundingRate(of asset: Asset) -> Endpoint<FundingRate>? {
        guard let instrument = perpetual(of: asset) else { return nil }
        let request = ProviderRequest("/api/v5/public/funding-rate", query: [["instId", instrument]])
        return Endpoint(.okx, request) { body throws(MarketDataError) in
            let future = try data(body).column(0)
            var reader = AnswerReader()
            guard let settledAt = reader.milliseconds(future?["fundingTime"], at: "data[0].fundingTime")
            else { throw reader.nothingUsable("funding rate") }
            let next = reader.milliseconds(future?["nextFundingTime"], at: "data[0].nextFundingTime")
            let hours = AnswerReader.fundingHours(from: settledAt, to: next ?? settledAt)
            guard
                let rate = reader.fundingRate(
                    future?["fundingRate"], hours: hours, at: "data[0].fundingRate")
            else { throw reader.nothingUsable("funding rate") }
            let beganAt = Timestamp(milliseconds: settledAt.milliseconds - hours * 3_600_000)
            let told = future?["ts"].flatMap { reader.milliseconds($0, at: "data[0].ts") }
            return Decoded(
                FundingRate(
                    exchange: "okx", rate: rate, knownAt: told ?? beganAt, intervalSeconds: hours * 3_600),
                refused: reader.refused)
        }
    }

    private static func instrument(of asset: Asset) -> String? {
        CryptoPair(asset)?.name(separator: "-", defaultQuote: "USDT")
    }

    private static func perpetual(of asset: Asset) -> String? {
        CryptoPair(asset).map { "\($0.base)-USDT-SWAP" }
    }

    /// The data of a body. Throws what OKX says is wrong: errors come with status 200 and a `code`.
    private static func data(_ body: [UInt8]) throws(MarketDataError) -> JSONValue {
        let answer = try AnswerReader.json(body)
        guard answer["code"]?.text == "0" else {
            throw MarketDataError(saidByProvider: answer["msg"], cause: cause(of: answer["code"]?.text))
        }
        guard let data = answer["data"] else { throw MarketDataError("the answer has no data") }
        return data
    }

    private static func cause(of code: String?) -> MarketDataError.Cause {
        switch code {
        case "50011": .tooOften
        // An instrument that does not exist.
        case "51001": .hasNone
        default: .failure
        }
    }
}
