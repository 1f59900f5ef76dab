import FIMLCore
import FoundationEssentials
import Testing

@testable import Analysis

/// VADER's judgement of recorded headlines lies beside the package, where it is there at all.
private let truthPath = #filePath.replacing(
    "Tests/AnalysisTests/PublishedSentimentTests.swift",
    with: "../shared/market-data/truth/news_sentiment.json")

@Suite("Recorded headlines are judged as VADER judges them, but for those that say otherwise to a holder")
struct PublishedSentimentTests {
    private static let isThere = FileManager.default.fileExists(atPath: truthPath)

    /// How recorded headlines begin whose sign, by ±0.05, is not VADER's: VADER's, ours, and why.
    private static let disagreements: [(String, Int, Int, String)] = [
        ("Top Cryptocurrencies Fall", 1, -1, "top is a rank here, and VADER knows neither fall nor drops"),
        ("Is It Time to Sell This Warren Buffett", 1, -1, "magnificent is part of a name"),
        ("Retail Investors Really Don’t Like", 1, -1, "VADER does not read don’t with this apostrophe"),
        ("Congress failed to extend", 1, -1, "save outweighs failed for VADER, which has it as no negation"),
        ("Indonesia and Apple said to agree", -1, 1, "a ban that is lifted is good"),
        ("Apple Inc: An Exploration into Its Intr", 1, 0, "intrinsic value is a term"),
        ("Wells Fargo Adjusts Price Target", 1, 0, "well is part of a name"),
        ("3 Growth Stocks Wall Street", 1, 0, "growth stock is a term"),
        ("Is Amazon.com, Inc. (AMZN) Among", 1, 0, "growth stock is a term"),
        ("Apple Executives Spill The Beans", 0, 1, "VADER does not know outshine"),
        ("Sector Update: Financial Stocks Rise", 0, 1, "VADER does not know rise"),
        ("Where to Invest? 2 AI Stocks", 0, 1, "VADER does not know boom"),
        ("Analyst who correctly predicted", 0, 1, "VADER does not know rally"),
        ("GLD Pulls in $1.9B", 0, 1, "VADER knows neither inflows nor a record run"),
        ("Exchange-Traded Funds Higher, US", 0, 1, "VADER does not know higher"),
        ("Exchange-Traded Funds, Equity Futures", 0, 1, "VADER does not know higher"),
    ]

    private static func sign(_ score: Double) -> Int { score >= 0.05 ? 1 : score <= -0.05 ? -1 : 0 }

    @Test(
        "The sign is VADER's for all but the headlines that are listed with a reason", .enabled(if: isThere))
    func signs() throws {
        let truth = try JSONValue.parse(Array(Data(contentsOf: URL(filePath: truthPath))))
        var (agreed, found) = (0, 0)
        for file in try #require(truth.members).values {
            for article in try #require(file["articles"]?.elements) {
                let title = try #require(article["title"]?.text)
                let vader = Self.sign(try #require(article["vader_title"]?["compound"]?.double))
                let ours = Self.sign(HeadlineSentiment(Headline(title)).score)
                if let listed = Self.disagreements.first(where: { title.hasPrefix($0.0) }) {
                    found += 1
                    #expect((vader, ours) == (listed.1, listed.2), "\(title)")
                } else {
                    agreed += 1
                    #expect(ours == vader, "\(title)")
                }
            }
        }
        #expect(found == Self.disagreements.count)
        #expect(agreed == 15)
    }
}
