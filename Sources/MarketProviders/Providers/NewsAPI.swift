import FIMLCore
import MarketData

/// NewsAPI.org: articles of many papers, found by words.
public enum NewsAPI {
    /// The newest articles in English that name the asset, newest first. Which tickers they are about it does
    /// not say.
    public static func news(about asset: Asset, limit: Int, key: String) -> Endpoint<[NewsArticle]>? {
        guard Asset.isSymbol(asset.symbol) else { return nil }
        let count = CheckedNews.bounded(limit)
        // In quotes, or a name of two words would find either. A quote within would end it.
        let words = (asset.name ?? asset.symbol).filter { $0 != "\"" }.prefix(100)
        let request = ProviderRequest(
            "/v2/everything",
            query: [
                ["q", "\"\(words)\""], ["sortBy", "publishedAt"], ["language", "en"],
                ["pageSize", "\(count)"],
            ],
            fields: [["X-Api-Key", key]])
        return Endpoint(.newsAPI, request) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            if answer["status"]?.text == "error" {
                throw MarketDataError("NewsAPI says: \((answer["message"]?.text ?? "an error").prefix(200))")
            }
            var news = CheckedNews()
            for (index, item) in try CheckedNews.items(answer["articles"]) {
                news.add(
                    item, at: "articles[\(index)]", title: "title", summary: "description", url: "url",
                    publisher: item["source"]?["name"], symbols: []
                ) { reader, place in
                    reader.moment(item["publishedAt"], .rfc3339, at: "\(place).publishedAt")
                }
            }
            return try news.decoded(limit: count)
        }
    }
}
