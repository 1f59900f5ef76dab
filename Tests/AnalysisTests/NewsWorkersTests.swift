import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import Analysis

/// 2024-03-08T12:00:00Z.
private let noon = Timestamp(milliseconds: 1_709_899_200_000)

/// Articles so many hours before noon, and the figures that a worker is given, much later.
private func figures(_ articles: [(String, Double)], sentiments: [Double?] = []) -> Figures {
    var figures = Figures(
        Asset(symbol: "ACME", assetType: .equity), at: noon.adding(seconds: 63_072_000))
    figures.articles = articles.enumerated().map { index, article in
        NewsArticle(
            title: article.0, summary: nil, publisher: "Wire", url: "https://a.example/\(index)",
            publishedAt: noon.adding(seconds: Int64(-article.1 * 3_600)), symbols: [],
            sentiment: index < sentiments.count ? sentiments[index] : nil)
    }
    return figures
}

private func near(_ value: JSONValue?, _ expected: Double) -> Bool {
    value?.double.map { abs($0 - expected) < 1e-9 } ?? false
}

@Suite("The sentiment worker gives the weighted mean of what the press says")
struct SentimentWorkerTests {
    private let worker = SentimentWorker()

    @Test("An article three days older than the newest weighs half, whenever it is asked")
    func recency() throws {
        let given = figures([("News A", 0), ("News B", 72)], sentiments: [0.5, -0.4])
        let finding = try worker.analyze(given)
        // (0.5 − 0.4 / 2) / 1.5
        #expect(near(finding.details["sentiment_score"], 0.2))
        #expect(abs(finding.score - 6) < 1e-9)
        #expect(finding.details["overall"] == "positive")
        #expect(finding.asOf == noon)
        #expect(finding.details["trend"] == .null)
        #expect(finding.missing.map(\.subject) == ["trend"])
        // Both are judged; (1.5)² / 1.25 = 1.8 articles, of which 1.8 / 6.8.
        #expect(abs(finding.confidence - 1.8 / 6.8) < 1e-9)
    }

    @Test("A headline that differs in typography only counts once, when it was first published")
    func duplicates() throws {
        let finding = try worker.analyze(
            figures([("ACME\u{2019}S profit soars!", 0), ("Acme's profit soars", 5), ("Acme sued", 5)]))
        #expect(finding.details["articles_analyzed"] == 2)
        #expect(finding.asOf == noon.adding(seconds: -18_000))
    }

    @Test("Of a headline published twice the first judgement of a provider counts, if there is one")
    func duplicateJudgements() throws {
        let twice = [("Acme meets", 0.0), ("Acme meets", 5.0)]
        let both = try worker.analyze(figures(twice, sentiments: [0.9, 0.1]))
        let later = try worker.analyze(figures(twice, sentiments: [0.9, nil]))
        #expect(near(both.details["sentiment_score"], 0.1))
        #expect(near(later.details["sentiment_score"], 0.9))
    }

    /// Sentiments, newest first, and the trend.
    private static let trends: [([Double], JSONValue)] = [
        ([0.5, 0.5, 0.1, 0.1], "improving"), ([0.1, 0.1, 0.5, 0.5], "declining"),
        ([0.2, 0.1, 0.2, 0.1], "stable"), ([0.2, 0.2, -0.9, 0.15, 0.15], "stable"), ([0.9, 0, -0.9], .null),
    ]

    @Test("The trend compares the newer half with the older", arguments: trends)
    func trend(sentiments: [Double], expected: JSONValue) throws {
        let articles = sentiments.indices.map { ("Story \($0)", Double($0)) }
        let finding = try worker.analyze(figures(articles, sentiments: sentiments))
        #expect(finding.details["trend"] == expected)
    }

    @Test("At most five articles are named, the strongest first, in full")
    func topArticles() throws {
        let finding = try worker.analyze(
            figures(
                (0..<8).map { ("Story \($0)", 0) }, sentiments: [0.1, -0.9, 0.3, 0.2, 0.8, 0, -0.4, 0.5]))
        let top = try #require(finding.details["top_articles"]?.elements)
        #expect(top.map { $0["sentiment"]?.double } == [-0.9, 0.8, 0.5, -0.4, 0.3])
        #expect(
            top.first == [
                "title": "Story 1", "publisher": "Wire", "url": "https://a.example/1",
                "published_at": "2024-03-08T12:00:00.000Z", "sentiment": -0.9,
            ])
    }

    @Test("The provider's own judgement counts where it is one", arguments: [2, -1.5, .nan, .infinity])
    func providersJudgement(outOfRange: Double) throws {
        let title = "Acme shares plunge"
        let own = try worker.analyze(figures([(title, 0)]))
        let given = try worker.analyze(figures([(title, 0)], sentiments: [0.7]))
        let wrong = try worker.analyze(figures([(title, 0)], sentiments: [outOfRange]))
        #expect(near(given.details["sentiment_score"], 0.7))
        #expect(own.details["overall"] == "negative")
        #expect(wrong.details == own.details)
    }

    @Test("Without a headline it says what is missing", arguments: [[], ["", " … ", "?!"]])
    func nothing(titles: [String]) throws {
        let given = figures(titles.map { ($0, 0) })
        let error = #expect(throws: InsufficientData.self) { try worker.analyze(given) }
        #expect(error?.missing.map(\.need) == [.news])
        #expect(throws: InsufficientData.self) { try NewsWorker().analyze(given) }
    }

    @Test("Who knows why there is no news is quoted")
    func reason() throws {
        var given = figures([])
        given.missing = [MissingFigures(.news, reason: "finnhub: no answer")]
        #expect(throws: InsufficientData(given.missing)) { try worker.analyze(given) }
    }
}

@Suite("The news worker tells which events happened and how much they may matter")
struct NewsWorkerTests {
    /// Headlines written for this test, the kind of event and the impact.
    private static let events: [(String, String?, String)] = [
        ("Acme reports third quarter earnings", "earnings", "high"),
        ("Acme cuts guidance after weak earnings", "guidance", "high"),
        ("Acme to acquire Widget Corp for $2 billion", "merger_acquisition", "high"),
        ("Will Acme acquire Widget Corp?", "merger_acquisition", "medium"),
        ("Acme files for bankruptcy", "bankruptcy", "high"),
        ("Judge dismisses patent claim against Acme", "legal_regulatory", "medium"),
        ("Acme indicted for fraud", "legal_regulatory", "high"),
        ("Wells Fargo adjusts price target on Acme", "rating_change", "medium"),
        ("Acme authorizes share repurchase", "dividend_buyback", "medium"),
        ("Acme prices convertible notes", "financing", "medium"),
        ("Acme names new CEO", "management", "medium"),
        ("Acme unveils new widget", "product", "low"),
        ("Acme enters joint venture with Widget", "partnership", "low"),
        ("Hackers stole data from Acme", "security_incident", "medium"),
        ("Fed leaves interest rates unchanged", "macro_economy", "low"),
        ("Acme shares climbed on Friday", "price_move", "low"),
        ("Acme holds annual meeting", nil, "low"),
    ]

    @Test("Kind and impact of a headline", arguments: events)
    func event(title: String, kind: String?, impact: String) throws {
        let finding = try NewsWorker().analyze(figures([(title, 0)]))
        let article = try #require(finding.details["articles"]?.elements?.first)
        #expect(article["event"] == kind.map(JSONValue.string) ?? .null)
        #expect(article["impact"] == .string(impact))
        #expect(finding.details["event_count"] == (kind == nil ? 0 : 1))
        #expect(finding.details["market_moving_count"] == (impact == "high" ? 1 : 0))
    }

    @Test("The mean weighs by impact: high three times as much as low")
    func mean() throws {
        let finding = try NewsWorker().analyze(
            figures([("Acme earnings due", 0), ("Acme holds annual meeting", 0)], sentiments: [0.4, -0.4]))
        #expect(near(finding.details["overall_sentiment"], 0.2))
        #expect(abs(finding.score - 6) < 1e-9)
    }

    @Test("Ten articles by importance, and all events newest first")
    func lists() throws {
        let articles =
            (0..<12).map { ("Acme meeting number \($0)", Double($0)) } + [
                ("Acme earnings", 30), ("Acme lawsuit", 20),
            ]
        let finding = try NewsWorker().analyze(figures(articles))
        let listed = try #require(finding.details["articles"]?.elements)
        #expect(listed.count == 10)
        #expect(listed.first?["title"] == "Acme earnings")
        let timeline = try #require(finding.details["timeline"]?.elements)
        #expect(timeline.map { $0["title"] } == ["Acme lawsuit", "Acme earnings"])
        #expect(timeline.first?["published_at"] == "2024-03-07T16:00:00.000Z")
        #expect(
            Set(try #require(timeline.first?.members).keys)
                == ["title", "published_at", "sentiment", "event", "impact"])
    }
}

@Suite("Whatever is published, the workers of news answer within their ranges")
struct HostileNewsTests {
    /// Pieces that headlines are put together from: words of the lexicons, marks, and what is none of both.
    private static let pieces: [String] = [
        "not", "never", "but", "despite", "falls", "costs", "guidance", "cut", "SOARS", "record", "sharply",
        "price", "target", "'", "’", "–", ",", ".", "!", "?", "!!!!!!", "1.5", "$", "%", "\u{0}", "\u{301}",
        "🎉",
        "é", "漢字", "\u{202E}", " ", "\n", "'s", "S&P", "\u{A0}", "\u{2028}", "don't", "cant",
    ]

    @Test("Arbitrary headlines at arbitrary moments, from a seed", arguments: 0..<100)
    func arbitrary(seed: Int) throws {
        var generator = SeededGenerator(seed: UInt64(seed))
        var given = figures([])
        let count = Int.random(in: 0...110, using: &generator)
        given.articles = (0..<count).map { _ in
            NewsArticle(
                title: Self.title(&generator), summary: nil, publisher: nil, url: nil,
                publishedAt: Timestamp(milliseconds: Self.moment(&generator)), symbols: [],
                sentiment: Bool.random(using: &generator) ? nil : Double.random(in: -2...2, using: &generator)
            )
        }
        for worker in [SentimentWorker(), NewsWorker()] as [any Worker] {
            guard let finding = try? worker.analyze(given) else { continue }
            #expect((0...10).contains(finding.score) && (0...1).contains(finding.confidence))
            let keys =
                worker.type == .news
                ? ["articles", "timeline", "overall_sentiment", "event_count", "market_moving_count"]
                : ["sentiment_score", "overall", "trend", "articles_analyzed", "top_articles"]
            #expect(Set(finding.details.keys) == Set(keys))
            let mean = finding.details["sentiment_score"] ?? finding.details["overall_sentiment"]
            #expect(mean?.double.map { (-1...1).contains($0) } == true)
            #expect(
                try JSONValue.parse(JSONValue.object(finding.details).json)["articles"]?.elements?.count ?? 0
                    <= 10)
        }
    }

    private static func title(_ generator: inout SeededGenerator) -> String {
        if Int.random(in: 0..<4, using: &generator) == 0 {
            let count = Int.random(in: 0...80, using: &generator)
            let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &generator) }
            return String(decoding: bytes, as: UTF8.self)
        }
        let count = Int.random(in: 0...60, using: &generator)
        return (0..<count).map { _ in
            (pieces.randomElement(using: &generator) ?? "")
                + (Bool.random(using: &generator) ? " " : "")
        }.joined()
    }

    private static func moment(_ generator: inout SeededGenerator) -> Int64 {
        [.min, .max, 0, noon.milliseconds, Int64.random(in: .min ... .max, using: &generator)]
            .randomElement(using: &generator) ?? 0
    }

    @Test("A megabyte of a headline is read only as far as headlines go")
    func long() throws {
        let title = String(repeating: "soars ", count: 200_000)
        let headline = Headline(title)
        #expect(headline.tokens.count == Headline.maxWords)
        #expect(HeadlineSentiment(headline).score > 0.99)
    }

    @Test("No term is listed twice with different meanings, and every word has its valence on the scale")
    func lexicon() {
        var seen: Set<String> = []
        for (role, terms) in SentimentLexicon.roles {
            for term in terms.split(whereSeparator: \.isWhitespace) {
                #expect(seen.insert(String(term)).inserted, "\(term)")
            }
            switch role {
            case .valence(let valence), .movement(let valence): #expect((0.5...4).contains(abs(valence)))
            case .burden(let valence): #expect((-4 ... -0.5).contains(valence))
            case .boon(let valence): #expect((0.5...4).contains(valence))
            case .degree, .negation, .contrast, .concession, .clause, .nothing: break
            }
        }
        #expect(seen.count > 300)
    }
}
