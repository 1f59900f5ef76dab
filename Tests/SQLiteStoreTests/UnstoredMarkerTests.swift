import EventStore
import FIMLCore
import Foundation
import Testing

@testable import SQLiteStore

@Suite("Events that were sent out without being stored are remembered over the death of the process")
struct UnstoredMarkerTests {
    private let directory: TemporaryDirectory
    private let store: SQLiteEventStore

    init() throws {
        directory = try TemporaryDirectory()
        store = SQLiteEventStore(directory: directory.path)
        _ = try store.open(now: 100)
        _ = try store.append([event()], now: 105)
    }

    @Test("After a death with a mark nobody goes on from it or before; this is told once")
    func death() throws {
        try store.markUnstored(upTo: position("110-3"))
        try store.markUnstored(upTo: position("120-7"))
        store.close()
        // Another process.
        let store = SQLiteEventStore(directory: directory.path)
        var contents = try store.open(now: 90)
        #expect(contents.earliest > position("120-7") && contents.last >= contents.earliest)
        #expect(contents.count == 1)
        #expect(store.takeNotices().count == 1)
        let next = try store.append([event()], now: 90)
        #expect(try #require(next.first) > contents.last)
        // What is there can be read all the same, and trimming does not bring the earliest back.
        let page = try store.read(after: .zero, limit: 9)
        #expect(page.events.count == 2 && page.earliest == contents.earliest)
        #expect(try store.trim(toNewest: 1, storedSince: nil).earliest == contents.earliest)
        let earliest = contents.earliest
        contents = try store.open(now: 90)
        #expect(contents.earliest == earliest && contents.last == next.first)
        #expect(store.takeNotices().isEmpty)
    }

    @Test("A mark that was taken away leaves nothing behind")
    func cleared() throws {
        try store.markUnstored(upTo: position("110-3"))
        try store.clearUnstored()
        #expect(try store.append([event()], now: 106).map(\.description) == ["110-4"])
        let contents = try store.open(now: 90)
        #expect(contents.earliest.description == "100-0" && contents.last.description == "110-4")
        #expect(store.takeNotices().isEmpty)
    }

    @Test("A process that opens its own file anew, with a mark, has not died: it stores what it told")
    func reopened() throws {
        try store.markUnstored(upTo: position("120-7"))
        #expect(try store.open(now: 130).earliest.description == "100-0")
        #expect(store.takeNotices().isEmpty)
        let told = ToldEvent(position: position("120-7"), event: SubmittedEvent(event()))
        try store.append(told: [told], states: [:])
        #expect(try store.read(after: position("110-0"), limit: 9).events.map(\.position) == [told.position])
        #expect(try #require(try store.append([event()], now: 110).first) > told.position)
    }

    @Test("A mark that cannot be read counts as one of now")
    func garbage() throws {
        store.close()
        try Data(Array(repeating: UInt8(ascii: "?"), count: 63) + [0x0A]).write(
            to: directory.file("events.unstored"))
        #expect(try store.open(now: 7_000).earliest.description == "7000-0")
    }

    @Test("A damaged stream beside a mark begins after both")
    func damage() throws {
        try store.markUnstored(upTo: position("8000-1"))
        store.close()
        let store = SQLiteEventStore(directory: directory.path)
        try Data("garbage".utf8).write(to: directory.file("events.db"))
        let contents = try store.open(now: 7_000)
        #expect(contents.earliest > position("8000-1") && contents.last == contents.earliest)
        #expect(store.takeNotices().count == 2)
    }
}
