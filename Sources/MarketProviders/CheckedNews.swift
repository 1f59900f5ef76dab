import FIMLCore
import MarketData

/// The articles of one answer, checked one by one.
struct CheckedNews {
    /// More characters of a headline, a summary, a publisher, a URL are not kept.
    static let limits = (title: 500, summary: 2_000, publisher: 100, url: 2_048)
    /// More symbols of an article are not kept.
    static let maxSymbols = 50

    private var reader = AnswerReader()
    private var articles: [NewsArticle] = []

    /// A limit that makes sense: 1 to 50, which all providers allow.
    static func bounded(_ limit: Int) -> Int { min(max(limit, 1), 50) }

    /// The elements of a list of articles, numbered. Throws when it is no list.
    static func items(_ list: JSONValue?) throws(MarketDataError) -> EnumeratedSequence<[JSONValue]> {
        guard let elements = list?.elements else {
            throw MarketDataError("the answer has no list of articles")
        }
        return elements.enumerated()
    }

    /// Adds an article, or refuses it: a headline and a moment it must have. `title`, `summary` and `url`
    /// name members of the article. A URL that is not http or https is left out, as are symbols that are
    /// none.
    mutating func add(
        _ item: JSONValue, at place: String, title: String, summary: String?, url: String,
        publisher: JSONValue?, symbols: [JSONValue], sentiment: JSONValue? = nil,
        publishedAt: (inout AnswerReader, String) -> Timestamp?
    ) {
        guard let headline = reader.text(item[title], limit: Self.limits.title, at: "\(place).\(title)"),
            let moment = publishedAt(&reader, place)
        else { return }
        articles.append(
            NewsArticle(
                title: headline,
                summary: summary.flatMap { item[$0]?.text }
                    .flatMap { $0.isEmpty ? nil : String($0.prefix(Self.limits.summary)) },
                publisher: publisher?.text.map { String($0.prefix(Self.limits.publisher)) },
                url: webAddress(item[url], at: "\(place).\(url)"),
                publishedAt: moment,
                symbols: symbols.prefix(Self.maxSymbols).compactMap(\.text).map { $0.uppercased() }
                    .filter(Asset.isSymbol),
                sentiment: judgement(sentiment, at: "\(place).sentiment")))
    }

    /// The articles, newest first, at most `limit`. Throws where there is none.
    func decoded(limit: Int) throws(MarketDataError) -> Decoded<[NewsArticle]> {
        let newest = articles.enumerated().sorted { left, right in
            (left.element.publishedAt, right.offset) > (right.element.publishedAt, left.offset)
        }
        return try reader.nonEmpty(newest.prefix(limit).map(\.element), "articles")
    }

    private mutating func webAddress(_ value: JSONValue?, at place: String) -> String? {
        guard let text = value?.text else { return nil }
        guard text.hasPrefix("https://") || text.hasPrefix("http://"), text.utf8.count <= Self.limits.url,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F })
        else {
            reader.refuse(place, "is not an address of the web")
            return nil
        }
        return text
    }

    private mutating func judgement(_ value: JSONValue?, at place: String) -> Double? {
        guard let number = reader.optional(value, at: place) else { return nil }
        guard (-1...1).contains(number) else {
            reader.refuse(place, "is \(number), which is not allowed: −1 to 1")
            return nil
        }
        return number
    }
}
