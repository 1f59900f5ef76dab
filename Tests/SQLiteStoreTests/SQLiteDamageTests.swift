import EventStore
import FIMLCore
import Foundation
import GatewayTesting
import Testing

@testable import SQLiteStore

@Suite("A damaged file is set aside whole and told; the stream begins anew at now")
struct SQLiteDamageTests {
    private let directory: TemporaryDirectory
    private let store: SQLiteEventStore
    private var database: URL { directory.file("events.db") }

    init() throws {
        directory = try TemporaryDirectory()
        store = SQLiteEventStore(directory: directory.path)
    }

    /// Fills the file with some megabytes of events.
    private func fill() throws {
        _ = try store.open(now: 0)
        for moment in 1...5 as ClosedRange<Int64> {
            _ = try store.append((0..<1_000).map { event(fingerprint: "\($0)") }, now: moment)
        }
        store.close()
    }

    /// Opens the store, which is to find the damage.
    private func expectNewStream(now: Int64, keeping damaged: Data? = nil) throws {
        let contents = try store.open(now: now)
        #expect(contents.count == 0 && contents.firing.isEmpty)
        #expect(contents.earliest.milliseconds == UInt64(now) && contents.last == contents.earliest)
        let notices = store.takeNotices()
        #expect(notices.count == 1 && store.takeNotices().isEmpty)
        #expect(notices.first?.contains("is damaged") == true)
        let aside = try #require(try asideNames.last)
        #expect(notices.first?.contains(aside) == true && notices.first?.contains("\n") == false)
        if let damaged { #expect(try Data(contentsOf: directory.file(aside)) == damaged) }
        #expect(try store.append([event()], now: now).count == 1)
        #expect(try store.everything().count == 1)
        store.close()
    }

    private var asideNames: [String] {
        get throws {
            try directory.names.filter { $0.hasPrefix("events.db.damaged-") && $0.hasSuffix("Z") }
        }
    }

    @Test("A file that is no database is kept as it is")
    func garbage() throws {
        let garbage = Data(repeating: UInt8(ascii: "x"), count: 10_000)
        try garbage.write(to: database)
        try expectNewStream(now: 7_000, keeping: garbage)
    }

    @Test("A file that is cut is set aside, wherever it is cut", arguments: [100, 4_096, 8_192, 50_000, -1])
    func cut(length: Int) throws {
        try fill()
        let whole = try Data(contentsOf: database)
        let part = whole.prefix(length < 0 ? whole.count / 2 : length)
        try part.write(to: database)
        try expectNewStream(now: 7_000, keeping: part)
    }

    @Test("A file that is cut beside its log, as after a crash, is set aside with it")
    func cutBesideLog() throws {
        try fill()
        _ = try store.open(now: 10)
        _ = try store.append([event()], now: 11)
        let after = try TemporaryDirectory()
        let log = try Data(contentsOf: directory.file("events.db-wal"))
        try log.write(to: after.file("events.db-wal"))
        let whole = try Data(contentsOf: database)
        try whole.prefix(whole.count / 2).write(to: after.file("events.db"))
        let restarted = SQLiteEventStore(directory: after.path)
        let contents = try restarted.open(now: 7_000)
        #expect(contents.count == 0 && contents.earliest.description == "7000-0")
        #expect(try after.names.count { $0.hasPrefix("events.db.damaged-") } >= 1)
    }

    @Test("Damage that shows later is an error; the next start looks closely and sets the file aside")
    func laterDamage() throws {
        try fill()
        var bytes = try Data(contentsOf: database)
        let middle = bytes.count / 2 / 8_192 * 8_192
        bytes.replaceSubrange(middle..<middle + 8_192, with: repeatElement(0xFF, count: 8_192))
        try bytes.write(to: database)
        _ = try store.open(now: 10)
        #expect(store.takeNotices().isEmpty)
        let error = #expect(throws: StoreError.self) { try store.everything() }
        #expect(error?.isUnusable == true)
        #expect(error?.description.contains("is damaged") == true)
        store.close()
        try expectNewStream(now: 7_000)
        // Once.
        #expect(try store.open(now: 0).count == 1)
        #expect(store.takeNotices().isEmpty)
    }

    @Test("A file that was suspected in vain is used further")
    func falseAlarm() throws {
        try fill()
        try Data("damaged".utf8 + Array(repeating: 0x20, count: 56) + [0x0A]).write(
            to: directory.file("events.lock"))
        #expect(try store.open(now: 0).count == 5_000)
        #expect(store.takeNotices().isEmpty)
        #expect(try Data(contentsOf: directory.file("events.lock")).first == 0x20)
    }

    @Test("Where three damaged files lie there, a fourth is not added: somebody must look")
    func limit() throws {
        for number in 1...3 as ClosedRange<Int64> {
            try Data("garbage".utf8).write(to: database)
            try expectNewStream(now: number)
        }
        #expect(try asideNames.count == 3)
        try Data("garbage".utf8).write(to: database)
        let error = #expect(throws: StoreError.self) { try store.open(now: 9) }
        #expect(error?.isUnusable == true)
        #expect(try asideNames.count == 3)
        #expect(try Data(contentsOf: database) == Data("garbage".utf8))
    }

    @Test("Whatever bytes are wrong, it goes on or says why", arguments: 1...60 as ClosedRange<UInt64>)
    func bytes(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        _ = try store.open(now: 0)
        for moment in 1...3 as ClosedRange<Int64> {
            _ = try store.append((0..<40).map { event(fingerprint: "\($0)") }, now: moment)
        }
        store.close()
        var bytes = try Data(contentsOf: database)
        for _ in 0..<Int.random(in: 1...20, using: &random) {
            let end = Bool.random(using: &random) ? min(200, bytes.count) : bytes.count
            bytes[Int.random(in: 0..<end, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        try bytes.write(to: database)
        do throws(StoreError) {
            _ = try store.open(now: 9)
            _ = try store.everything()
            _ = try store.append((0..<40).map { event(fingerprint: "\($0)") }, now: 10)
            _ = try store.trim(toNewest: 10, storedSince: nil)
            _ = try store.everything()
        } catch {
            #expect(!error.description.contains("\n") && error.description.contains(directory.path))
        }
    }
}
