import FIMLCore

/// An article as a news provider lists it.
public struct NewsArticle: Hashable, Sendable {
    /// Its headline.
    public var title: String
    /// Its first sentences; nil where the source does not give them.
    public var summary: String?
    /// Who published it.
    public var publisher: String?
    /// Where it can be read.
    public var url: String?
    /// When it was published.
    public var publishedAt: Timestamp
    /// The tickers that it is about, as the source says.
    public var symbols: [String]
    /// The source's own judgement, −1 (bad) to 1 (good); nil where it has none.
    public var sentiment: Double?

    /// An article with every part given.
    public init(
        title: String, summary: String?, publisher: String?, url: String?, publishedAt: Timestamp,
        symbols: [String], sentiment: Double? = nil
    ) {
        self.title = title
        self.summary = summary
        self.publisher = publisher
        self.url = url
        self.publishedAt = publishedAt
        self.symbols = symbols
        self.sentiment = sentiment
    }
}
