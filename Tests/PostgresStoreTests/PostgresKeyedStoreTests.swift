import EventStore
import Foundation
import GatewayTesting
import Testing

@testable import PostgresStore

@Suite("PostgreSQL keeps values by key, each until its time")
struct PostgresKeyedStoreTests {
    private let server: PostgresServer
    private let address: PostgresAddress
    private let store: PostgresKeyedStore

    init() throws {
        server = try PostgresServer.shared.get()
        address = try server.database()
        store = PostgresKeyedStore(address, poolSize: 2, waiting: .seconds(120))
        try store.open()
    }

    @Test("Any bytes come back as they were, under any key of ASCII")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 5)
        let values: [[UInt8]] = [
            [], [0], Array(0...255), Array("{\"ä\": \"€😀\"}".utf8),
            (0..<300_000).map { _ in UInt8.random(in: 0...255, using: &generator) },
        ]
        let keys = [
            "session:a", "session:o'brien", "task:\\x00 %_$1", "finding:{\"}\n\u{1}\u{7F}",
            String(repeating: "k", count: 512),
        ]
        let entries = zip(keys, values).map { KeptEntry(key: $0, value: $1, expiresAt: 5_000_000_000_000) }
        try store.put(entries)
        for entry in entries { #expect(try store.get(entry.key, now: 1_800_000_000_000) == entry) }
        #expect(try store.get("session:", now: 0) == nil)
    }

    @Test(
        "An entry is good before its time and not from then on",
        arguments: [
            (100, 99, true), (100, 100, false), (100, 101, false), (0, -1, true), (0, 0, false),
            (Int64.max, Int64.max - 1, true), (Int64.min, Int64.min, false),
        ] as [(Int64, Int64, Bool)])
    func expiry(expiresAt: Int64, now: Int64, isGood: Bool) throws {
        let entry = KeptEntry(key: "session:a", value: [1], expiresAt: expiresAt)
        try store.put([entry])
        #expect(try store.get("session:a", now: now) == (isGood ? entry : nil))
        try store.removeExpired(now: now, prefix: "", limit: 10)
        #expect(try store.count(prefix: "") == (isGood ? 1 : 0))
    }

    @Test("What is put takes the place of what has its key; of two in one call the last one does")
    func replacement() throws {
        try store.put([])
        try store.put([KeptEntry(key: "task:a", value: [1], expiresAt: 10)])
        try store.put([
            KeptEntry(key: "task:a", value: [2], expiresAt: 20),
            KeptEntry(key: "task:b", value: [3], expiresAt: 30),
            KeptEntry(key: "task:a", value: [4], expiresAt: 40),
        ])
        #expect(try store.get("task:a", now: 0) == KeptEntry(key: "task:a", value: [4], expiresAt: 40))
        #expect(try store.get("task:b", now: 0)?.value == [3])
        try store.remove("task:a")
        try store.remove("task:a")
        #expect(try store.get("task:a", now: 0) == nil)
        #expect(try store.count(prefix: "task:") == 1)
    }

    @Test("Where one entry cannot be kept none of its call is")
    func allOrNone() throws {
        try store.put([KeptEntry(key: "task:old", value: [1], expiresAt: 10)])
        // PostgreSQL has no texts with a NUL.
        let error = #expect(throws: StoreError.self) {
            try store.put([
                KeptEntry(key: "task:a", value: [2], expiresAt: 10),
                KeptEntry(key: "task:old", value: [2], expiresAt: 10),
                KeptEntry(key: "task:\0", value: [2], expiresAt: 10),
            ])
        }
        #expect(error.map { "\($0)".contains("SQLSTATE 22021") } == true)
        #expect(try store.count(prefix: "") == 1)
        #expect(try store.get("task:old", now: 0)?.value == [1])
        let huge = [UInt8](repeating: 0, count: PostgresKeyedStore.putLimitBytes)
        #expect(throws: StoreError.self) {
            try store.put([KeptEntry(key: "task:huge", value: huge, expiresAt: 10)])
        }
    }

    @Test(
        "Entries are counted by how their keys begin",
        arguments: [
            ("", 8), ("t", 6), ("task", 5), ("task:", 3), ("task:a", 2), ("task:\u{7F}", 1), ("z", 0),
            ("~", 1), ("\u{7F}", 1), ("%", 0), ("_", 0),
        ])
    func count(prefix: String, count: Int) throws {
        let keys = ["task", "task:a", "task:ab", "task:\u{7F}", "taskz", "tasl", "~", "\u{7F}x"]
        try store.put(keys.map { KeptEntry(key: $0, value: [], expiresAt: 10) })
        #expect(try store.count(prefix: prefix) == count)
    }

    @Test("What is over is forgotten, and beyond the limit of a prefix what is over first")
    func removal() throws {
        try store.put(
            (1...6).map { KeptEntry(key: "session:\($0)", value: [], expiresAt: 100 - Int64($0)) }
                + (1...6).map { KeptEntry(key: "task:\($0)", value: [], expiresAt: Int64($0)) })
        try store.removeExpired(now: 2, prefix: "session:", limit: 4)
        #expect(try store.count(prefix: "task:") == 4)
        let sessions = try (1...6).filter { try store.get("session:\($0)", now: 0) != nil }
        #expect(sessions == [1, 2, 3, 4])
        try store.removeExpired(now: 2, prefix: "session:", limit: 0)
        #expect(try store.count(prefix: "") == 4)
    }

    @Test("A call forgets so many at most; the next goes on")
    func boundedRemoval() throws {
        let most = PostgresKeyedStore.removalLimit
        let entries = (0..<most + 500).map { KeptEntry(key: "task:\($0)", value: [], expiresAt: 1) }
        try store.put(entries)
        try store.removeExpired(now: 1, prefix: "session:", limit: 1)
        #expect(try store.count(prefix: "") == 500)
        try store.put(entries.map { KeptEntry(key: $0.key, value: [], expiresAt: 9) })
        try store.removeExpired(now: 1, prefix: "task:", limit: 100)
        #expect(try store.count(prefix: "") == 500)
        try store.removeExpired(now: 1, prefix: "task:", limit: 100)
        #expect(try store.count(prefix: "") == 100)
    }

    @Test("What goes to a server that offers TLS is encrypted")
    func encryption() throws {
        let connection = try PostgresConnection(address)
        let rows = try connection.run("SELECT ssl::int::bigint FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        #expect(PostgresValue.integer(rows[0][0]) == 1)
    }

    @Test("A ping answers with the server's version, and everything after close with a reason")
    func pingAndClose() throws {
        let version = try store.ping()
        #expect(version.split(separator: ".").first.flatMap { Int($0) }.map { $0 >= 11 } == true)
        #expect(version.allSatisfy { $0.isNumber || $0 == "." })
        store.close()
        #expect(throws: StoreError.self) { try store.ping() }
        try eventually("the connections are closed") {
            try server.clients(of: address).isEmpty
        }
        try store.open()
        #expect(try store.ping() == version)
    }
}
