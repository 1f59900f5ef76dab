import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// A short answer in the shape of a real one, with Apple's figures of 2023 and 2024 (US government data).
enum SECFixtures {
    static let facts = #"""
        {"cik":320193,"entityName":"Apple Inc.","facts":{"dei":{},"us-gaap":{
        "EarningsPerShareDiluted":{"units":{"USD/shares":[
        {"start":"2022-09-25","end":"2023-09-30","val":6.13,"form":"10-K","filed":"2023-11-03"},
        {"start":"2024-06-30","end":"2024-09-28","val":0.97,"form":"10-K","filed":"2024-11-01"},
        {"start":"2023-10-01","end":"2024-09-28","val":6.08,"form":"10-K","filed":"2024-11-01"},
        {"start":"2024-09-29","end":"2024-12-28","val":2.4,"form":"10-Q","filed":"2025-01-31"}]}},
        "NetIncomeLoss":{"units":{"USD":[
        {"start":"2022-09-25","end":"2023-09-30","val":96995000000,"form":"10-K","filed":"2023-11-03"},
        {"start":"2023-10-01","end":"2024-09-28","val":93736000000,"form":"10-K","filed":"2024-11-01"}]}},
        "RevenueFromContractWithCustomerExcludingAssessedTax":{"units":{"USD":[
        {"start":"2022-09-25","end":"2023-09-30","val":1,"form":"10-K","filed":"2023-11-03"},
        {"start":"2022-09-25","end":"2023-09-30","val":383285000000,"form":"10-K","filed":"2024-11-01"},
        {"start":"2023-10-01","end":"2024-09-28","val":391035000000,"form":"10-K","filed":"2024-11-01"}]}},
        "StockholdersEquity":{"units":{"USD":[
        {"end":"2024-09-28","val":56950000000,"form":"10-K","filed":"2024-11-01"},
        {"end":"2024-09-28","val":"None","form":"10-K","filed":"2025-10-31"}]}}}}}
        """#
}

@Suite("What companies file with the SEC is read by whole years")
struct SECTests {
    @Test("The newest year, the later filing of each figure, and growth over the year before")
    func fundamentals() throws {
        let decoded = try reading(SECFixtures.facts, with: SEC.fundamentals(of: CompanyAnswers.apple))
        let figures = decoded.figures
        #expect(figures.earningsPerShare == 6.08)
        #expect(figures.asOf == (try startOfDay("2024-09-28")))
        // 93,736 / 391,035; 93,736 / 56,950; 391,035 / 383,285 − 1, in millions.
        #expect(abs((figures.profitMargin ?? 0) - 0.239712) < 1e-6)
        #expect(abs((figures.returnOnEquity ?? 0) - 1.645935) < 1e-6)
        #expect(abs((figures.revenueGrowth ?? 0) - 0.020220) < 1e-6)
        #expect(figures.returnOnAssets == nil)
        #expect(decoded.refused.count == 1)
    }

    @Test("Companies are asked for by their number; of others there is nothing")
    func filers() {
        let path = SEC.fundamentals(of: CompanyAnswers.equity("MSFT"))?.request.path
        #expect(path == "/api/xbrl/companyfacts/CIK0000789019.json")
        #expect(SEC.fundamentals(of: CompanyAnswers.equity("IBM")) == nil)
    }

    @Test(
        "Apple's recorded filings have the truth's years",
        .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence))
    func recorded() throws {
        let file = "sec/companyfacts_CIK0000320193.json.gz"
        let decoded = try readingRecorded(file, with: SEC.fundamentals(of: CompanyAnswers.apple))
        #expect(decoded.figures.earningsPerShare == 7.46)
        #expect(decoded.refused.count == 0, "\(decoded.refused.reasons)")

        var reader = AnswerReader()
        let years = SEC.readYears(try AnswerReader.json(CompanyAnswers.body(file)), &reader)
        let truth = try AnswerReader.json(CompanyAnswers.truth("fundamentals.json"))
        let annual = try #require(truth["sec AAPL annual (10-K, latest filing wins)"])
        for year in years.suffix(5) {
            let day = year.end.dayText
            #expect(year.earningsPerShare == annual["EarningsPerShareDiluted"]?[day]?.double, "\(day)")
            #expect(year.netIncome == annual["NetIncomeLoss"]?[day]?.double, "\(day)")
            #expect(year.revenue == annual[SEC.revenueConcepts[0]]?[day]?.double, "\(day)")
            #expect(year.assets == annual["Assets"]?[day]?.double, "\(day)")
            #expect(year.equity == annual["StockholdersEquity"]?[day]?.double, "\(day)")
        }
    }
}
