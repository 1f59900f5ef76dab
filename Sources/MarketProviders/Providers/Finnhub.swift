import FIMLCore
import MarketData

/// Finnhub: quotes, earnings and news of US equities.
public enum Finnhub {
    /// How far apart quotes are.
    static let quoteSeconds: Int64 = 60
    /// News are asked for over so many days.
    static let newsDays = 7

    /// The last price. An asset that Finnhub does not know has the price 0, which is refused.
    public static func quote(of asset: Asset, key: String) -> Endpoint<Quote>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        return endpoint("/api/v1/quote", [["symbol", ticker]], key) { answer throws(MarketDataError) in
            var reader = AnswerReader()
            guard let price = reader.price(answer["c"], at: "c"),
                let time = reader.seconds(answer["t"], at: "t")
            else { throw reader.nothingUsable("quote") }
            return Decoded(
                Quote(observedAt: time, price: price, intervalSeconds: quoteSeconds), refused: reader.refused)
        }
    }

    /// The reports of the last quarters, oldest first; without the day of the report and the revenue.
    public static func earnings(of asset: Asset, key: String) -> Endpoint<[EarningsReport]>? {
        guard let ticker = Ticker.us(asset) else { return nil }
        return endpoint("/api/v1/stock/earnings", [["symbol", ticker]], key) {
            answer throws(MarketDataError) in
            guard let list = answer.elements else {
                throw MarketDataError("the answer is no list of reports")
            }
            var reader = AnswerReader()
            var reports: [(place: String, figure: EarningsReport)] = []
            for (index, item) in list.enumerated() {
                let place = "[\(index)]"
                guard let quarter = reader.day(item["period"], at: "\(place).period"),
                    let actual = reader.number(item["actual"], at: "\(place).actual")
                else { continue }
                let estimate = reader.optional(item["estimate"], at: "\(place).estimate")
                reports.append(
                    (place, EarningsReport(quarterEnd: quarter, actualEPS: actual, estimatedEPS: estimate)))
            }
            let ordered = reader.chronological(reports) { $0.quarterEnd }
            return try reader.nonEmpty(ordered, "earnings")
        }
    }

    /// The articles of the seven days up to `moment`, newest first.
    public static func news(about asset: Asset, limit: Int, key: String, at moment: Timestamp = .present)
        -> Endpoint<[NewsArticle]>?
    {
        guard let ticker = Ticker.us(asset) else { return nil }
        let days = [["from", moment.adding(days: -newsDays).dayText], ["to", moment.dayText]]
        return endpoint("/api/v1/company-news", [["symbol", ticker]] + days, key) {
            answer throws(MarketDataError) in
            var news = CheckedNews()
            for (index, item) in try CheckedNews.items(answer) {
                news.add(
                    item, at: "[\(index)]", title: "headline", summary: "summary", url: "url",
                    publisher: item["source"],
                    symbols: (item["related"]?.text ?? "").split(separator: ",").map { .string(String($0)) }
                ) { reader, place in
                    reader.seconds(item["datetime"], at: "\(place).datetime")
                }
            }
            return try news.decoded(limit: CheckedNews.bounded(limit))
        }
    }

    private static func endpoint<Figures>(
        _ path: String, _ query: [[String]], _ key: String,
        read: @escaping @Sendable (JSONValue) throws(MarketDataError) -> Decoded<Figures>
    ) -> Endpoint<Figures> {
        Endpoint(.finnhub, ProviderRequest(path, query: query, fields: [["X-Finnhub-Token", key]])) {
            body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            if let message = answer["error"]?.text {
                throw MarketDataError("Finnhub says: \(message.prefix(200))")
            }
            return try read(answer)
        }
    }
}
