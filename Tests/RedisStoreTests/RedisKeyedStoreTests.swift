import EventStore
import LinuxSystem
import Testing

@testable import RedisStore

@Suite("Values by key in Redis, each until its time")
struct RedisKeyedStoreTests {
    let server: RedisServer
    let store: RedisKeyedStore
    let now = wallMilliseconds()

    init() throws {
        server = try RedisServer()
        store = RedisKeyedStore(server.client())
        try store.open()
    }

    private func entry(_ key: String, _ value: [UInt8], in milliseconds: Int64 = 3_600_000) -> KeptEntry {
        KeptEntry(key: key, value: value, expiresAt: now + milliseconds)
    }

    @Test("What is put is got, whatever its bytes; the last one counts; removed, it is gone")
    func kept() throws {
        let value = (0...255).map { UInt8($0) }
        try store.put([entry("session:a", value), entry("session:b", [])])
        #expect(try store.get("session:a", now: now) == entry("session:a", value))
        #expect(try store.get("session:b", now: now) == entry("session:b", []))
        try store.put([entry("session:a", [1], in: 7_200_000)])
        #expect(try store.get("session:a", now: now) == entry("session:a", [1], in: 7_200_000))
        try store.remove("session:a")
        try store.remove("session:a")
        #expect(try store.get("session:a", now: now) == nil)
        #expect(try store.get("session:c", now: now) == nil)
        try store.put([])
    }

    @Test("What is over is not got, by the caller's clock and by the server's")
    func over() throws {
        try store.put([
            entry("task:a", [1]), entry("task:b", [1], in: -1), entry("task:c", [1], in: .min / 2),
        ])
        #expect(try store.get("task:a", now: now + 3_600_000) == nil)
        #expect(try store.get("task:b", now: 0) == nil)
        #expect(try store.get("task:c", now: 0) == nil)
        try store.removeExpired(now: now, prefix: "task:", limit: 0)
        #expect(try store.get("task:a", now: now) != nil)
    }

    @Test("Entries are counted by the beginning of their keys, whatever characters that has")
    func count() throws {
        try store.put((0..<3000).map { entry("session:\($0)", [1]) })
        try store.put([entry("task:[a-z]*1", [1]), entry("task:b1", [1])])
        #expect(try store.count(prefix: "session:") == 3000)
        #expect(try store.count(prefix: "task:[a-z]*") == 1)
        #expect(try store.count(prefix: "finding:") == 0)
    }

    @Test("All entries are kept, or none; a full server says so")
    func full() throws {
        try server.run("CONFIG", "SET", "maxmemory", "1")
        let error = failure { try store.put([entry("task:a", [1]), entry("task:b", [1])]) }
        #expect(error?.description.contains("maxmemory") == true)
        #expect(failure { try store.open() }?.description.contains("maxmemory") == true)
        try server.run("CONFIG", "SET", "maxmemory", "0")
        #expect(try store.count(prefix: "task:") == 0)
        #expect(try store.ping().hasPrefix("redis "))
    }

    @Test("A key that holds something else is said")
    func otherKind() throws {
        try server.run("RPUSH", "fiml:task:a", "1")
        let error = failure { try store.get("task:a", now: now) }
        #expect(error?.description.contains("WRONGTYPE") == true)
    }
}
