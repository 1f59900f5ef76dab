import FIMLCore
import MarketData

/// Tiingo: bars and news of US equities and funds.
public enum Tiingo {
    /// Bars, oldest first. Days are as traded, with the splits that Tiingo tells applied; minutes are of the
    /// exchange IEX alone and without volume. The API wants to be told from when: so that there are `limit`
    /// up to `moment`.
    public static func bars(
        of asset: Asset, every interval: BarInterval, limit: Int, key: String, at moment: Timestamp = .present
    ) -> Endpoint<[Bar]>? {
        guard let ticker = Ticker.us(asset).map(Ticker.hyphenated) else { return nil }
        let limit = CheckedBars.bounded(limit)
        // Of 7 days 5 are traded, of which holidays are taken off; of a traded day 390 minutes.
        let days = interval == .day ? limit * 3 / 2 + 7 : limit / 390 * 3 / 2 + 5
        let path = interval == .day ? "/tiingo/daily/\(ticker)/prices" : "/iex/\(ticker)/prices"
        let query = [
            ["format", "json"], ["resampleFreq", interval == .day ? "daily" : "1min"],
            ["startDate", moment.adding(days: -days).dayText],
        ]
        return endpoint(path, query, key) { answer throws(MarketDataError) in
            guard let list = answer.elements else { throw MarketDataError("the answer is no list of bars") }
            var series = CheckedBars(every: interval)
            for (index, item) in list.enumerated() {
                let place = "[\(index)]"
                let opensAt = series.reader.moment(item["date"], .rfc3339, at: "\(place).date")
                series.add(
                    opensAt,
                    .init(
                        open: item["open"], high: item["high"], low: item["low"], close: item["close"],
                        volume: item["volume"]), at: place)
                if let opensAt, let factor = item["splitFactor"], factor.double != 1,
                    let ratio = series.reader.price(factor, at: "\(place).splitFactor")
                {
                    series.addSplit(from: opensAt, ratio: ratio, at: "\(place).splitFactor")
                }
            }
            return try series.decoded(limit: limit)
        }
    }

    /// The newest articles about an asset, newest first.
    public static func news(about asset: Asset, limit: Int, key: String) -> Endpoint<[NewsArticle]>? {
        guard let ticker = Ticker.us(asset).map(Ticker.hyphenated) else { return nil }
        let count = CheckedNews.bounded(limit)
        let query = [["tickers", ticker.lowercased()], ["limit", "\(count)"], ["sortBy", "publishedDate"]]
        return endpoint("/tiingo/news", query, key) { answer throws(MarketDataError) in
            var news = CheckedNews()
            for (index, item) in try CheckedNews.items(answer) {
                news.add(
                    item, at: "[\(index)]", title: "title", summary: "description", url: "url",
                    publisher: item["source"], symbols: item["tickers"]?.elements ?? []
                ) { reader, place in
                    reader.moment(item["publishedDate"], .rfc3339, at: "\(place).publishedDate")
                }
            }
            return try news.decoded(limit: count)
        }
    }

    private static func endpoint<Figures>(
        _ path: String, _ query: [[String]], _ key: String,
        read: @escaping @Sendable (JSONValue) throws(MarketDataError) -> Decoded<Figures>
    ) -> Endpoint<Figures> {
        let request = ProviderRequest(path, query: query, fields: [["Authorization", "Token \(key)"]])
        return Endpoint(.tiingo, request) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            if let message = answer["detail"]?.text {
                throw MarketDataError("Tiingo says: \(message.prefix(200))")
            }
            return try read(answer)
        }
    }
}
