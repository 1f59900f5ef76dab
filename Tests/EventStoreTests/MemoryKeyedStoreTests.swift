import EventStore
import Testing

@Suite("Values are kept in memory until their time, and never more than there is room for")
struct MemoryKeyedStoreTests {
    private func entry(_ key: String, _ value: String = "v", until: Int64) -> KeptEntry {
        KeptEntry(key: key, value: Array(value.utf8), expiresAt: until)
    }

    @Test("A value is there until its time, in the place of what had its key, and gone when removed")
    func keeping() throws {
        let store = MemoryKeyedStore(entries: 10, bytes: 1000)
        try store.open()
        try store.put([entry("session:a", until: 100), entry("session:b", until: 50)])
        #expect(try store.get("session:a", now: 99)?.value == Array("v".utf8))
        #expect(try store.get("session:a", now: 100) == nil)
        try store.put([entry("session:a", "w", until: 200)])
        #expect(try store.get("session:a", now: 100) == entry("session:a", "w", until: 200))
        #expect(try store.count(prefix: "session:") == 2)
        try store.remove("session:a")
        try store.remove("session:never")
        #expect(try store.get("session:a", now: 0) == nil)
        #expect(try store.count(prefix: "session:") == 1 && store.count(prefix: "task:") == 0)
    }

    @Test("What is over is forgotten, and beyond a limit what is over first")
    func expiring() throws {
        let store = MemoryKeyedStore(entries: 100, bytes: 10_000)
        try store.put((1...9 as ClosedRange<Int64>).map { entry("session:\($0)", until: $0 * 10) })
        try store.put([entry("task:1", until: 1000)])
        try store.removeExpired(now: 30, prefix: "session:", limit: 4)
        let left = try (1...9).filter { try store.get("session:\($0)", now: 0) != nil }
        #expect(left == [6, 7, 8, 9])
        #expect(try store.count(prefix: "task:") == 1)
    }

    @Test(
        "It never holds more entries or bytes than it was made for", arguments: [(20, 100_000), (1000, 400)])
    func bounds(entries: Int, bytes: Int) throws {
        let store = MemoryKeyedStore(entries: entries, bytes: bytes)
        for number in 0..<500 as Range<Int64> {
            try store.put([entry("session:\(number)", "0123456789", until: 1000 + number)])
            let count = try store.count(prefix: "session:")
            // A key has 9 characters or more, its value 10.
            #expect(count <= entries && count * 19 <= bytes)
            #expect(try store.get("session:\(number)", now: 0) != nil)
        }
    }
}
