import FIMLCore
import FoundationEssentials
import Testing

@testable import MarketData

/// Where the package's own recording lies in its sources.
let shippedRecording = #filePath.replacing(
    "Tests/MarketDataTests/ShippedRecordingTests.swift", with: "Sources/MarketData/Recording")

/// The drops that the whole record of that day holds.
private let liquidityDrops = #filePath.replacing(
    "Tests/MarketDataTests/ShippedRecordingTests.swift",
    with: "../shared/market-data/truth/liquidity_drop_1pct.csv")

@Suite("The recorded market that comes with the gateway drives all eight watchdogs")
struct ShippedRecordingTests {
    private let recording: Recording
    private let market: ReplayMarket

    init() throws {
        recording = try Recording.load(directory: shippedRecording)
        market = try ReplayMarket(recording, from: nil, speed: 86_400)
    }

    private static func at(_ text: String) throws -> Timestamp { try #require(Timestamp(rfc3339: text)) }

    /// Whether a moment is replayed.
    private func isReplayed(_ moment: Timestamp) -> Bool {
        market.episodes.contains { $0.from <= moment && moment <= $0.to }
    }

    private func bars(_ symbol: String) throws -> [Bar] {
        try #require(recording.bars.first { $0.asset.symbol == symbol }).figures
    }

    @Test("it is read without one refused row, and spans what its README says")
    func shipped() {
        #expect(recording.refused.count == 0)
        #expect(market.barAssets.map(\.symbol) == ["AAPL", "AIG", "AMZN", "BAC", "BTC", "QQQ", "SPY"])
        #expect(recording.bars.map(\.figures.count) == [263, 628, 263, 1_008, 1_318, 2_377, 3_440])
        #expect(
            recording.bars.allSatisfy { series in series.figures.allSatisfy { $0.intervalSeconds == 86_400 } }
        )
        #expect(recording.fundingRates.map { $0.figures.map(\.count) } == [[357]])
        #expect(recording.depths.map(\.figures.count) == [480])
        #expect(recording.transfers.map(\.figures.count) == [10])
        #expect(market.earningsAssets.map(\.symbol) == ["AAPL", "AMZN"])
        #expect(recording.episodes.count == 5)
        #expect(recording.fundamentals.map(\.asset.symbol) == ["AAPL", "AMZN", "GOOG"])
        #expect(recording.observations.mapValues(\.count).values.reduce(0, +) == 341)
        #expect(recording.news.map(\.asset.symbol) == ["AAPL", "AMZN", "BTC", "GOOG", "QQQ"])
        #expect(recording.news.allSatisfy { $0.figures.count == 4 })
        #expect(recording.optionChains.map { $0.figures.map(\.contracts.count) } == [[102], [180]])
    }

    @Test(
        "a lap of all episodes takes under 40 seconds at the default speed")
    func lap() throws {
        #expect(market.clock.lapMilliseconds < 40 * 86_400_000)
        // 1 + 26 + 6 + 1.5 + 1 days.
        #expect(market.clock.lapMilliseconds == 3_067_200_000)
        var clock = market.clock
        let moments = clock.advance(to: .milliseconds(35_499))
        #expect(Set(moments.map(\.lap)) == [0, 1, 2, 3, 4])
        #expect(moments.allSatisfy { isReplayed($0.time) })
        #expect(
            clock.advance(to: .milliseconds(35_500)).last
                == MarketMoment(lap: 5, time: try Self.at("2019-11-15T12:00:00Z")))
    }

    @Test("unusual_volume: a bar of more than three times the mean of the 30 before")
    func volume() throws {
        let bars = try bars("SPY")
        let unusual = bars.indices.dropFirst(30).filter { index in
            let mean = bars[index - 30..<index].reduce(0) { $0 + ($1.volume ?? 0) } / 30
            return (bars[index].volume ?? 0) > 3 * mean && isReplayed(bars[index].closesAt)
        }
        #expect(!unusual.isEmpty)
    }

    @Test("price_anomaly: a close more than 5 % from the one before")
    func price() throws {
        let bars = try bars("SPY")
        let moves = zip(bars, bars.dropFirst()).filter { before, after in
            isReplayed(after.closesAt) && abs(after.close / before.close - 1) > 0.05
        }
        #expect(moves.count >= 2)
    }

    @Test("funding_rate: more than 0.1 % either way")
    func fundingRate() throws {
        let rates = try #require(recording.fundingRates.first?.figures.first)
        #expect(rates.contains { abs($0.rate) > 0.001 && isReplayed($0.knownAt) })
    }

    /// 7 returns correlate by 0.0148, 90 by 0.9653 on 2020-06-03 (pandas over QuantConnect/Lean's closes).
    @Test("correlation_breakdown: SPY and QQQ part in June 2020")
    func correlation() throws {
        let last = try Self.at("2020-06-04T00:00:00Z")
        #expect(isReplayed(last))
        let closes = try ["QQQ", "SPY"].map { symbol in
            try bars(symbol).filter { $0.closesAt <= last }.suffix(91)
        }
        #expect(closes[0].map(\.opensAt) == closes[1].map(\.opensAt))
        let returns = closes.map { bars in zip(bars, bars.dropFirst()).map { $1.close / $0.close - 1 } }
        let short = Self.pearson(returns[0].suffix(7), returns[1].suffix(7))
        let long = Self.pearson(returns[0][...], returns[1][...])
        #expect(abs(short - 0.014836814) < 1e-9)
        #expect(abs(long - 0.9652694929) < 1e-9)
    }

    @Test("earnings_anomaly: a surprise of more than 10 %")
    func earnings() throws {
        for (symbol, surprise) in [("AMZN", 605.479_452_054_8), ("AAPL", 25.490_196_078_4)] {
            let asset = Asset(symbol: symbol, assetType: .equity)
            let before = market.earnings(of: [asset], at: try Self.at("2020-07-30T20:00:59Z"))[0]
            #expect(try before.result.get()?.quarterEnd == Self.at("2020-03-31T00:00:00Z"))
            let answer = market.earnings(of: [asset], at: try Self.at("2020-07-30T20:30:00Z"))[0]
            let report = try #require(try answer.result.get())
            let estimate = try #require(report.estimatedEPS)
            #expect(abs((report.actualEPS - estimate) / estimate * 100 - surprise) < 1e-9)
            #expect(isReplayed(try #require(report.reportedAt)))
        }
    }

    @Test("whale_movement: a transfer of more than a million dollars, and its chain is seen on that day only")
    func whale() throws {
        func transfers(_ moment: String) throws -> [Transfer]? {
            try market.transfers(
                of: market.transferAssets, at: Self.at(moment), within: 120, minUSD: 1_000_000)[0]
                .result.get()
        }
        let block = try #require(try transfers("2019-11-15T22:52:23Z"))
        #expect(block.map(\.amount) == [2_273.803_947_07])
        #expect(isReplayed(block[0].observedAt))
        #expect(try transfers("2019-11-15T22:52:22Z") == [])
        #expect(try transfers("2019-11-16T00:00:00Z") == nil)
    }

    @Test("liquidity_drop: depth under half of its mean, and under 30 % of it")
    func liquidity() throws {
        let depths = try #require(recording.depths.first?.figures)
        var sum = 0.0
        var ratios: [Double] = []
        for (index, depth) in depths.enumerated() {
            if index > 0 { ratios.append(depth.depthUSD / (sum / Double(index))) }
            sum += depth.depthUSD
        }
        #expect(depths.allSatisfy { isReplayed($0.observedAt) })
        #expect(ratios.count { $0 < 0.3 } == 6)
        #expect(ratios.count { $0 < 0.5 } == 32)
        #expect(
            depths.dropFirst().map { $0.depthUSD / ($0.meanUSD ?? .nan) }.elementsEqual(ratios) {
                abs($0 / $1 - 1) < 1e-12
            })
    }

    /// Fewer snapshots make a slightly other mean, which decides only at the very edge of one half.
    @Test(
        "liquidity_drop: the thinned snapshots drop where the whole record does",
        .enabled(
            if: FileManager.default.fileExists(atPath: liquidityDrops), "../shared/market-data is not there"))
    func liquidityTruth() throws {
        var severities: [Timestamp: String] = [:]
        for line in try String(contentsOfFile: liquidityDrops, encoding: .utf8).split(separator: "\n") {
            let fields = line.split(separator: ",", omittingEmptySubsequences: false)
            guard let time = Timestamp(rfc3339: String(fields[0])) else { continue }
            severities[time] = String(fields[5])
        }
        for depth in try #require(recording.depths.first?.figures) {
            guard let mean = depth.meanUSD, abs(depth.depthUSD / mean - 0.5) > 0.001 else { continue }
            let ratio = depth.depthUSD / mean
            let severity = ratio < 0.3 ? "CRITICAL" : ratio < 0.5 ? "HIGH" : ""
            #expect(severities[depth.observedAt] == severity)
        }
    }

    @Test("exchange_outage: two exchanges fail for hours while they are replayed, and come back")
    func outage() throws {
        #expect(market.exchangeScript.map(\.statusCode) == [503, 200, 503, 200])
        #expect(market.exchangeScript.map(\.exchange) == ["coinbase", "coinbase", "binance", "binance"])
        #expect(market.exchangeScript.allSatisfy { isReplayed($0.time) && $0.delayMilliseconds == 0 })
    }

    /// QuantConnect/Lean, spy.zip, 2020-03-16.
    @Test("figures are carried over as they were")
    func figures() throws {
        let bar = try #require(
            try bars("SPY").first { $0.opensAt == Timestamp(milliseconds: 1_584_316_800_000) })
        #expect(market.barAssets.last == Asset(symbol: "SPY", assetType: .etf))
        #expect((bar.open, bar.high, bar.low, bar.close) == (240.78, 256.9, 237.37, 239.85))
        #expect(bar.volume == 266_357_640)
    }

    @Test("every file states in the README whose it is")
    func licences() throws {
        let readme = try String(contentsOfFile: shippedRecording + "/README.md", encoding: .utf8)
        let files = try FileManager.default.contentsOfDirectory(atPath: shippedRecording)
        for file in files where file.hasSuffix(".csv") {
            let row = try #require(readme.split(separator: "\n").first { $0.hasPrefix("| `\(file)`") })
            let terms = ["Apache-2.0", "MIT", "public record of the", "this project's", "public domain"]
            #expect(terms.contains { row.contains($0) })
        }
    }

    private static func pearson(_ left: ArraySlice<Double>, _ right: ArraySlice<Double>) -> Double {
        let meanLeft = left.reduce(0, +) / Double(left.count)
        let meanRight = right.reduce(0, +) / Double(right.count)
        let product = zip(left, right).reduce(0) { $0 + ($1.0 - meanLeft) * ($1.1 - meanRight) }
        func squares(_ values: ArraySlice<Double>, _ mean: Double) -> Double {
            values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        }
        return product / (squares(left, meanLeft) * squares(right, meanRight)).squareRoot()
    }
}
