import EventStore
import Foundation
import GatewayTesting
import Testing

@testable import SQLiteStore

@Suite("Values are kept by key until their time, over restarts")
struct SQLiteKeyedStoreTests {
    private let directory: TemporaryDirectory
    private let store: SQLiteKeyedStore

    init() throws {
        directory = try TemporaryDirectory()
        store = SQLiteKeyedStore(directory: directory.path)
        try store.open()
    }

    private func entry(_ key: String, _ value: String = "{}", until: Int64 = 100) -> KeptEntry {
        KeptEntry(key: key, value: Array(value.utf8), expiresAt: until)
    }

    @Test("What was put is there until its time, also after a restart; the last put holds")
    func keeping() throws {
        let bytes = KeptEntry(key: "task:1", value: [0, 255, 0], expiresAt: 100)
        try store.put([bytes, entry("task:2", ""), entry("session:1")])
        try store.put([entry("session:1", "[]", until: 200)])
        for _ in 0..<2 {
            #expect(try store.get("task:1", now: 99) == bytes)
            #expect(try store.get("task:1", now: 100) == nil)
            #expect(try store.get("task:2", now: 0) == entry("task:2", ""))
            #expect(try store.get("session:1", now: 199) == entry("session:1", "[]", until: 200))
            #expect(try store.get("session:2", now: 0) == nil)
            #expect(try store.count(prefix: "task:") == 2)
            #expect(try store.count(prefix: "") == 3)
            try store.open()
        }
        try store.remove("task:1")
        try store.remove("task:1")
        #expect(try store.get("task:1", now: 0) == nil)
        #expect(try store.count(prefix: "task:") == 1)
    }

    @Test("What is over goes, whatever its key; beyond the limit those that are over first")
    func removal() throws {
        try store.put((0..<2_500).map { entry("old:\($0)", until: 50) })
        try store.put((1...9).map { entry("task:\($0)", until: 100 + Int64($0)) })
        try store.put([entry("task;"), entry("task", until: 101), entry("taskz:1")])
        try store.removeExpired(now: 50, prefix: "task:", limit: 6)
        #expect(try store.count(prefix: "old:") == 0)
        #expect(try store.count(prefix: "task:") == 6)
        #expect(try store.get("task:3", now: 0) == nil)
        #expect(try store.get("task:4", now: 0) != nil)
        #expect(try store.count(prefix: "") == 9)
        try store.put((0..<2_500).map { entry("task:\($0)", until: 500) })
        try store.removeExpired(now: 60, prefix: "task:", limit: 5)
        #expect(try store.count(prefix: "task:") == 5)
        try store.removeExpired(now: 60, prefix: "task:", limit: -1)
        #expect(try store.count(prefix: "task:") == 0)
        #expect(try store.count(prefix: "") == 3)
    }

    @Test("It agrees with a dictionary", arguments: 1...4 as ClosedRange<UInt64>)
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var expected: [String: KeptEntry] = [:]
        for now in 0..<200 as Range<Int64> {
            let key =
                "\(["a", "b"].randomElement(using: &random) ?? ""):\(Int.random(in: 0..<9, using: &random))"
            switch Int.random(in: 0..<4, using: &random) {
            case 0:
                try store.remove(key)
                expected[key] = nil
            case 1:
                try store.removeExpired(now: now, prefix: "a:", limit: 1_000)
                expected = expected.filter { $0.value.expiresAt > now }
            default:
                let entry = entry(key, "\(now)", until: now + Int64.random(in: -2...40, using: &random))
                try store.put([entry])
                expected[key] = entry
            }
            for (key, entry) in expected {
                #expect(try store.get(key, now: now) == (entry.expiresAt > now ? entry : nil))
            }
            #expect(try store.count(prefix: "a:") == expected.keys.count { $0.hasPrefix("a:") })
        }
    }

    @Test("It says its version where it answers, and that it is not open where it is not")
    func ping() throws {
        #expect(try store.ping().hasPrefix("SQLite 3."))
        store.close()
        #expect(throws: StoreError.unavailable("\(directory.path)/results.db is not open")) {
            try store.ping()
        }
        #expect(throws: StoreError.self) { try store.put([entry("a:1")]) }
        try store.open()
        #expect(try store.ping().hasPrefix("SQLite 3."))
    }

    @Test("A damaged file is set aside, told, and a new one begun")
    func damage() throws {
        store.close()
        try Data("garbage".utf8).write(to: directory.file("results.db"))
        try store.open()
        #expect(store.takeNotices().count == 1)
        #expect(try directory.names.contains { $0.hasPrefix("results.db.damaged-") })
        try store.put([entry("a:1")])
        #expect(try store.get("a:1", now: 0) == entry("a:1"))
    }

    @Test("A second gateway is refused; events and results lie in one directory")
    func sharing() throws {
        let second = SQLiteKeyedStore(directory: directory.path)
        #expect(throws: StoreError.self) { try second.open() }
        let events = SQLiteEventStore(directory: directory.path)
        _ = try events.open(now: 0)
    }
}
