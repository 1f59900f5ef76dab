import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// A short answer in the shape of a real one, with figures of SPY.
enum StooqFixtures {
    static let days = """
        Date,Open,High,Low,Close,Volume\r
        2018-02-26,245.63,247.46,245.018,247.373,96911825\r
        2018-02-27,247.555,248.292,244.214,244.281,111326455\r
        2018-02-28,245.393,245.869,241.507,N/A,136949282\r
        2018-03-01,241.592,243.18,236.778,238.299\r

        """
}

@Suite("Stooq's tables are read")
struct StooqTests {
    let spy = Asset(symbol: "SPY", assetType: .etf)

    @Test("A row without a close is refused, one without volume is not")
    func days() throws {
        let endpoint = Stooq.bars(of: spy, every: .day, limit: 10)
        let decoded = try reading(StooqFixtures.days, with: endpoint)
        #expect(decoded.figures.map(\.opensAt.dayText) == ["2018-02-26", "2018-02-27", "2018-03-01"])
        #expect(decoded.figures.map(\.volume) == [96_911_825, 111_326_455, nil])
        #expect(decoded.refused.reasons == ["line 4.close is \"N/A\", which is not a number"])
        #expect(endpoint?.request.query == [["s", "spy.us"], ["i", "d"]])
        #expect(Stooq.bars(of: spy, every: .minute, limit: 10)?.request == nil)
    }

    /// What comes instead of a table, and what it means.
    private static let words: [(String, MarketDataError.Cause)] = [
        ("No data", .hasNone), ("Exceeded the daily hits limit", .tooOften), ("", .failure),
        ("<html>", .failure),
    ]

    @Test("What is no table is an error, which tells a limit and an unknown symbol", arguments: words)
    func noTable(text: String, cause: MarketDataError.Cause) {
        let error = #expect(throws: MarketDataError.self) {
            try reading(text, with: Stooq.bars(of: spy, every: .day, limit: 10))
        }
        #expect(error?.cause == cause)
    }

    @Test(
        "The recorded table is read whole",
        .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
    func recorded() throws {
        let name = "stooq/daily_SPY.US.csv"
        let endpoint = Stooq.bars(of: spy, every: .day, limit: 5_000)
        let decoded = try readingRecorded(name, with: endpoint)
        #expect(decoded.figures.count == 2_000)
        #expect(decoded.figures.first?.close == 247.373)
        #expect(decoded.refused.count == 0, "\(decoded.refused.reasons)")
        #expect(try queryDifferences(name, endpoint) == [])
    }
}
