import FIMLCore
import Foundation
import MarketData
import Synchronization
import Testing

@testable import MarketProviders

@Suite("What a live market remembers survives a restart, and a file that is not whole harms nothing")
final class MarketHistoryTests {
    private let directory = FileManager.default.temporaryDirectory.appending(path: "history-\(UUID())")
    private var path: String { directory.appending(path: "market-history.json").path }

    init() throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(at: directory)
    }

    private static func filled() throws -> MarketHistory {
        var history = MarketHistory()
        var bars = Live.bars(130)
        bars[129].volume = nil
        history.add(try #require(BarWindow(bars, from: .yahoo, askedAt: Live.noon)), of: "etf/SPY")
        for step in Int64(0)..<300 {
            let moment = Live.after((step - 299) * 1_800)
            history.add(
                Live.quote(0.1 + Double(step) / 3, at: moment, every: 30), of: "crypto/BTC",
                from: step.isMultiple(of: 7) ? .kraken : .binance)
            history.add(
                .init(observedAt: moment, depthUSD: 1e6 / Double(step + 3), intervalSeconds: 180),
                of: "crypto/BTC", at: step.isMultiple(of: 5) ? .kraken : .binance)
        }
        return history
    }

    /// What a history gives back, and the lines that were logged.
    private func load(_ text: String, now: Timestamp = Live.noon) throws -> (MarketHistory, [String]) {
        try Data(text.utf8).write(to: URL(filePath: path))
        var lines: [String] = []
        let history = HistoryFile(in: directory.path).load(now: now) { lines.append($0) }
        return (history, lines)
    }

    @Test("A history that was saved comes back bit by bit")
    func roundTrip() throws {
        let history = try Self.filled()
        let file = HistoryFile(in: directory.path)
        try file.save(history)
        // A second time, over the first.
        try file.save(history)
        var lines: [String] = []
        #expect(file.load(now: Live.noon) { lines.append($0) } == history)
        #expect(lines == [])
        #expect(
            try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["market-history.json"])
    }

    @Test("A market that begins again goes on with its means, its quotes and its bars")
    func restart() async throws {
        let providers = LiveMarketProviders { _, request in
            if request.path.contains("depth") { return Live.book(1_000) }
            return request.path.contains("klines") ? Live.bars(40) : Live.quote(100)
        }
        let assets = [Live.bitcoin]
        let first = Live.market(providers, directory: directory.path)
        _ = await first.quotes(of: assets, at: Live.noon, covering: 60)
        _ = await first.depths(of: assets, at: Live.noon)
        _ = await first.bars(of: assets, closedBy: Live.noon, limit: 31, unfinished: false)
        try await first.save()

        let moment = Live.after(60)
        let second = Live.market(providers, directory: directory.path, now: moment)
        await providers.answer { _, request in
            request.path.contains("depth") ? Live.book(3_000, at: moment) : nil
        }
        let depth = try #require(try await second.depths(of: assets, at: moment)[0].result.get())
        #expect(depth.snapshots == 1)
        #expect(abs(try #require(depth.meanUSD) - 1_000) < 1e-6)
        #expect(try await second.quotes(of: assets, at: moment, covering: 60)[0].result.get().count == 1)
        let bars = await second.bars(of: assets, closedBy: moment, limit: 31, unfinished: false)
        #expect(try bars[0].result.get().count == 31)
    }

    @Test("What is kept already is not written again")
    func unchanged() async throws {
        let providers = LiveMarketProviders { _, _ in Live.quote(100) }
        let market = Live.market(providers, directory: directory.path)
        let assets = [Live.bitcoin]
        _ = await market.quotes(of: assets, at: Live.noon, covering: 60)
        try await market.save()
        try FileManager.default.removeItem(atPath: path)
        try await market.save()
        #expect(!FileManager.default.fileExists(atPath: path))
        await providers.answer { _, _ in Live.quote(101, at: Live.after(30)) }
        _ = await market.quotes(of: assets, at: Live.after(30), covering: 60)
        try await market.save()
        #expect(FileManager.default.fileExists(atPath: path))
    }

    @Test("What could not be written is written when it can be")
    func writtenLater() async throws {
        let missing = directory.appending(path: "later")
        let market = Live.market(LiveMarketProviders { _, _ in Live.quote(100) }, directory: missing.path)
        _ = await market.quotes(of: [Live.bitcoin], at: Live.noon, covering: 60)
        await #expect(throws: MarketDataError.self) { try await market.save() }
        try FileManager.default.createDirectory(at: missing, withIntermediateDirectories: true)
        try await market.save()
        #expect(FileManager.default.fileExists(atPath: missing.path + "/market-history.json"))
    }

    @Test("While the history is being written the market goes on answering", .timeLimit(.minutes(1)))
    func savedBeside() async throws {
        // More than the 64 KiB that a pipe holds, so that the writing stands still until somebody reads.
        var history = MarketHistory()
        for index in 0..<20 {
            let window = try #require(BarWindow(Live.bars(130), from: .yahoo, askedAt: Live.noon))
            history.add(window, of: "etf/A\(index)")
        }
        #expect(history.json.count > 1 << 16)
        try HistoryFile(in: directory.path).save(history)
        let providers = LiveMarketProviders { _, _ in Live.quote(100) }
        let market = Live.market(providers, directory: directory.path)
        let pipe = path + ".new"
        #expect(mkfifo(pipe, 0o600) == 0)
        let reader = open(pipe, O_RDONLY | O_NONBLOCK)
        defer { close(reader) }
        let saving = Task { try await market.save() }
        var bytes = [UInt8](repeating: 0, count: 1 << 12)
        while read(reader, &bytes, 1) != 1 { await Task.yield() }
        let answers = await market.quotes(of: [Live.bitcoin], at: Live.noon, covering: 60)
        #expect(try answers[0].result.get().last?.price == 100)
        // A pipe cannot be flushed: the writing ends with an error.
        let ended = Mutex(false)
        let waiting = Task {
            await #expect(throws: MarketDataError.self) { try await saving.value }
            ended.withLock { $0 = true }
        }
        while !ended.withLock({ $0 }) {
            _ = read(reader, &bytes, bytes.count)
            await Task.yield()
        }
        await waiting.value
    }

    @Test("Without a file or a directory there is no history, and nothing to say")
    func noFile() async throws {
        var lines: [String] = []
        #expect(HistoryFile(in: directory.path).load(now: Live.noon) { lines.append($0) } == MarketHistory())
        #expect(lines == [])
        try await Live.market(LiveMarketProviders { _, _ in nil }).save()
    }

    @Test(
        "A file that is not whole is set aside, and the history begins anew",
        arguments: [
            "", "{", "[]", "null", #"{"version":2}"#, #"{"version":1"#, "\u{0}\u{0}\u{0}",
            String(repeating: "[", count: 10_000),
        ])
    func corrupt(text: String) throws {
        let (history, lines) = try load(text)
        #expect(history == MarketHistory())
        #expect(lines.count == 1)
        #expect(lines.first?.hasPrefix("market-history.json cannot be used: ") == true)
        let aside = try Data(contentsOf: URL(filePath: path + ".unusable"))
        #expect(aside == Data(text.utf8))
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("A file that was cut anywhere never traps, and never gives more than was saved")
    func cut() throws {
        let history = try Self.filled()
        let bytes = history.json
        for count in stride(from: 0, to: bytes.count, by: 997) {
            #expect(throws: MarketDataError.self) {
                try MarketHistory.parse(Array(bytes[..<count]), now: Live.noon)
            }
        }
    }

    private static let noon = "1760184000000"

    private static func bars(_ rows: String, askedAt: String = noon) -> String {
        #""bars":[{"asset":"crypto/BTC","provider":"okx","asked_at":\#(askedAt),"bars":[\#(rows)]}]"#
    }

    private static func quotes(_ rows: String) -> String {
        #""quotes":[{"asset":"crypto/BTC","provider":"okx","quotes":[\#(rows)]}]"#
    }

    private static func depths(_ hours: String) -> String {
        #""depths":[{"asset":"crypto/BTC","provider":"okx","newest":[\#(noon),1,180],"hours":[\#(hours)]}]"#
    }

    /// An entry that cannot be used, and what is said about it.
    static let unusable: [(String, String)] = [
        (#""bars":[{"asset":"BTC","provider":"binance"}]"#, "an entry is of no asset"),
        (#""bars":[{"asset":"cash/BTC","provider":"binance"}]"#, "an entry is of no asset"),
        (#""bars":[{"asset":"crypto/BTC","provider":"nobody"}]"#, "crypto/BTC is of no provider"),
        (#""quotes":[{"asset":"crypto/BTC"}]"#, "crypto/BTC is of no provider"),
        (bars("[1760140800000,86400,1,1,1,-1,1]"), "crypto/BTC bars[0] is -1.0"),
        (bars("[1760140800000,0,1,1,1,1,1]"), "crypto/BTC bars[0] has no interval"),
        (bars("[1760140800000,86400,1,1,1,1]"), "crypto/BTC bars are not whole"),
        (bars("", askedAt: "9e99"), "crypto/BTC asked_at"),
        (quotes("[1760184061000,1,30]"), "crypto/BTC quotes[0] is in the future"),
        (quotes("[\(noon),\"NaN\",30]"), "crypto/BTC quotes[0]"),
        (quotes("[\(noon),1,30],[\(noon),1,30]"), "crypto/BTC quotes[1] is not later"),
        (depths("[9,-1,1]"), "crypto/BTC depths is -1.0"),
        (depths("[9,1,1],[9,1,1]"), "crypto/BTC depths are not whole"),
        (depths("[999999,1,1]"), "crypto/BTC depths are not whole"),
        (depths("[9,1,0]"), "crypto/BTC depths are not whole"),
    ]

    @Test("Each value is checked again; what cannot be is left out, and said", arguments: unusable)
    func value(members: String, reason: String) throws {
        let (history, lines) = try load(#"{"version":1,"# + members + "}")
        #expect(lines.count == 1)
        #expect(lines.first?.contains(reason) == true, "\(lines)")
        #expect((history.quotes["crypto/BTC"]?[.okx]?.quotes.count ?? 0) <= 1)
        #expect(history.bars.isEmpty && history.depths.isEmpty)
    }

    @Test("What is too old is dropped without a word")
    func tooOld() throws {
        let text = String(decoding: try Self.filled().json, as: UTF8.self)
        let (day, dayLines) = try load(text, now: Live.after(86_400))
        #expect(day.quotes["crypto/BTC"]?[.binance]?.quotes.count == 1)
        #expect(day.bars["etf/SPY"] != nil)
        let (week, _) = try load(text, now: Live.after(6 * 86_400))
        #expect(week.quotes.isEmpty && week.bars.isEmpty && week.depths.count == 1)
        let (later, _) = try load(text, now: Live.after(7 * 86_400))
        #expect(later == MarketHistory())
        #expect(dayLines == [])
    }

    @Test("A directory that is not there is an error, and no reason to stop")
    func unwritable() async {
        let market = Live.market(
            LiveMarketProviders { _, _ in nil }, directory: directory.appending(path: "none").path)
        await #expect(throws: MarketDataError.self) { try await market.save() }
    }

    @Test("A history of as many assets as can be fits into the file that is read")
    func fileBounded() throws {
        // One asset's worst rows, times the assets that can be.
        var bars = Live.bars(130)
        for index in bars.indices {
            bars[index].open = 123_456.789_012_345_6
            bars[index].high = 123_456.789_012_345_6
            bars[index].low = 123_456.789_012_345_6
            bars[index].close = 123_456.789_012_345_6
            bars[index].volume = 123_456_789.012_345_6
        }
        var history = MarketHistory()
        history.add(try #require(BarWindow(bars, from: .binance, askedAt: Live.noon)), of: "crypto/BTC")
        for exchange in [ProviderName.binance, .bybit, .okx, .kraken, .coinbaseExchange] {
            for hour in Int64(0)..<169 {
                history.add(
                    .init(
                        observedAt: Live.after(hour * 3_600), depthUSD: 1_234_567.890_123_45,
                        intervalSeconds: 180),
                    of: "crypto/BTC", at: exchange)
            }
        }
        let withoutQuotes = history.json.count * MarketHistory.assetLimit
        let quote = "[1760184000000,123456.7890123456,86400],".utf8.count
        #expect(withoutQuotes + 300_000 * quote < HistoryFile.sizeLimit)
    }
}
