import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// A short answer in the shape of a real one (US government data).
enum FREDFixtures {
    static let observations = #"""
        {"count":4,"observations":[{"date":"2025-11-01","value":"4.5"},{"date":"2025-10-01","value":"."},
        {"date":"2025-09-01","value":"4.4"},{"date":"2025-09-01","value":"9"},
        {"date":"2025-08-01","value":"4.3"}]}
        """#
}

@Suite("FRED's observations are read, oldest first")
struct FREDTests {
    @Test("A point is a missing value; a day that comes twice is refused")
    func observations() throws {
        let endpoint = FRED.observations(of: .unemployment, key: "k")
        let decoded = try reading(FREDFixtures.observations, with: endpoint)
        #expect(decoded.figures.map(\.period.dayText) == ["2025-08-01", "2025-09-01", "2025-11-01"])
        #expect(decoded.figures.first?.value == 4.3)
        #expect(decoded.figures.last?.value == 4.5)
        #expect(decoded.refused.count == 1)
        #expect(throws: MarketDataError("FRED says: Bad Request.")) {
            try reading(#"{"error_code":400,"error_message":"Bad Request."}"#, with: endpoint)
        }
    }

    @Test(
        "Recorded series have the truth's newest values",
        .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence),
        arguments: [
            (MacroIndicator.realGrowth, "A191RL1Q225SBEA.json"), (.consumerPrices, "CPIAUCSL.json"),
            (.interestRate, "FEDFUNDS.json"), (.unemployment, "UNRATE.json"),
        ])
    func recorded(indicator: MacroIndicator, file: String) throws {
        let name = "fred/observations_\(file)"
        let endpoint = FRED.observations(of: indicator, key: "k")
        #expect(try queryDifferences(name, endpoint) == [])
        try expectTruth(try readingRecorded(name, with: endpoint), name)
    }

    @Test(
        "Series that are not asked for are read by the same rules",
        .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence),
        arguments: ["GDP.json", "DGS10.json.gz"])
    func others(file: String) throws {
        let name = "fred/observations_\(file)"
        let list = try AnswerReader.json(CompanyAnswers.body(name))["observations"]
        try expectTruth(try FRED.readObservations(list), name)
    }

    private func expectTruth(_ decoded: Decoded<[MacroObservation]>, _ name: String) throws {
        let truth = try AnswerReader.json(CompanyAnswers.truth("macro.json"))["provider-responses/\(name)"]
        let (all, missing) = (truth?["observations"]?.int64 ?? 0, truth?["missing_dots"]?.int64 ?? 0)
        #expect(Int64(decoded.figures.count) == all - missing)
        #expect(decoded.refused.count == 0)
        #expect(decoded.figures.last?.period.dayText == truth?["latest_date"]?.text)
        #expect(decoded.figures.last?.value == truth?["latest"]?.double)
        #expect(decoded.figures.dropLast().last?.value == truth?["previous"]?.double)
    }
}
