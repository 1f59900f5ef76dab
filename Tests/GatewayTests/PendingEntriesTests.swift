import EventStore
import Testing

@testable import Gateway

@Suite("What waits to be written is bounded, and what was promised goes last")
struct PendingEntriesTests {
    private func entry(_ key: String, _ value: String = "x", expiresAt: Int64 = 100) -> KeptEntry {
        KeptEntry(key: key, value: Array(value.utf8), expiresAt: expiresAt)
    }

    private func pending(entries: Int = 100, bytes: Int = 1 << 20, entryBytes: Int = 1 << 16)
        -> PendingEntries
    {
        PendingEntries(PendingEntries.Limits(entries: entries, bytes: bytes, entryBytes: entryBytes))
    }

    @Test("The oldest is taken first, and findings after all else")
    func order() {
        var pending = pending()
        for key in ["finding:1", "task:1", "finding:2", "task:2", "session:1"] { _ = pending.put(entry(key)) }
        #expect(
            pending.take(4, bytes: .max, now: 0).map(\.key) == ["task:1", "task:2", "session:1", "finding:1"])
        pending.written()
        #expect(pending.take(4, bytes: .max, now: 0).map(\.key) == ["finding:2"])
        pending.written()
        #expect(pending.isEmpty && pending.count == 0 && pending.bytes == 0)
    }

    @Test("Of one key only the newest value waits, in its old place")
    func newest() {
        var pending = pending()
        for (key, value) in [("task:1", "old"), ("task:2", "x"), ("task:1", "new")] {
            _ = pending.put(entry(key, value))
        }
        #expect(pending.entry("task:1") == entry("task:1", "new"))
        #expect(pending.take(9, bytes: .max, now: 0) == [entry("task:1", "new"), entry("task:2")])
    }

    @Test("What is being written can be read, and a newer value is written after it")
    func underWay() {
        var pending = pending()
        _ = pending.put(entry("task:1", "first"))
        _ = pending.take(9, bytes: .max, now: 0)
        #expect(pending.entry("task:1") == entry("task:1", "first"))
        _ = pending.put(entry("task:1", "second"))
        #expect(pending.entry("task:1") == entry("task:1", "second"))
        pending.written()
        #expect(pending.take(9, bytes: .max, now: 0) == [entry("task:1", "second")])
    }

    @Test("What could not be written waits again behind the others, unless there is a newer value")
    func again() {
        var pending = pending()
        for key in ["task:1", "task:2"] { _ = pending.put(entry(key, "old")) }
        _ = pending.take(9, bytes: .max, now: 0)
        _ = pending.put(entry("task:3"))
        _ = pending.put(entry("task:2", "new"))
        #expect(pending.putBack() == 0)
        #expect(
            pending.take(9, bytes: .max, now: 0) == [
                entry("task:3"), entry("task:2", "new"), entry("task:1", "old"),
            ])
    }

    @Test("When it is full the oldest findings go, then the oldest of the others")
    func full() {
        var pending = pending(entries: 3)
        let keys = ["task:1", "finding:1", "finding:2", "task:2", "task:3", "task:4"]
        #expect(keys.map { pending.put(entry($0)) } == [0, 0, 0, 1, 1, 1])
        #expect(pending.take(9, bytes: .max, now: 0).map(\.key) == ["task:2", "task:3", "task:4"])
    }

    @Test("Bytes are bounded as numbers are, and one that is too large is not taken")
    func bytes() {
        var pending = pending(bytes: 10_000, entryBytes: 6_000)
        let half = String(repeating: "x", count: 4_500)
        #expect(pending.put(entry("finding:1", half)) == 0)
        #expect(pending.put(entry("finding:2", half)) == 0)
        #expect(pending.put(entry("finding:3", half)) == 1)
        #expect(pending.put(entry("task:1", half + half)) == 1)
        #expect(pending.take(9, bytes: 100, now: 0).map(\.key) == ["finding:2"])
        pending.written()
        #expect(pending.take(9, bytes: 100, now: 0).map(\.key) == ["finding:3"])
        pending.written()
        #expect(pending.bytes == 0)
    }

    @Test("Findings that are over meanwhile are not written; what forgets a key is")
    func over() {
        var pending = pending()
        for key in ["finding:1", "session:1"] { _ = pending.put(entry(key, expiresAt: 50)) }
        _ = pending.put(entry("finding:2", expiresAt: 51))
        #expect(pending.take(9, bytes: .max, now: 50).map(\.key) == ["session:1", "finding:2"])
    }

    @Test("Ten thousand keys come out in their order")
    func many() {
        var pending = pending(entries: 20_000)
        var taken: [String] = []
        for number in 0..<10_000 {
            _ = pending.put(entry("task:\(number)"))
            if number % 3 == 0 {
                taken += pending.take(2, bytes: .max, now: 0).map(\.key)
                pending.written()
            }
        }
        while !pending.isEmpty {
            taken += pending.take(100, bytes: .max, now: 0).map(\.key)
            pending.written()
        }
        #expect(taken == (0..<10_000).map { "task:\($0)" })
    }
}
