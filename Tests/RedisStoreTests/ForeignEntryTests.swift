import EventStore
import FIMLCore
import Locking
import Testing

@testable import RedisStore

@Suite("Events that other programs add to the stream are taken in, and what is none is left out")
struct ForeignEntryTests {
    let server: RedisServer

    init() throws {
        server = try RedisServer()
    }

    /// One member of the event in an entry of these fields, and the id of the entry.
    private func event(_ fields: [String]) throws -> (JSONValue?, String) {
        let store = RedisEventStore(server.client())
        let start = try store.open(now: 0).last
        var command = RedisCommand("XADD", "watchdog:events", "*")
        for field in fields { command.append(field) }
        let id = try server.client().ask(command).text ?? ""
        let stored = try store.follow(after: start, limit: 10, milliseconds: 0).events.first
        #expect(try store.read(after: start, limit: 10).events.first == stored)
        return (try stored.map { try JSONValue.parse($0.json) }, id)
    }

    @Test("A field for each member, as FIML's Python processes write an event")
    func flat() throws {
        let (event, _) = try event([
            "event_id", "evt_1795497841.5", "type", "funding_spike", "severity", "high",
            "asset", #"{"symbol":"BTC","name":null,"asset_type":"crypto","market":"CRYPTO","extra":1}"#,
            "description", "[spike] of 0.2 %", "data", #"{"avg_funding_rate":0.002}"#,
            "timestamp", "2026-11-24T05:24:01.500000+00:00", "watchdog", "funding_rate", "metadata", "{}",
        ])
        #expect(event?["event_id"] == "evt_1795497841.5" && event?["type"] == "funding_spike")
        #expect(event?["asset"]?["symbol"] == "BTC" && event?["assets"] == ["BTC"])
        #expect(event?["description"] == "[spike] of 0.2 %")
        #expect(event?["data"]?["avg_funding_rate"] == 0.002)
        #expect(event?["timestamp"] == "2026-11-24T05:24:01.500Z" && event?["status"] == "firing")
        #expect(event?["fingerprint"]?.text?.count == 16)
    }

    @Test("The least that an event has; what is missing is made of the entry's id")
    func least() throws {
        let (event, id) = try event([
            "type", "exchange_outage", "severity", "low", "watchdog", "exchange_outage", "description", "x",
            "asset", "None", "metadata", "", "data", "null",
        ])
        #expect(event?["event_id"]?.text == "evt_\(id)" && event?["assets"] == [] && event?["data"] == [:])
        let milliseconds = StreamPosition(id).map { Int64($0.milliseconds) } ?? 0
        #expect(event?["timestamp"]?.text == Timestamp(milliseconds: milliseconds).rfc3339)
    }

    @Test("The whole event as JSON, in `event` or in `data`", arguments: ["event", "data"])
    func whole(field: String) throws {
        let json = #"""
            {"type":"flash_crash","severity":"critical","watchdog":"price_anomaly","description":"x",
            "asset":"BTC","source":"elsewhere"}
            """#
        let (event, _) = try event([field, json])
        #expect(event?["type"] == "flash_crash" && event?["assets"] == ["BTC"] && event?["asset"] == .null)
    }

    @Test("What is no event is told with its position, counted once, and does not hold up what follows")
    func unreadable() throws {
        let told = Locked<[String]>([])
        let store = RedisEventStore(server.client()) { position, problem in
            told.withLock { $0.append("\(position): \(problem)") }
        }
        var position = try store.open(now: 0).last
        let start = position
        let junk = [
            ["x", "y"], ["event", "{"], ["event", "[]"], ["data", "\u{1}"],
            ["event", #"{"type":"unheard"}"#],
            ["type", "flash_crash", "severity", "low", "watchdog", "custom_detector", "description", "x"],
        ]
        var ids: [String] = []
        func add(_ fields: [String]) throws {
            var command = RedisCommand("XADD", "watchdog:events", "*")
            for field in fields { command.append(field) }
            ids.append(try server.client().ask(command).text ?? "")
        }
        for fields in junk { try add(fields) }
        for limit in [2, 1, 100, 100] {
            let page = try store.follow(after: position, limit: limit, milliseconds: 0)
            #expect(page.events.isEmpty)
            position = page.end ?? position
        }
        #expect(store.unreadableEntries == junk.count)
        #expect(told.withLock { $0 }.map { $0.prefix { $0 != ":" } } == ids.map { $0[...] })
        try store.append(RedisStoreTests.event("a"))
        for fields in junk { try add(fields) }
        let page = try store.follow(after: position, limit: 100, milliseconds: 0)
        #expect(try RedisStoreTests.ids(page.events) == ["a"])
        position = try #require(page.end)
        #expect(try store.follow(after: position, limit: 100, milliseconds: 0).events.isEmpty)
        #expect(store.unreadableEntries == 2 * junk.count)
        // Reading by two finds it behind three pages of junk.
        #expect(try RedisStoreTests.ids(store.read(after: start, limit: 2).events) == ["a"])
    }

    @Test("A stream that others began before the first gateway came is there from its beginning")
    func begun() throws {
        try server.run(
            "XADD", "watchdog:events", "5-1", "type", "flash_crash", "severity", "low", "watchdog",
            "price_anomaly", "description", "x")
        let store = RedisEventStore(server.client())
        let contents = try store.open(now: 0)
        #expect(
            contents.count == 1 && contents.last.description == "5-1"
                && contents.earliest.description == "5-0")
        #expect(try store.read(after: contents.earliest, limit: 9).events.count == 1)
        #expect(try store.follow(after: contents.last, limit: 9, milliseconds: 0).earliest <= contents.last)
    }
}
