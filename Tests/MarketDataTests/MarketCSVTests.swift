import FIMLCore
import GatewayTesting
import Testing

@testable import MarketData

@Suite("A user's own CSV is read or its faults are named")
struct MarketCSVTests {
    private static func read(_ text: String, file: String = "ABC_daily.csv") throws(CSVProblem) -> Recording {
        try parseRecording([(file, Array(text.utf8))])
    }

    @Test(
        "columns come in any order, extra ones are passed over, quotes, CRLF and a byte order mark are taken")
    func header() throws {
        let text =
            "\u{FEFF}\"Volume\",note,Close,DATE\r\n5,\"a, b\",\"1.5\",2020-01-01\r\n\r\n6,,2.5,2020-01-02\r\n"
        let series = try #require(try Self.read(text).bars.first)
        #expect(series.asset == Asset(symbol: "ABC", assetType: .equity))
        #expect(series.figures.map(\.close) == [1.5, 2.5])
        #expect(series.figures.map(\.volume) == [5, 6])
        #expect(series.figures.map(\.intervalSeconds) == [86_400, 86_400])
        #expect(series.figures[0].high == 1.5)
    }

    @Test("a file of several symbols becomes several series, with their asset types")
    func symbols() throws {
        let text = """
            time,symbol,asset_type,open,high,low,close,volume
            60,btc,crypto,1,2,0.5,1.5,
            60,SPY,etf,10,10,10,10,7
            120,btc,crypto,1,2,0.5,1.5,3
            """
        let recording = try Self.read(text)
        #expect(recording.bars.map(\.asset.symbol) == ["BTC", "SPY"])
        #expect(recording.bars[0].asset.market == .crypto)
        #expect(recording.bars[0].figures.map(\.volume) == [nil, 3])
        #expect(recording.bars[1].figures.map(\.intervalSeconds) == [60])
    }

    @Test("funding rates are kept apart by exchange, and a day's rate is known when the day is over")
    func fundingRates() throws {
        let text =
            """
            date,exchange,funding_rate
            2020-02-10,Binance,0.001
            2020-02-10,okx,-0.002
            2020-02-11,binance,0
            """
        let series = try #require(try Self.read(text, file: "dir/BTC.csv").fundingRates.first)
        #expect(series.asset == Asset(symbol: "BTC", assetType: .crypto, market: .crypto))
        #expect(series.figures.map { $0.map(\.exchange) } == [["binance", "binance"], ["okx"]])
        // 2020-02-11T00:00:00Z
        #expect(series.figures[0][0].knownAt == Timestamp(milliseconds: 1_581_379_200_000))
        #expect(series.figures.map { $0[0].intervalSeconds } == [86_400, 28_800])
    }

    @Test("the interval is the most common distance, so nights and holes do not count")
    func interval() throws {
        let text = "time,close\n0,1\n60,1\n120,1\n180,1\n3600,1\n3660,1\n3661,1\n"
        #expect(try Self.read(text).bars[0].figures[0].intervalSeconds == 60)
    }

    /// Each row is the second of a file whose first and third are good.
    @Test(
        "a wrong row is left out with line, column, value and what is allowed, and the rest is read",
        arguments: [
            ("x,SPY,etf,1,1,1,1,1", "time", "x"), ("0,SPY,etf,1,1,1,1,1", "time", "0"),
            ("60,SPY,etf,1,1,1,1,1", "time", "60"), ("90,,etf,1,1,1,1,1", "symbol", ""),
            ("90,S PY,etf,1,1,1,1,1", "symbol", "S PY"), ("90,SPY,bond,1,1,1,1,1", "asset_type", "bond"),
            ("90,SPY,etf,-1,1,1,1,1", "open", "-1"), ("90,SPY,etf,1,0.5,0.2,1,1", "high", "0.5"),
            ("90,SPY,etf,1,2,1.5,1,1", "low", "1.5"), ("90,SPY,etf,1,1,1,0,1", "close", "0"),
            ("90,SPY,etf,1,1,1,nan,1", "close", "nan"), ("90,SPY,etf,1,1,1,inf,1", "close", "inf"),
            ("90,SPY,etf,1,1,1,0x10,1", "close", "0x10"), ("90,SPY,etf,1,1,1,1e400,1", "close", "1e400"),
            ("90,SPY,etf,1,1,1,,1", "close", ""), ("90,SPY,etf,1,1,1,1,-3", "volume", "-3"),
            ("90,SPY,etf,1,1,1,1,many", "volume", "many"), ("90", "close", ""),
        ])
    func rows(row: String, column: String, value: String) throws {
        let text = """
            time,symbol,asset_type,open,high,low,close,volume
            60,SPY,etf,1,1,1,1,1
            \(row)
            120,SPY,etf,1,2,1,2,1
            """
        let recording = try Self.read(text, file: "mine.csv")
        #expect(recording.bars[0].figures.map(\.close) == [1, 2])
        #expect(recording.refused.count == 1)
        let problem = try #require(recording.refused.first.first)
        #expect((problem.file, problem.line, problem.column, problem.value) == ("mine.csv", 3, column, value))
        #expect(
            problem.description.hasPrefix(
                "mine.csv, line 3, column \(column): \"\(value)\" found, allowed is "))
    }

    @Test(
        "a file without a usable header, symbol or row is refused as a whole",
        arguments: [
            ("", "ABC.csv", 1), ("close,volume\n1,2\n", "ABC.csv", 1), ("time,price\n1,2\n", "ABC.csv", 1),
            ("time,close\n", "ABC.csv", nil), ("time,close\n1,1\n", "_prices.csv", nil),
            ("time,close\nx,1\n", "ABC.csv", 2), ("\n\n12;13\n", "ABC.csv", 3),
            (String(repeating: "a,", count: 100) + "time,close\n1,1", "ABC.csv", 1),
        ] as [(String, String, Int?)])
    func files(text: String, file: String, line: Int?) {
        let problem = #expect(throws: CSVProblem.self) { try Self.read(text, file: file) }
        #expect(problem?.line == line)
        #expect(problem?.file == file)
    }

    @Test("a line or symbol that is too long is refused, and what is shown of it is cut and printable")
    func longLines() throws {
        let text =
            "time,symbol,close\n1,A,1\n2," + String(repeating: "\u{7}", count: 5_000) + ",1\n3,"
            + String(repeating: "B", count: 33) + ",1\n"
        let recording = try Self.read(text)
        #expect(recording.refused.count == 2)
        #expect(recording.refused.first.map(\.value.count) == [40, 33])
        #expect(recording.refused.first[0].value.hasSuffix("??"))
    }

    @Test("only the first refused rows are told one by one")
    func manyRefused() throws {
        let text = "time,close\n1,1\n" + String(repeating: "0,1\n", count: 500)
        let recording = try Self.read(text)
        #expect(recording.refused.count == 500)
        #expect(recording.refused.first.count == 100)
    }

    @Test("mutilated files never trap", arguments: UInt64(1)...20)
    func mutilated(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let good = Array(
            "time,symbol,close,volume\n2020-01-01,A,1.5,7\n\"2020-01-02T00:00:00+01:00\",A,1e3,8\n".utf8)
        for _ in 0..<300 {
            var bytes = good
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : 0x2C
            }
            bytes = Array(bytes.prefix(Int.random(in: 0...bytes.count, using: &random)))
            do throws(CSVProblem) {
                let recording = try parseRecording([("A.csv", bytes)])
                #expect(recording.bars.count + recording.fundingRates.count >= 1)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }
}

/// Reads files that are held in memory.
func parseRecording(_ files: [(name: String, bytes: [UInt8])]) throws(CSVProblem) -> Recording {
    var builder = RecordingBuilder()
    for file in files {
        var csv = try MarketCSV(file.bytes, file: file.name)
        try csv.read(into: &builder)
    }
    return try Recording.finish(builder, files: files.map(\.name))
}
