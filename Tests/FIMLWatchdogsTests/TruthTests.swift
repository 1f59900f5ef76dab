import FIMLCore
import FoundationEssentials
import MarketData
import Testing

@testable import FIMLWatchdogs

/// Recorded series and what should come of them, computed independently; beside the package where it is there
/// at all.
private let marketData = #filePath.replacing(
    "Tests/FIMLWatchdogsTests/TruthTests.swift", with: "../shared/market-data/")
private let isThere = FileManager.default.fileExists(atPath: marketData + "truth/unusual_volume.csv")

/// The rows of a file of `marketData` by their columns.
private func table(_ path: String) throws -> [[String: String]] {
    let lines = try String(contentsOfFile: marketData + path, encoding: .utf8).split(separator: "\n")
        .map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
    let header = try #require(lines.first)
    return lines.dropFirst().map { Dictionary(uniqueKeysWithValues: zip(header, $0)) }
}

private func close(_ value: JSONValue?, _ expected: String?) -> Bool {
    guard case .number(let value) = value, let expected = expected.flatMap(Double.init) else { return false }
    // Percentages are given to 10 decimals.
    return abs(value - expected) <= max(1e-9 * abs(expected), 6e-11)
}

private func day(_ moment: Timestamp) -> String {
    String(moment.rfc3339.prefix(10))
}

/// Every bar of a series judged at its close.
private func judgements(
    _ path: String, _ make: (ReplayMarket) -> any Watchdog
) async throws -> [(opensAt: Timestamp, judgement: Judgement)] {
    let recording = try Recording.load(files: [marketData + path])
    #expect(recording.refused.first.map(\.description) == [])
    let watchdog = make(try ReplayMarket(recording, from: nil, speed: 1))
    var judged: [(Timestamp, Judgement)] = []
    for bar in recording.bars[0].bars {
        judged += try await watchdog.check(at: bar.closesAt).map { (bar.opensAt, $0) }
    }
    return judged
}

@Suite(
    "Detectors find the true anomalies, none more, none fewer",
    .enabled(if: isThere, "../shared/market-data is absent"))
struct TruthTests {
    private static let dailySeries: [String] =
        ((try? table("truth/unusual_volume_summary.csv")) ?? []).compactMap { $0["series"] }

    @Test("unusual_volume on daily bars", arguments: dailySeries)
    func unusualVolume(series: String) async throws {
        let expected = try table("truth/unusual_volume.csv").filter { $0["series"] == series }
        let summary = try #require(
            try table("truth/unusual_volume_summary.csv").first { $0["series"] == series })
        let judged = try await judgements(series) { UnusualVolumeWatchdog(source: $0) }
        #expect(summary["bars_judged"] == "\(judged.count)")
        let found = judged.filter { $0.judgement.anomaly != nil }
        #expect(found.map { day($0.opensAt) } == expected.map { $0["date"] })
        for (found, expected) in zip(found, expected) {
            let data = found.judgement.data
            #expect(close(data["current_volume"], expected["volume"]))
            #expect(close(data["avg_volume"], expected["avg30_before"]))
            #expect(close(data["volume_ratio"], expected["ratio"]))
            #expect(close(data["price_change_pct"], expected["price_change_pct"]))
            #expect(found.judgement.anomaly?.severity.rawValue.uppercased() == expected["severity"])
        }
    }

    @Test("price_anomaly on daily bars, bar to bar", arguments: dailySeries)
    func dailyMoves(series: String) async throws {
        let expected = try table("truth/price_moves_daily_over_5pct.csv").filter { $0["series"] == series }
        let found = try await judgements(series) { PriceAnomalyWatchdog(source: $0) }
            .filter { $0.judgement.anomaly != nil }
        #expect(found.map { day($0.opensAt) } == expected.map { $0["date"] })
        for (found, expected) in zip(found, expected) {
            let data = found.judgement.data
            #expect(close(data["past_price"], expected["close_before"]))
            #expect(close(data["current_price"], expected["close"]))
            #expect(close(data["change_pct"], expected["change_pct"]))
        }
    }

    @Test("price_anomaly on one-minute bars: the near misses stay quiet")
    func minuteMoves() async throws {
        #expect(try table("truth/price_anomaly_1m.csv").isEmpty)
        for summary in try table("truth/price_anomaly_1m_summary.csv") {
            let judged = try await judgements(summary["series"] ?? "") { PriceAnomalyWatchdog(source: $0) }
            #expect(summary["pairs_one_minute_apart"] == "\(judged.count)")
            #expect(judged.allSatisfy { $0.judgement.anomaly == nil })
            let changes = judged.map { judged -> Double in
                if case .number(let change) = judged.judgement.data["change_pct"] { change } else { .nan }
            }
            #expect(close(changes.min().map { .number($0) }, summary["smallest_change_pct"]))
            #expect(close(changes.max().map { .number($0) }, summary["largest_change_pct"]))
        }
    }

    @Test(
        "funding_rate on recorded series",
        arguments: ["BTCUSDT_daily_mean_2019_2026", "XRPUSDT_8h_2021", "BTCUSD_coinm_8h_2020"])
    func fundingRates(name: String) async throws {
        let series = "history/funding/\(name).csv"
        let text = try String(contentsOfFile: marketData + series, encoding: .utf8)
        let file = TemporaryFile(name: name, text: text.replacing("funding_mean", with: "funding_rate"))
        let recording = try Recording.load(files: [try file.write()])
        defer { file.remove() }
        let watchdog = FundingRateWatchdog(source: try ReplayMarket(recording, from: nil, speed: 1))
        let expected = try table("truth/funding_rate.csv").filter { $0["series"] == series }
        var found: [(time: Timestamp, judgement: Judgement)] = []
        for rate in recording.fundingRates[0].exchanges[0] {
            let judged = try await watchdog.check(at: rate.knownAt)
            #expect(judged.count == 1)
            found += judged.filter { $0.anomaly != nil }.map { (rate.knownAt, $0) }
        }
        #expect(found.count == expected.count)
        for (found, expected) in zip(found, expected) {
            let isDay = expected["time_or_symbol"]?.count == 10
            let dated = Timestamp(milliseconds: found.time.milliseconds - (isDay ? 86_400_000 : 0))
            #expect(
                isDay ? day(dated) == expected["time_or_symbol"] : dated.rfc3339 == expected["time_or_symbol"]
            )
            #expect(close(found.judgement.data["avg_funding_rate"], expected["rate"]))
            #expect(close(found.judgement.data["funding_rate_pct"], expected["rate_pct"]))
            #expect(found.judgement.anomaly?.severity.rawValue.uppercased() == expected["severity"])
        }
    }

    private struct PremiumIndex: Decodable {
        var symbol: String
        var lastFundingRate: String
    }

    @Test("funding_rate on all contracts of one exchange at once")
    func manyFundingRates() async throws {
        let series = "provider-responses/binance-futures/premiumIndex_all.json"
        let body = try Data(contentsOf: URL(filePath: marketData + series))
        let contracts = try JSONDecoder().decode([PremiumIndex].self, from: body)
        let market = FixtureMarket(
            rates: Dictionary(
                contracts.compactMap { contract in
                    Double(contract.lastFundingRate).map {
                        let rate = FundingRate(
                            exchange: "binance", rate: $0, knownAt: at(0), intervalSeconds: 28_800)
                        return (equity(contract.symbol), [rate])
                    }
                }
            ) { first, _ in first })
        let found = try await FundingRateWatchdog(source: market).check(at: at(0)).filter {
            $0.anomaly != nil
        }
        let expected = try table("truth/funding_rate.csv").filter { $0["series"] == series }
        #expect(Set(found.map { $0.assets[0].symbol }) == Set(expected.compactMap { $0["time_or_symbol"] }))
        for judgement in found {
            let row = expected.first { $0["time_or_symbol"] == judgement.assets[0].symbol }
            #expect(close(judgement.data["funding_rate_pct"], row?["rate_pct"]))
            #expect(judgement.anomaly?.severity.rawValue.uppercased() == row?["severity"])
        }
    }
}

/// A file that lives as long as a test.
private struct TemporaryFile {
    let path: String
    let text: String

    init(name: String, text: String) {
        path = FileManager.default.temporaryDirectory.path + "/\(name)_\(UUID().uuidString).csv"
        self.text = text
    }

    func write() throws -> String {
        try text.write(toFile: path, atomically: false, encoding: .utf8)
        return path
    }

    func remove() {
        try? FileManager.default.removeItem(atPath: path)
    }
}
