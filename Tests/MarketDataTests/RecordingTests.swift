import FIMLCore
import FoundationEssentials
import Testing

@testable import MarketData

/// Where the package's own recording lies in its sources.
let shippedRecording = #filePath.replacing(
    "Tests/MarketDataTests/RecordingTests.swift", with: "Sources/MarketData/Recording")

@Suite("The recorded market that comes with the gateway")
struct RecordingTests {
    @Test("it is read without one refused row, and spans what its README says")
    func shipped() throws {
        let recording = try Recording.load(directory: shippedRecording)
        #expect(recording.refused.count == 0)
        #expect(recording.bars.map(\.asset.symbol) == ["AIG", "BAC", "BTC", "QQQ", "SPY"])
        #expect(recording.bars.map(\.bars.count) == [628, 1_008, 1_318, 2_278, 3_341])
        #expect(
            recording.bars.allSatisfy { series in series.bars.allSatisfy { $0.intervalSeconds == 86_400 } })
        #expect(recording.fundingRates.map { $0.exchanges.map(\.count) } == [[213]])
    }

    /// QuantConnect/Lean, spy.zip, 2020-03-16.
    @Test("figures are carried over as they were")
    func figures() throws {
        let spy = try #require(try Recording.load(directory: shippedRecording).bars.last)
        let bar = try #require(spy.bars.first { $0.opensAt == Timestamp(milliseconds: 1_584_316_800_000) })
        #expect(spy.asset == Asset(symbol: "SPY", assetType: .etf))
        #expect((bar.open, bar.high, bar.low, bar.close) == (240.78, 256.9, 237.37, 239.85))
        #expect(bar.volume == 266_357_640)
    }

    @Test("every file states a licence in the README")
    func licences() throws {
        let readme = try String(contentsOfFile: shippedRecording + "/README.md", encoding: .utf8)
        let files = try FileManager.default.contentsOfDirectory(atPath: shippedRecording)
        for file in files where file.hasSuffix(".csv") {
            let row = try #require(readme.split(separator: "\n").first { $0.contains("`\(file)`") })
            #expect(row.contains("Apache-2.0") || row.contains("MIT"))
        }
    }

    @Test("a file that cannot be read is named with the reason")
    func unreadable() {
        let missing = #expect(throws: CSVProblem.self) { try Recording.load(files: ["/nonexistent/x.csv"]) }
        #expect(missing?.value == "No such file or directory")
        let directory = #expect(throws: CSVProblem.self) { try Recording.load(files: [shippedRecording]) }
        #expect(directory?.value == "Is a directory")
        let noDirectory = #expect(throws: CSVProblem.self) { try Recording.load(directory: "/nonexistent") }
        #expect(noDirectory?.file == "/nonexistent")
    }

    @Test("a file larger than allowed is refused, an endless one too")
    func tooLarge() {
        #expect(throws: CSVProblem.self) { try BoundedFile.read("/dev/zero", limit: 100_000) }
    }

    @Test("one symbol may be spread over several files; what was there already is refused")
    func severalFiles() throws {
        let first = (name: "A_1.csv", bytes: Array("time,close\n60,1\n120,2\n".utf8))
        let second = (name: "A_2.csv", bytes: Array("time,close\n120,9\n180,3\n".utf8))
        let recording = try parseRecording([first, second])
        #expect(recording.bars[0].bars.map(\.close) == [1, 2, 3])
        #expect(recording.refused.count == 1)
    }
}
