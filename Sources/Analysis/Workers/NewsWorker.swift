import FIMLCore

/// What has happened to an asset, as its headlines tell: which kinds of events, how weighty, how good.
///
/// The kind of event is told by the terms of `NewsEventLexicon`; a headline has one kind or none. Its impact
/// is `high` from 3 points, `medium` with 2, else `low`: the points of its kind (`NewsEvent.weight`, 0
/// without), one more where its sentiment is ±0.5 or stronger, one less where it is a question.
///
/// - `articles`: up to ten by impact and age: title, publisher, url, published_at, sentiment, impact, event.
/// - `timeline`: the events, newest first, up to thirty: published_at, event, impact, sentiment, title.
/// - `overall_sentiment`: the mean sentiment, −1 to 1, by age and by impact (low 1, medium 2, high 3);
///   `score` is 5 + 5 times that.
/// - `event_count`: the articles that tell of an event; `market_moving_count`: those of high impact.
///
/// Sentiment, age and `confidence` are those of `NewsDigest`.
public struct NewsWorker: Worker {
    /// How much an article may matter for the price.
    enum Impact: Int, CaseIterable {
        case low = 1
        case medium
        case high
    }

    private static let maxArticles = 10
    private static let maxEvents = 30
    private static let strongSentiment = 0.5

    /// `news`.
    public var type: WorkerType { .news }

    /// A worker without state.
    public init() {}

    /// Throws where there is no article.
    public func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        let digest = try NewsDigest(figures)
        func importance(_ item: NewsDigest.Item) -> Double {
            item.weight * Double(Self.impact(item).rawValue)
        }
        let mean = digest.mean(importance)
        let important = digest.items.sorted { importance($0) > importance($1) }
        let events = digest.items.filter { $0.event != nil }
        let marketMoving = digest.items.count { Self.impact($0) == .high }
        return Finding(
            score: 5 + 5 * mean, confidence: digest.confidence, asOf: digest.newest,
            details: [
                "articles": .array(important.prefix(Self.maxArticles).map { .object(Self.members($0)) }),
                "timeline": .array(
                    events.prefix(Self.maxEvents).map { item in
                        .object(Self.members(item).filter { !["publisher", "url"].contains($0.key) })
                    }),
                "overall_sentiment": .figure(mean), "event_count": .integer(Int64(events.count)),
                "market_moving_count": .integer(Int64(marketMoving)),
            ], missing: figures.missing)
    }

    static func impact(_ item: NewsDigest.Item) -> Impact {
        var points = item.event?.weight ?? 0
        if abs(item.sentiment) >= strongSentiment { points += 1 }
        if item.isQuestion { points -= 1 }
        return points >= 3 ? .high : points == 2 ? .medium : .low
    }

    private static func members(_ item: NewsDigest.Item) -> [String: JSONValue] {
        var members = item.members
        members["impact"] = .string("\(impact(item))")
        members["event"] = item.event.map { .string($0.rawValue) } ?? .null
        return members
    }
}
