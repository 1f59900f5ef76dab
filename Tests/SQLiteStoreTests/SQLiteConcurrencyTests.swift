import EventStore
import FIMLCore
import Foundation
import Locking
import Testing

@testable import SQLiteStore

@Suite("Readers and the writer do not wait for each other, and readers miss nothing")
struct SQLiteConcurrencyTests {
    private let directory: TemporaryDirectory
    private let store: SQLiteEventStore

    init() throws {
        directory = try TemporaryDirectory()
        store = SQLiteEventStore(directory: directory.path)
    }

    @Test("Readers see every event once, in order, while it is appended")
    func following() throws {
        _ = try store.open(now: 0)
        let batches = 150
        let perBatch = 20
        let outcome = Locked<[[StreamPosition]]>([])
        let deadline = Date(timeIntervalSinceNow: 120)
        for _ in 0..<3 {
            Thread { [store] in
                var seen: [StreamPosition] = []
                while seen.count < batches * perBatch, Date() < deadline {
                    guard let page = try? store.read(after: seen.last ?? .zero, limit: 77) else { break }
                    seen += page.events.map(\.position)
                }
                outcome.withLock { [seen] in $0.append(seen) }
            }.start()
        }
        var positions: [StreamPosition] = []
        for batch in 0..<batches {
            positions += try store.append((0..<perBatch).map { _ in event() }, now: Int64(batch / 10))
        }
        while outcome.withLock({ $0.count }) < 3, Date() < deadline { sched_yield() }
        #expect(outcome.withLock { $0 } == [positions, positions, positions])
    }

    @Test("A page that lacks events says so by its earliest position, while they are trimmed")
    func trimming() throws {
        _ = try store.open(now: 0)
        let isOver = Locked(false)
        let outcome = Locked<[Bool]>([])
        let deadline = Date(timeIntervalSinceNow: 120)
        for _ in 0..<2 {
            Thread { [store] in
                var isTrue = true
                while !isOver.withLock({ $0 }), Date() < deadline {
                    guard let page = try? store.read(after: .zero, limit: 1) else { break }
                    // Events are one millisecond apart, so the first one stands right after the earliest.
                    guard let first = page.events.first?.position.milliseconds else { continue }
                    isTrue = isTrue && first == page.earliest.milliseconds + 1
                }
                outcome.withLock { [isTrue] in $0.append(isTrue) }
            }.start()
        }
        for moment in 1...600 as ClosedRange<Int64> {
            _ = try store.append([event()], now: moment)
            if moment % 3 == 0 { _ = try store.trim(toNewest: 2, storedSince: nil) }
        }
        isOver.withLock { $0 = true }
        while outcome.withLock({ $0.count }) < 2, Date() < deadline { sched_yield() }
        #expect(outcome.withLock { $0 } == [true, true])
    }

    @Test("What was appended is in the files when the process ends at once")
    func death() throws {
        _ = try store.open(now: 0)
        let positions = try store.append((0..<50).map { _ in event() }, now: 5)
        // As the files are now: nobody has closed anything.
        let after = try TemporaryDirectory()
        for name in ["events.db", "events.db-wal", "events.unstored"] {
            try FileManager.default.copyItem(at: directory.file(name), to: after.file(name))
        }
        let restarted = SQLiteEventStore(directory: after.path)
        let contents = try restarted.open(now: 1)
        #expect(contents.count == 50 && contents.last == positions.last && contents.firing.count == 1)
        #expect(try restarted.everything().map(\.position) == positions)
    }
}
