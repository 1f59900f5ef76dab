import FIMLCore
import Glibc
import MarketData

/// Articles as both news workers see them: each headline once, judged, newest first, weighted by age.
struct NewsDigest {
    /// An article with what its headline says.
    struct Item {
        let article: NewsArticle
        /// −1 to 1: the provider's own where it has one, else the headline's.
        let sentiment: Double
        /// Whether anything was found to judge by.
        let isJudged: Bool
        let event: NewsEvent?
        let isQuestion: Bool
        /// 1 for the newest article; half as much for every `halfLifeDays` that one is older.
        let weight: Double
    }

    /// News works on prices for some days (Tetlock, Journal of Finance 62, 2007: what it does is undone
    /// within a week). Ages count from the newest article, not from now, so that a recorded market is judged
    /// alike.
    static let halfLifeDays = 3.0
    /// So many articles, the newest, are looked at.
    static let maxArticles = 100
    /// From where on a sentiment is not neutral; as Hutto & Gilbert (2014) use their score.
    static let neutralBound = 0.05

    /// Newest first; not empty.
    let items: [Item]

    /// The digest of articles in any order. Of headlines that are the same but for typography the first
    /// published counts, for then the news came out. Throws where no article has a headline with words.
    init(_ figures: Figures) throws(InsufficientData) {
        let newestFirst = figures.articles.sorted { $0.publishedAt > $1.publishedAt }.prefix(Self.maxArticles)
        var places: [String: Int] = [:]
        var distinct: [(article: NewsArticle, headline: Headline)] = []
        for article in newestFirst {
            let headline = Headline(article.title)
            guard !headline.tokens.isEmpty else { continue }
            if let place = places[headline.key] {
                let judgement = article.sentiment ?? distinct[place].article.sentiment
                distinct[place] = (article, headline)
                distinct[place].article.sentiment = judgement
            } else {
                places[headline.key] = distinct.count
                distinct.append((article, headline))
            }
        }
        distinct.sort { $0.article.publishedAt > $1.article.publishedAt }
        guard let newest = distinct.first?.article.publishedAt else {
            let known = figures.missing.filter { $0.need == .news }
            throw InsufficientData(
                known.isEmpty ? [MissingFigures(.news, reason: "there is no article with a headline")] : known
            )
        }
        items = distinct.map { Self.item($0.article, $0.headline, newest: newest) }
    }

    private static func item(_ article: NewsArticle, _ headline: Headline, newest: Timestamp) -> Item {
        // As Double, since the difference of two moments may not fit into 64 bits.
        let milliseconds = Double(newest.milliseconds) - Double(article.publishedAt.milliseconds)
        let weight = exp2(-milliseconds / (halfLifeDays * 86_400_000))
        // A judgement out of its range is none.
        let given = article.sentiment.flatMap { (-1...1).contains($0) ? $0 : nil }
        let judged = HeadlineSentiment(headline)
        return Item(
            article: article, sentiment: given ?? judged.score, isJudged: given != nil || judged.isJudged,
            event: NewsEvent.told(by: headline), isQuestion: headline.isQuestion, weight: weight)
    }

    /// From when the newest article is.
    var newest: Timestamp { items[0].article.publishedAt }

    /// The mean sentiment by the weights that are given for each item; 0 where they are all 0.
    func mean(_ weight: (Item) -> Double) -> Double {
        var (sum, total) = (0.0, 0.0)
        for item in items {
            sum += weight(item) * item.sentiment
            total += weight(item)
        }
        return total > 0 ? sum / total : 0
    }

    /// How much the articles are worth: n / (n + 5) of the effective number of them, (Σw)² / Σw² (Kish 1965),
    /// times from a half to 1 by the part of them in which there was something to judge by.
    var confidence: Double {
        let total = items.reduce(0) { $0 + $1.weight }
        let squares = items.reduce(0) { $0 + $1.weight * $1.weight }
        guard squares > 0 else { return 0 }
        let count = total * total / squares
        let judged = Double(items.count(where: \.isJudged)) / Double(items.count)
        return count / (count + 5) * (0.5 + 0.5 * judged)
    }

    /// `positive`, `neutral` or `negative`.
    static func label(_ sentiment: Double) -> String {
        sentiment >= neutralBound ? "positive" : sentiment <= -neutralBound ? "negative" : "neutral"
    }
}

extension NewsDigest.Item {
    /// What both workers say of an article.
    var members: [String: JSONValue] {
        [
            "title": .string(article.title), "publisher": article.publisher.map(JSONValue.string) ?? .null,
            "url": article.url.map(JSONValue.string) ?? .null,
            "published_at": .string(article.publishedAt.rfc3339), "sentiment": .figure(sentiment),
        ]
    }
}

extension NewsEvent {
    /// The event of most weight that a headline tells of; nil where it tells of none.
    static func told(by headline: Headline) -> NewsEvent? {
        var told: NewsEvent?
        func consider(_ event: NewsEvent?) {
            guard let event else { return }
            if told.map({ event.precedence < $0.precedence }) ?? true { told = event }
        }
        for (index, token) in headline.tokens.enumerated() {
            guard let word = token.word else { continue }
            consider(word.meaning.event)
            for phrase in word.phrases where phrase.meaning.event != nil {
                if HeadlineSentiment.matches(phrase, headline.tokens, after: index) {
                    consider(phrase.meaning.event)
                }
            }
        }
        return told
    }
}
