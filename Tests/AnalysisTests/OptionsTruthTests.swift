import FIMLCore
import Foundation
import GatewayTesting
import MarketData
import MarketProviders
import Testing

@testable import Analysis

/// Recorded chains as the providers' own decoders read them.
private enum RecordedChains {
    static let absence: Comment = "../shared/market-data is absent"

    static func figures(_ name: String) throws -> Figures {
        let isIndex = name.hasPrefix("cboe")
        let asset = Asset(symbol: isIndex ? "RUT" : "AAPL", assetType: isIndex ? .index : .equity)
        let endpoint = try #require(
            isIndex ? Cboe.optionChain(of: asset) : Yahoo.optionChain(of: asset))
        let path = isIndex ? "provider-responses/cboe/delayed_quotes_options_RUT.json.gz" : name
        var figures = Figures(asset, at: OptionFixtures.morning)
        figures.optionChain = try endpoint.decode(body(RecordedPrices.directory + path)).figures
        // Of Cboe's chain the truth takes one series: `cboe RUT RUT231117`.
        if isIndex, let series = name.split(separator: " ").last {
            figures.optionChain?.contracts.removeAll { !$0.symbol.hasPrefix(series) }
        }
        return figures
    }

    private static func body(_ path: String) throws -> [UInt8] {
        guard path.hasSuffix(".gz") else { return [UInt8](try Data(contentsOf: URL(filePath: path))) }
        let gunzip = Process()
        gunzip.executableURL = URL(filePath: "/usr/bin/gunzip")
        gunzip.arguments = ["-c", path]
        let output = Pipe()
        gunzip.standardOutput = output
        try gunzip.run()
        let bytes = [UInt8](try output.fileHandleForReading.readToEnd() ?? Data())
        gunzip.waitUntilExit()
        return bytes
    }
}

@Suite(
    "On recorded chains the figures are those of pandas and vollib",
    .enabled(if: RecordedPrices.isThere, RecordedChains.absence))
struct OptionsTruthTests {
    private static let metrics = [
        "total_call_volume", "total_put_volume", "put_call_ratio", "put_call_oi_ratio",
        "call_implied_volatility", "put_implied_volatility", "avg_implied_volatility", "volatility_skew",
        "unusual_call_count", "unusual_put_count",
    ]

    @Test("Ratios, volatilities and counts, to 1e-9", arguments: RecordedPrices.series("options"))
    func chains(name: String) throws {
        // Contracts without a volatility, which the truth leaves out, are priced off the bounds at 4 %: the
        // worker can compute none.
        let figures = try RecordedChains.figures(name)
        let entry = try #require(try RecordedPrices.truth("options")[name])
        let truth = entry["chain"] ?? entry
        let finding = try OptionsWorker().analyze(figures)
        // The truth says 0 where nothing can be divided by; the worker says null.
        let unopened = truth["call_oi"]?.double == 0
        for metric in Self.metrics where !(unopened && metric == "put_call_oi_ratio") {
            let value = finding.value("metrics", metric)?.double
            #expect(isClose(value, truth[metric]?.double), "\(metric)")
        }
        #expect(finding.missingSubjects == (unopened ? ["put_call_oi_ratio"] : []))
        #expect(finding.value("sentiment") == truth["sentiment"])
        #expect(finding.asOf == figures.optionChain?.observedAt)
        let unusual = (truth["unusual_call_count"]?.double ?? 0) + (truth["unusual_put_count"]?.double ?? 0)
        let rows = finding.value("unusual_activity")?.elements ?? []
        #expect(Double(rows.count) == min(unusual, 10))
        let volumes = rows.compactMap { $0["volume"]?.double }
        #expect(volumes.count == rows.count && volumes == volumes.sorted(by: >))
    }

    @Test("Of a week's options Cboe gives 42 calls far in the money none, and their spreads tell none")
    func farInTheMoney() throws {
        let finding = try OptionsWorker().analyze(RecordedChains.figures("cboe RUT RUTW230929"))
        // Plain means of those that Cboe gives, by Python.
        for (metric, mean) in [
            ("call_implied_volatility", 0.25217464788732397), ("put_implied_volatility", 0.3832425925925926),
        ] {
            #expect(isClose(finding.value("metrics", metric)?.double, mean), "\(metric)")
        }
    }

    @Test(
        "Implied volatilities of bid and ask, to 1e-6, and prices back",
        arguments: ["cboe RUT RUT231117", "cboe RUT RUT231215"])
    func volatilities(name: String) throws {
        let truth = try #require(try RecordedPrices.truth("options")[name])
        func input(_ name: String) throws -> Double { try #require(truth["inputs"]?[name]?.double) }
        let rows = truth["options"]?.elements ?? []
        #expect(rows.count > 90)
        for row in rows {
            let option = BlackScholesMerton(
                kind: row["type"]?.text == "c" ? .call : .put, spot: try input("S"),
                strike: try #require(row["strike"]?.double), rate: try input("r"), yield: try input("q"),
                years: try input("T"))
            let (middle, expected) = (row["mid"]?.double ?? 0, row["iv_bsm"]?.double ?? 0)
            let volatility = option.impliedVolatility(price: middle) ?? 0
            #expect(abs(volatility - expected) <= 1e-6, "\(row["option"]?.text ?? "")")
            #expect(isClose(option.price(volatility: expected), middle, within: 1e-5))
        }
    }
}
