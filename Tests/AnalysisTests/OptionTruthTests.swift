import FIMLCore
import Foundation
import MarketData
import MarketProviders
import Testing

@testable import Analysis

@Suite(
    "Of recorded chains the figures are those computed with pandas and vollib",
    .enabled(if: RecordedPrices.isThere, "../shared/market-data is absent"))
struct OptionTruthTests {
    private static let russell = Asset(symbol: "RUT", assetType: .index)

    private static func body(_ path: String) throws -> [UInt8] {
        let file = RecordedPrices.directory + "provider-responses/" + path
        guard path.hasSuffix(".gz") else { return [UInt8](try Data(contentsOf: URL(filePath: file))) }
        let gunzip = Process()
        gunzip.executableURL = URL(filePath: "/usr/bin/gunzip")
        gunzip.arguments = ["-c", file]
        let output = Pipe()
        gunzip.standardOutput = output
        try gunzip.run()
        let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        gunzip.waitUntilExit()
        return bytes
    }

    private static func russellChain() throws -> OptionChain {
        let endpoint = try #require(Cboe.optionChain(of: russell))
        return try endpoint.decode(body("cboe/delayed_quotes_options_RUT.json.gz")).figures
    }

    private static func finding(_ asset: Asset, _ chain: OptionChain) throws -> Finding {
        var figures = Figures(asset, at: chain.observedAt)
        figures.optionChain = chain
        return try OptionsWorker().analyze(figures)
    }

    private static func expect(_ finding: Finding, _ truth: JSONValue) {
        for name in [
            "total_call_volume", "total_put_volume", "put_call_ratio", "call_implied_volatility",
            "put_implied_volatility", "avg_implied_volatility", "volatility_skew", "unusual_call_count",
            "unusual_put_count",
        ] {
            #expect(isClose(finding.value("metrics", name)?.double, truth[name]?.double), "\(name)")
        }
        // Where no call is open the truth says 0; there is no such ratio.
        let ratio = finding.value("metrics", "put_call_oi_ratio")
        if truth["call_oi"]?.double == 0 {
            #expect(ratio == .null)
            #expect(finding.missingSubjects == ["put_call_oi_ratio"])
        } else {
            #expect(isClose(ratio?.double, truth["put_call_oi_ratio"]?.double))
            #expect(finding.missing.isEmpty)
        }
        #expect(finding.value("sentiment") == truth["sentiment"])
        let unusual = [truth["unusual_call_count"]?.int64, truth["unusual_put_count"]?.int64]
        let listed = finding.value("unusual_activity")?.elements?.count
        #expect(listed == min(10, Int(unusual.compactMap { $0 }.reduce(0, +))))
    }

    @Test("Yahoo's chains, to 1e-9", arguments: ["AAPL", "CRON", "QQQ"])
    func yahoo(symbol: String) throws {
        let asset = Asset(symbol: symbol, assetType: .equity)
        let endpoint = try #require(Yahoo.optionChain(of: asset))
        let chain = try endpoint.decode(Self.body("yahoo/options_\(symbol).json")).figures
        let name = "provider-responses/yahoo/options_\(symbol).json"
        let truth = try #require(try RecordedPrices.truth("options")[name])
        let finding = try Self.finding(asset, chain)
        Self.expect(finding, truth)
        #expect(finding.asOf == chain.observedAt)
    }

    @Test("Two series of Cboe's chain, to 1e-9", arguments: ["RUT231117", "RUT231215"])
    func cboe(series: String) throws {
        var chain = try Self.russellChain()
        chain.contracts.removeAll { !$0.symbol.hasPrefix(series) }
        let truth = try #require(try RecordedPrices.truth("options")["cboe RUT \(series)"]?["chain"])
        Self.expect(try Self.finding(Self.russell, chain), truth)
    }

    @Test("Of Cboe's whole chain the first day of expiry that is a week away is judged")
    func wholeChain() throws {
        let chain = try Self.russellChain()
        let series = try #require(OptionSeries(of: chain))
        #expect(series.expiresOn == Timestamp(rfc3339: "2023-09-29T00:00:00Z"))
        #expect(series.contracts.allSatisfy { $0.symbol.hasPrefix("RUTW230929") })
        let finding = try Self.finding(Self.russell, chain)
        #expect(finding.missing.isEmpty)
        #expect(finding.confidence == 1)
        // Of the options that Cboe gives none, not one has a spread that tells it: plain means of the others.
        #expect(isClose(finding.value("metrics", "call_implied_volatility")?.double, 0.25217464788732397))
        #expect(isClose(finding.value("metrics", "put_implied_volatility")?.double, 0.3832425925925926))
    }

    @Test(
        "Implied volatilities of recorded prices are vollib's, to 1e-6",
        arguments: ["RUT231117", "RUT231215"])
    func impliedVolatilities(series: String) throws {
        let truth = try #require(try RecordedPrices.truth("options")["cboe RUT \(series)"])
        func input(_ name: String) throws -> Double { try #require(truth["inputs"]?[name]?.double) }
        let options = try #require(truth["options"]?.elements)
        #expect(options.count > 90)
        for option in options {
            let strike = try #require(option["strike"]?.double)
            let terms = try BlackScholesMerton(
                spot: input("S"), strike: strike, rate: input("r"), yield: input("q"), years: input("T"))
            let model = try #require(terms)
            let kind: OptionContract.Kind = option["type"]?.text == "c" ? .call : .put
            let price = try #require(option["mid"]?.double)
            let expected = try #require(option["iv_bsm"]?.double)
            let implied = try #require(model.impliedVolatility(kind, price: price))
            #expect(abs(implied - expected) <= 1e-6, "\(option["option"]?.text ?? "")")
            #expect(abs(model.price(kind, volatility: implied) - price) <= 1e-9)
        }
    }
}
