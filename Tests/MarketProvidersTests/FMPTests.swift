import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// Short answers in the shape of real ones, with figures of Apple.
enum FMPFixtures {
    static let days = #"""
        {"symbol":"AAPL","historical":[
        {"date":"2023-01-04","open":126.89,"high":128.66,"low":125.08,"close":126.36,"volume":89113633},
        {"date":"2023-01-03","open":130.28,"high":130.9,"low":124.17,"close":125.07,"volume":-1}]}
        """#
    static let statements = #"""
        [{"date":"2023-09-30","symbol":"AAPL","revenue":383285000000,"netIncome":96995000000,
        "epsdiluted":6.13},
        {"date":"2022-09-24","symbol":"AAPL","revenue":394328000000,"netIncome":99803000000,
        "epsdiluted":6.11}]
        """#
}

@Suite("Financial Modeling Prep's answers are read")
struct FMPTests {
    let apple = CompanyAnswers.apple

    @Test("Days come oldest first; a negative volume is refused, its bar is not")
    func days() throws {
        let endpoint = FMP.bars(of: apple, every: .day, limit: 5, key: "k")
        let decoded = try reading(FMPFixtures.days, with: endpoint)
        #expect(decoded.figures.map(\.close) == [125.07, 126.36])
        #expect(decoded.figures.map(\.volume) == [nil, 89_113_633])
        #expect(decoded.refused.reasons == ["historical[1].volume is -1.0, which is not allowed: at least 0"])
        #expect(FMP.bars(of: apple, every: .minute, limit: 5, key: "k")?.request == nil)
        #expect(throws: MarketDataError("FMP says: Invalid API KEY.")) {
            try reading(#"{"Error Message":"Invalid API KEY."}"#, with: endpoint)
        }
    }

    @Test("The newest year's figures, with growth over the year before")
    func fundamentals() throws {
        let endpoint = FMP.fundamentals(of: apple, key: "k")
        let figures = try reading(FMPFixtures.statements, with: endpoint).figures
        #expect(figures.earningsPerShare == 6.13)
        #expect(figures.asOf == (try startOfDay("2023-09-30")))
        // FMP's own netIncomeRatio is 0.2530623426; 383,285 / 394,328 − 1.
        #expect(abs((figures.profitMargin ?? 0) - 0.253_062_342_6) < 1e-9)
        #expect(abs((figures.revenueGrowth ?? 0) + 0.028004) < 1e-6)
    }

    @Test("Recorded answers", .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
    func recorded() throws {
        let days = try readingRecorded(
            "fmp/historical-price-full_AAPL.json", with: FMP.bars(of: apple, every: .day, limit: 50, key: ""))
        #expect(days.figures.count == 6)
        #expect(days.figures.last?.close == 130.73)
        #expect(days.refused.count == 0)
        let endpoint = FMP.fundamentals(of: apple, key: "")
        let statements = try readingRecorded("fmp/income-statement.json", with: endpoint)
        #expect(statements.figures.earningsPerShare == 6.13)
        #expect(statements.refused.count == 0)
        #expect(try queryDifferences("fmp/income-statement.json", endpoint) == [])
    }
}
