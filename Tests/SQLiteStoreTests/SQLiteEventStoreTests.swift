import EventStore
import FIMLCore
import Foundation
import GatewayTesting
import Testing

@testable import SQLiteStore

@Suite("The stream is kept in a file: positions grow over restarts, and what was appended is there")
struct SQLiteEventStoreTests {
    private let directory: TemporaryDirectory
    private let store: SQLiteEventStore

    init() throws {
        directory = try TemporaryDirectory()
        store = SQLiteEventStore(directory: directory.path)
    }

    @Test("A new stream is empty and begins at now; its files are for this user only")
    func new() throws {
        let contents = try store.open(now: 1_000)
        #expect(contents.earliest.description == "1000-0" && contents.last == contents.earliest)
        #expect(contents.count == 0 && contents.firing.isEmpty && contents.states.isEmpty)
        #expect(store.takeNotices().isEmpty)
        let names = try directory.names
        #expect(Set(["events.db", "events.lock", "events.unstored"]).isSubset(of: names))
        for name in names {
            let mode = try FileManager.default.attributesOfItem(atPath: directory.file(name).path)
            #expect(mode[.posixPermissions] as? Int == 0o600, "\(name)")
        }
    }

    @Test("Positions grow strictly, within a millisecond, when the clock goes back, and over restarts")
    func positions() throws {
        _ = try store.open(now: 1_000)
        #expect(
            try store.append([event(), event()], now: 1_000).map(\.description) == ["1000-1", "1000-2"])
        #expect(try store.append([event()], now: 1_005).map(\.description) == ["1005-0"])
        #expect(try store.append([event()], now: 900).map(\.description) == ["1005-1"])
        #expect(try store.open(now: 900).last.description == "1005-1")
        #expect(try store.append([event()], now: 900).map(\.description) == ["1005-2"])
        _ = try store.trim(toNewest: 0, storedSince: nil)
        let contents = try store.open(now: 800)
        #expect(contents.last.description == "1005-2" && contents.earliest == contents.last)
        #expect(contents.count == 0)
        #expect(try store.append([event()], now: 800).map(\.description) == ["1005-3"])
        #expect(try store.append([event()], now: 2_000).map(\.description) == ["2000-0"])
    }

    @Test("Each submission gets its own positions, in order; one without events keeps its states")
    func submissions() throws {
        _ = try store.open(now: 0)
        let appended = try store.append(
            [
                Submission(events: [event(id: "evt_1"), event(id: "evt_2")], states: ["a": [1, 2]]),
                Submission(events: [], states: ["a": [], "b": [0, 255]]),
                Submission(
                    events: [event(id: "evt_3")], fence: Fence(lease: "watchdog:price_anomaly", token: 3)),
            ], now: 5)
        #expect(
            appended == [
                .stored([position("5-0"), position("5-1")]), .stored([]), .stored([position("5-2")]),
            ])
        let events = try store.everything()
        #expect(events.map(\.position.description) == ["5-0", "5-1", "5-2"])
        #expect(events.map(\.json) == ["evt_1", "evt_2", "evt_3"].map { event(id: $0).json })
        #expect(try store.open(now: 0).states == ["a": [], "b": [0, 255]])
    }

    @Test("A page begins after its position, holds at most its limit, and says what is gone")
    func reading() throws {
        _ = try store.open(now: 1)
        let positions = try store.append((0..<10).map { event(id: "evt_\($0)") }, now: 7)
        #expect(try store.read(after: .zero, limit: 3).events.map(\.position) == Array(positions[..<3]))
        #expect(
            try store.read(after: positions[3], limit: 99).events.map(\.position) == Array(positions[4...]))
        #expect(try store.read(after: position("6-99"), limit: 1).events.map(\.position) == [positions[0]])
        #expect(try store.read(after: positions[9], limit: 99).events.isEmpty)
        for limit in [0, -1, Int.min] {
            #expect(try store.read(after: .zero, limit: limit).events.isEmpty)
        }
        let beyond = StreamPosition(milliseconds: .max, sequence: .max)
        #expect(try store.read(after: beyond, limit: 99).events.isEmpty)
        #expect(try store.read(after: position("7-18446744073709551615"), limit: 99).events.isEmpty)
        _ = try store.trim(toNewest: 4, storedSince: nil)
        let page = try store.read(after: .zero, limit: 99)
        #expect(page.earliest == positions[5] && page.events.map(\.position) == Array(positions[6...]))
    }

    @Test("Trimming lets go of the oldest by count and by age, a bounded number at a time")
    func trimming() throws {
        _ = try store.open(now: 0)
        for moment in 1...20 as ClosedRange<Int64> {
            _ = try store.append([event(), event()], now: moment * 10)
        }
        #expect(try store.trim(toNewest: 100, storedSince: nil).count == 40)
        var (earliest, count) = try store.trim(toNewest: 35, storedSince: nil)
        #expect(earliest.description == "30-0" && count == 35)
        (earliest, count) = try store.trim(toNewest: 100, storedSince: 50)
        #expect(earliest.description == "40-1" && count == 32)
        (earliest, count) = try store.trim(toNewest: 100, storedSince: 50)
        #expect(earliest.description == "40-1" && count == 32)
        let contents = try store.open(now: 0)
        #expect(contents.earliest == earliest && contents.count == 32)
        #expect(contents.last.description == "200-1")

        _ = try store.append((0..<9_000).map { _ in event() }, now: 300)
        var calls = 0
        repeat {
            count = try store.trim(toNewest: 10, storedSince: nil).count
            calls += 1
        } while count > 10 && calls < 10
        #expect(count == 10 && calls > 1)
        #expect(try store.everything().count == 10)
        #expect(try store.open(now: 0).count == 10)
    }

    @Test("A condition fires from its first event to its end, over restarts and beyond its event")
    func firing() throws {
        _ = try store.open(now: 0)
        _ = try store.append(
            [
                event(fingerprint: "a"), event(fingerprint: "b"), event(.updated, fingerprint: "a"),
                event(fingerprint: "c"), event(.resolved, fingerprint: "c"),
                event(.resolved, fingerprint: "d"),
            ], now: 5)
        var firing = try store.open(now: 0).firing
        #expect(firing.map(\.position.description) == ["5-1", "5-2"])
        #expect(firing.map(\.json) == [event(fingerprint: "b").json, event(.updated, fingerprint: "a").json])
        _ = try store.append([event(.resolved, fingerprint: "b")], now: 6)
        _ = try store.trim(toNewest: 0, storedSince: nil)
        firing = try store.open(now: 0).firing
        #expect(firing.map(\.position.description) == ["5-2"])
    }

    @Test("At most so many conditions fire; one more is stored all the same")
    func firingLimit() throws {
        _ = try store.open(now: 0)
        let limit = StoreContents.firingLimit
        _ = try store.append((0...limit).map { event(fingerprint: "\($0)") }, now: 5)
        var contents = try store.open(now: 0)
        #expect(contents.firing.count == limit && contents.count == limit + 1)
        _ = try store.append(
            [event(fingerprint: "x"), event(.resolved, fingerprint: "0"), event(fingerprint: "y")], now: 6)
        contents = try store.open(now: 0)
        #expect(contents.firing.count == limit)
        #expect(contents.firing.last?.json == event(fingerprint: "y").json)
    }

    @Test("It agrees with the store in memory, over restarts", arguments: 1...8 as ClosedRange<UInt64>)
    func model(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var now: Int64 = 1_000
        let capacity = Int.random(in: 1...40, using: &random)
        let memory = MemoryEventStore(capacity: capacity)
        var last = memory.open(now: now).last
        var firing: [String: StoredEvent] = [:]
        _ = try store.open(now: now)
        for step in 0..<120 {
            now += Int64.random(in: -5...10, using: &random)
            let events = (0..<Int.random(in: 0...6, using: &random)).map { number in
                event(
                    [.firing, .updated, .resolved].randomElement(using: &random) ?? .firing,
                    fingerprint: "\(Int.random(in: 0..<5, using: &random))", id: "evt_\(step)_\(number)")
            }
            guard case .stored(let expected)? = memory.append([Submission(events: events)], now: now).first
            else { continue }
            last = expected.last ?? last
            for (event, position) in zip(events, expected) {
                let isOver = event.status == .resolved
                firing[event.fingerprint] = isOver ? nil : StoredEvent(position: position, json: event.json)
            }
            #expect(try store.append(events, now: now) == expected)
            let kept = memory.trim(toNewest: capacity, storedSince: nil)
            #expect(try store.trim(toNewest: capacity, storedSince: nil) == kept)
            let start = StreamPosition(
                milliseconds: UInt64.random(in: 0...UInt64(now), using: &random),
                sequence: UInt64.random(in: 0...3, using: &random))
            let limit = Int.random(in: 0...50, using: &random)
            let page = try store.read(after: start, limit: limit)
            #expect(page.earliest == kept.earliest)
            #expect(page.events == memory.read(after: start, limit: limit).events)
            #expect(
                try store.read(before: start, limit: limit) == memory.read(before: start, limit: limit))
            guard Int.random(in: 0..<10, using: &random) == 0 else { continue }
            let contents = try store.open(now: now)
            #expect(contents.last == last && contents.earliest == kept.earliest)
            #expect(contents.count == kept.count)
            #expect(contents.firing == firing.values.sorted { $0.position < $1.position })
        }
    }
}
