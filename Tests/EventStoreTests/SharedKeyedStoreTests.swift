import Locking
import Testing

@testable import EventStore

@Suite("A keyed store that several use is opened again only after a failure, and closed by the last")
struct SharedKeyedStoreTests {
    /// Counts openings and closings.
    private final class Counting: KeyedStore {
        struct Counts: Equatable {
            var opened = 0
            var closed = 0
        }

        let counts = Locked(Counts())
        let fails = Locked(false)
        var kind: String { "counting" }

        func open() throws(StoreError) { counts.withLock { $0.opened += 1 } }
        func put(_ entries: [KeptEntry]) throws(StoreError) {}

        func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
            if fails.withLock({ $0 }) { throw .unavailable("x") }
            return nil
        }

        func remove(_ key: String) throws(StoreError) {}
        func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {}
        func count(prefix: String) throws(StoreError) -> Int { 0 }
        func ping() throws(StoreError) -> String { "" }
        func close() { counts.withLock { $0.closed += 1 } }
    }

    @Test("Two users, one failure")
    func failure() throws {
        let inner = Counting()
        let store = SharedKeyedStore(inner, users: 2)
        try store.open()
        try store.open()
        #expect(inner.counts.withLock { $0.opened } == 1)
        inner.fails.withLock { $0 = true }
        for _ in 0..<2 { #expect(throws: StoreError.self) { try store.get("a", now: 0) } }
        inner.fails.withLock { $0 = false }
        // Both have seen it fail, and both open it.
        try store.open()
        try store.open()
        #expect(inner.counts.withLock { $0.opened } == 2)
        _ = try store.get("a", now: 0)
        store.close()
        #expect(inner.counts.withLock { $0.closed } == 0)
        store.close()
        #expect(inner.counts.withLock { $0.closed } == 1)
    }
}
