import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

/// A short answer in the shape of a real one, with figures of the Russell 2000.
enum CboeFixtures {
    static let chain = #"""
        {"timestamp":"2023-09-21 03:17:42","data":{"options":[
        {"option":"RUT231020C01000000","bid":809.5,"ask":811.1,"iv":0.0,"open_interest":0.0,"volume":0.0,
        "last_trade_price":860.9},
        {"option":"RUT231020P01000000","bid":0.0,"ask":0.15,"iv":0.6836,"open_interest":22.0,"volume":0.0,
        "last_trade_price":0.0},
        {"option":"RUT231320P01000000","bid":0.0}],"symbol":"^RUT","current_price":1806.1193},
        "symbol":"_RUT"}
        """#
}

@Suite("Cboe's option chains are read")
struct CboeTests {
    @Test("Terms come from the option's symbol; what cannot be known is nil")
    func chain() throws {
        let endpoint = Cboe.optionChain(of: CompanyAnswers.russell)
        let decoded = try reading(CboeFixtures.chain, with: endpoint)
        let options = decoded.figures.contracts
        #expect(options.map(\.kind) == [.call, .put])
        #expect(options.map(\.strike) == [1_000, 1_000])
        #expect(options.map(\.impliedVolatility) == [nil, 0.6836])
        #expect(options.map(\.last) == [860.9, nil])
        #expect(decoded.figures.observedAt == (try moment("2023-09-21T03:17:42Z")))
        #expect(decoded.refused.reasons == ["options[2].option is not an option's symbol"])
        let apple = Cboe.optionChain(of: CompanyAnswers.apple)
        #expect(apple?.request.path == "/api/global/delayed_quotes/options/AAPL.json")
        #expect(Cboe.optionChain(of: CompanyAnswers.bitcoin) == nil)
    }

    @Test(
        "Symbols that are none",
        arguments: [
            "", "RUT", "RUT231020X01000000", "RUT230230C01000000", "RUT231020C0100000A", "231020C01000000",
            "RUT231020C00000000", "RUT231020C+1000000", "TOOLONGXX231020C01000000",
        ])
    func terms(symbol: String) {
        #expect(OptionTerms(symbol) == nil)
    }

    @Test(
        "The recorded chain has the truth's counts",
        .enabled(if: CompanyAnswers.arePresent, CompanyAnswers.absence),
        arguments: [("cboe RUT RUT231117", "RUT231117"), ("cboe RUT RUT231215", "RUT231215")])
    func recorded(name: String, series: String) throws {
        let decoded = try readingRecorded(
            "cboe/delayed_quotes_options_RUT.json.gz", with: Cboe.optionChain(of: CompanyAnswers.russell))
        #expect(decoded.figures.contracts.count == 6_680)
        #expect(decoded.refused.count == 0, "\(decoded.refused.reasons)")
        let truth = try AnswerReader.json(CompanyAnswers.truth("options.json"))[name]
        let contracts = decoded.figures.contracts.filter { $0.symbol.hasPrefix(series) }
        try expectTrueCounts(contracts, truth?["chain"])
        #expect(decoded.figures.underlyingPrice == truth?["inputs"]?["S"]?.double)
        for row in truth?["options"]?.elements ?? [] {
            let contract = try #require(contracts.first { $0.symbol == row["option"]?.text })
            #expect(contract.strike == row["strike"]?.double)
            #expect(contract.impliedVolatility == row["cboe_iv"]?.double)
            #expect(((contract.bid ?? 0) + (contract.ask ?? 0)) / 2 == row["mid"]?.double)
        }
    }
}
