import FIMLCore

/// What the press thinks of an asset: the mean sentiment of its headlines, where it is going, and the
/// articles that weigh most.
///
/// Each headline is judged as `HeadlineSentiment` says, or by the provider's own judgement of the article
/// where it has one: the provider has read all of it. Newer articles weigh more, by
/// `NewsDigest.halfLifeDays`.
///
/// - `sentiment_score`: the weighted mean, −1 to 1; `score` is 5 + 5 times that.
/// - `overall`: `positive` from 0.05, `negative` from −0.05, else `neutral`.
/// - `trend`: `improving`, `declining` or `stable`: whether the mean of the newer half of the articles is
///   more than 0.1 above or below that of the older half; null below four articles.
/// - `articles_analyzed`: how many different headlines there were.
/// - `top_articles`: up to five by weight times strength of sentiment: title, publisher, url, published_at,
///   sentiment.
///
/// `confidence` is that of `NewsDigest`.
public struct SentimentWorker: Worker {
    private static let maxTopArticles = 5
    private static let trendBound = 0.1
    private static let minTrendArticles = 4

    /// `sentiment`.
    public var type: WorkerType { .sentiment }

    /// A worker without state.
    public init() {}

    /// Throws where there is no article.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        let digest = try NewsDigest(figures)
        let mean = digest.mean(\.weight)
        let trend = Self.trend(digest.items)
        let top = digest.items.sorted { abs($0.sentiment) * $0.weight > abs($1.sentiment) * $1.weight }
        var missing = figures.missing
        if trend == nil {
            missing.append(MissingFigures(.news, "trend", reason: "a trend takes four articles or more"))
        }
        return Finding(
            score: 5 + 5 * mean, confidence: digest.confidence, asOf: digest.newest,
            details: [
                "sentiment_score": .figure(mean), "overall": .string(NewsDigest.label(mean)),
                "trend": trend.map(JSONValue.string) ?? .null,
                "articles_analyzed": .integer(Int64(digest.items.count)),
                "top_articles": .array(top.prefix(Self.maxTopArticles).map { .object($0.members) }),
            ], missing: missing)
    }

    /// Of items newest first.
    private static func trend(_ items: [NewsDigest.Item]) -> String? {
        guard items.count >= minTrendArticles else { return nil }
        func mean(_ part: ArraySlice<NewsDigest.Item>) -> Double {
            part.reduce(0) { $0 + $1.sentiment } / Double(part.count)
        }
        let half = items.count / 2
        let change = mean(items.prefix(half)) - mean(items.suffix(half))
        return change > trendBound ? "improving" : change < -trendBound ? "declining" : "stable"
    }
}
