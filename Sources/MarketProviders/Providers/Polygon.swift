import FIMLCore
import MarketData

/// Polygon.io: bars, news and options of US equities and funds.
public enum Polygon {
    /// Bars, adjusted for splits, oldest first. The API wants to be told from when to when: up to `moment`.
    public static func bars(
        of asset: Asset, every interval: BarInterval, limit: Int, key: String, at moment: Timestamp = .present
    ) -> Endpoint<[Bar]>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        let limit = CheckedBars.bounded(limit)
        // Of 7 days 5 are traded, of which holidays are taken off; of a traded day at least 390 minutes.
        let days = interval == .day ? limit * 3 / 2 + 7 : limit / 390 * 3 / 2 + 5
        let unit = interval == .day ? "day" : "minute"
        let from = moment.adding(days: -days).dayText
        let path = "/v2/aggs/ticker/\(ticker)/range/1/\(unit)/\(from)/\(moment.dayText)"
        let query = [["adjusted", "true"], ["sort", "desc"], ["limit", "\(limit)"]]
        return endpoint(path, query, key) { answer throws(MarketDataError) in
            var series = CheckedBars(every: interval)
            for (index, item) in (answer["results"]?.elements ?? []).enumerated() {
                let place = "results[\(index)]"
                series.add(
                    series.reader.milliseconds(item["t"], at: "\(place).t"),
                    .init(
                        open: item["o"], high: item["h"], low: item["l"], close: item["c"],
                        volume: item["v"]), at: place)
            }
            return try series.decoded(limit: limit)
        }
    }

    /// The newest articles about an asset, newest first.
    public static func news(about asset: Asset, limit: Int, key: String) -> Endpoint<[NewsArticle]>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        let count = CheckedNews.bounded(limit)
        let query = [
            ["ticker", ticker], ["order", "desc"], ["sort", "published_utc"], ["limit", "\(count)"],
        ]
        return endpoint("/v2/reference/news", query, key) { answer throws(MarketDataError) in
            var news = CheckedNews()
            for (index, item) in try CheckedNews.items(answer["results"]) {
                news.add(
                    item, at: "results[\(index)]", title: "title", summary: "description", url: "article_url",
                    publisher: item["publisher"]?["name"], symbols: item["tickers"]?.elements ?? []
                ) { reader, place in
                    reader.moment(item["published_utc"], .rfc3339, at: "\(place).published_utc")
                }
            }
            return try news.decoded(limit: count)
        }
    }

    /// The first 250 options of the chain, which is as many as one answer holds.
    public static func optionChain(of asset: Asset, key: String) -> Endpoint<OptionChain>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        return endpoint("/v3/snapshot/options/\(ticker)", [["limit", "250"]], key) {
            answer throws(MarketDataError) in
            var options = CheckedOptions()
            var newest: Timestamp?
            var price: Double?
            for (index, item) in (answer["results"]?.elements ?? []).enumerated() {
                let place = "results[\(index)]"
                let underlying = item["underlying_asset"]
                price =
                    price
                    ?? options.reader.optionalPrice(underlying?["price"], at: "\(place).underlying.price")
                for updated in [underlying?["last_updated"], item["last_quote"]?["last_updated"]] {
                    guard let updated else { continue }
                    newest = max(
                        newest,
                        options.reader.milliseconds(
                            updated.double.map { .number($0 / 1_000_000) }, at: "\(place).last_updated"))
                }
                addContract(item, at: place, to: &options)
            }
            guard let newest else { throw options.reader.nothingUsable("moment") }
            return try options.decoded(at: newest, underlyingPrice: price)
        }
    }

    private static func addContract(_ item: JSONValue, at place: String, to options: inout CheckedOptions) {
        let details = item["details"]
        let kind = details?["contract_type"]?.text.flatMap(OptionContract.Kind.init(rawValue:))
        if kind == nil { options.reader.refuse("\(place).contract_type", "is neither call nor put") }
        let expiry = options.reader.day(details?["expiration_date"], at: "\(place).expiration_date")
        options.add(
            symbol: details?["ticker"], kind: kind, strike: details?["strike_price"], expiresOn: expiry,
            .init(
                bid: item["last_quote"]?["bid"], ask: item["last_quote"]?["ask"],
                last: item["last_trade"]?["price"], volume: item["day"]?["volume"],
                openInterest: item["open_interest"], impliedVolatility: item["implied_volatility"]),
            at: place)
    }

    private static func max(_ left: Timestamp?, _ right: Timestamp?) -> Timestamp? {
        guard let left, let right else { return left ?? right }
        return Swift.max(left, right)
    }

    private static func endpoint<Figures>(
        _ path: String, _ query: [[String]], _ key: String,
        read: @escaping @Sendable (JSONValue) throws(MarketDataError) -> Decoded<Figures>
    ) -> Endpoint<Figures> {
        let request = ProviderRequest(path, query: query, fields: [["Authorization", "Bearer \(key)"]])
        return Endpoint(.polygon, request) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            if let message = answer["error"]?.text {
                throw MarketDataError("Polygon says: \(message.prefix(200))")
            }
            return try read(answer)
        }
    }
}
