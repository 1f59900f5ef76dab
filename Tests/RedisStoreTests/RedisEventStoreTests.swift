import EventStore
import FIMLCore
import Testing

@testable import RedisStore

@Suite("The event stream in Redis: one order for all gateways, read, trimmed and followed")
struct RedisEventStoreTests {
    let server: RedisServer
    let store: RedisEventStore
    let start: StreamPosition

    init() throws {
        server = try RedisServer()
        store = RedisEventStore(server.client())
        start = try store.open(now: 0).last
    }

    @Test("What one gateway appends another reads, in order, at the positions that were answered")
    func append() throws {
        let other = RedisEventStore(server.client())
        _ = try other.open(now: 0)
        let first = try store.append(event("a"), event("b"))
        let second = try other.append(event("c"))
        #expect(first[0] > start && first[1] > first[0] && second[0] > first[1])
        let page = try other.read(after: start, limit: 10)
        #expect(page.events.map(\.position) == first + second)
        #expect(page.events.map(\.json) == [event("a").json, event("b").json, event("c").json])
        #expect(page.earliest <= start)
        #expect(try ids(store.read(after: first[0], limit: 1).events) == ["b"])
        #expect(try store.read(after: second[0], limit: 10).events.isEmpty)
    }

    @Test("People can read an entry with redis-cli")
    func readable() throws {
        try store.append(event("a"))
        let entry = try server.run("XRANGE", "watchdog:events", "-", "+").elements[0].elements[1]
        #expect(
            entry.pairs.map { [$0.name.text, $0.value.text] } == [
                ["type", "price_anomaly"], ["severity", "high"], ["status", "firing"],
                ["watchdog", "price_anomaly"], ["assets", "BTC,ETH"],
                ["event", String(decoding: event("a").json, as: UTF8.self)],
            ])
    }

    @Test("What fires and the states are those of the last submissions, for a gateway that comes later")
    func contents() throws {
        let positions = try store.append(
            event("a"), event("b", fingerprint: "1111111111111111"),
            event("c", .resolved), event("d", .updated, fingerprint: "1111111111111111"),
            event("e", fingerprint: "2222222222222222"))
        _ = try store.append([Submission(events: [], states: ["x": [1, 0, 255], "y": [2]])], now: 0)
        _ = try store.append([Submission(events: [], states: ["x": [3]])], now: 0)
        let contents = try RedisEventStore(server.client()).open(now: 0)
        #expect(try ids(contents.firing) == ["d", "e"])
        #expect(contents.firing.map(\.position) == [positions[3], positions[4]])
        #expect(contents.states == ["x": [3], "y": [2]])
        #expect(contents.count == 5 && contents.last == positions[4] && contents.earliest <= start)
    }

    @Test("A submission whose lease somebody else holds is not taken, the others are")
    func fence() throws {
        try server.run("HSET", "fiml:lease:watchdog:price_anomaly", "token", "7")
        func submission(_ id: String, _ token: Int64?) -> Submission {
            Submission(
                events: [event(id)], states: [id: [1]],
                fence: token.map { Fence(lease: "watchdog:price_anomaly", token: $0) })
        }
        let answers = try store.append(
            [submission("a", 6), submission("b", 7), submission("c", nil), submission("d", 8)], now: 0)
        let page = try store.read(after: start, limit: 10)
        #expect(try ids(page.events) == ["b", "c"])
        let positions = page.events.map(\.position)
        #expect(answers == [.fenced, .stored([positions[0]]), .stored([positions[1]]), .fenced])
        #expect(try store.contents().states == ["b": [1], "c": [1]])
        try server.run("DEL", "fiml:lease:watchdog:price_anomaly")
        #expect(try store.append([submission("e", 7)], now: 0) == [.fenced])
    }

    @Test("Trimming leaves the newest, and says from where on everything is there")
    func trim() throws {
        let positions = try store.append(event("a"), event("b"), event("c"), event("d"))
        var (earliest, count) = try store.trim(toNewest: 3, storedSince: nil)
        #expect(earliest == positions[0] && count == 3)
        (earliest, count) = try store.trim(toNewest: 3, storedSince: 0)
        #expect(earliest == positions[0] && count == 3)
        (earliest, count) = try store.trim(toNewest: 9, storedSince: .max)
        #expect(earliest == positions[3] && count == 0)
        let next = try store.append(event("e"))
        let page = try store.read(after: positions[3], limit: 10)
        #expect(page.earliest == positions[3] && page.events.map(\.position) == next)
        #expect(try store.contents().earliest == positions[3])
    }

    @Test("Where nobody trims, appending does, and says so")
    func bound() throws {
        let small = RedisEventStore(server.client(), entryLimit: 3)
        _ = try small.open(now: 0)
        var positions: [StreamPosition] = []
        for index in 0..<5 { positions += try small.append(event("e\(index)")) }
        let contents = try small.contents()
        #expect(contents.count == 3 && contents.earliest == positions[1])
    }

    @Test("Where others trim or delete entries, the earliest position rises")
    func trimmedByOthers() throws {
        let positions = try store.append(event("a"), event("b"), event("c"), event("d"))
        try server.run("XTRIM", "watchdog:events", "MAXLEN", "3")
        var page = try store.read(after: start, limit: 10)
        #expect(page.earliest >= positions[0] && page.earliest < positions[1])
        try server.run("XDEL", "watchdog:events", positions[2].description)
        page = try store.read(after: start, limit: 10)
        #expect(page.earliest == positions[2])
        #expect(try ids(page.events) == ["b", "d"])
        try server.run("XTRIM", "watchdog:events", "MAXLEN", "0")
        #expect(try store.contents().earliest == positions[3])
        let next = try store.append(event("e"))
        #expect(
            try store.follow(after: positions[3], limit: 10, milliseconds: 0).events.map(\.position) == next)
    }

    @Test("More than one script takes is stored whole, in order")
    func many() throws {
        let submissions = (0..<5).map { part in
            Submission(events: (0..<700).map { event("e\(part * 700 + $0)") })
        }
        let answers = try store.append(submissions, now: 0)
        var read: [StoredEvent] = []
        while case let page = try store.read(after: read.last?.position ?? start, limit: 999),
            !page.events.isEmpty
        {
            read += page.events
        }
        #expect(try ids(read) == (0..<3500).map { "e\($0)" })
        let answered = answers.flatMap { answer in
            if case .stored(let positions) = answer { positions } else { [StreamPosition]() }
        }
        #expect(answered == read.map(\.position))
        #expect(try store.trim(toNewest: 0, storedSince: nil).count == 2500, "a thousand at a time")
    }

    @Test("Following waits for what others append, and no longer than it is told to")
    func follow() async throws {
        #expect(try store.follow(after: start, limit: 10, milliseconds: 10).events.isEmpty)
        let (store, start) = (store, start)
        let follower = Task.detached { try store.follow(after: start, limit: 10, milliseconds: 120_000) }
        let other = RedisEventStore(server.client())
        _ = try other.open(now: 0)
        // Once it waits, or before.
        let position = try other.append(event("a"))
        #expect(try await follower.value.events.map(\.position) == position)
    }

    @Test("What was answered is there after the server was killed, with its file written at each command")
    func killed() throws {
        var positions: [StreamPosition] = []
        for index in 0..<3 {
            positions += try store.append(event("e\(index)"))
            server.kill()
            #expect(
                failure { try store.append(event("x")) }?.description.contains("cannot be reached") == true)
            #expect(failure { try store.follow(after: start, limit: 9, milliseconds: 0) } != nil)
            try server.restart()
        }
        positions += try store.append(event("e3"))
        let page = try store.follow(after: start, limit: 10, milliseconds: 0)
        #expect(try ids(page.events) == ["e0", "e1", "e2", "e3"])
        #expect(page.events.map(\.position) == positions && page.earliest <= start)
    }
}
