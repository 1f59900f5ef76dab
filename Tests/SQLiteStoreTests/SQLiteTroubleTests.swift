import EventStore
import FIMLCore
import Foundation
import Testing

@testable import SQLiteStore

@Suite("Trouble with the disk is told in one sentence, takes nothing half, and is over when it is over")
struct SQLiteTroubleTests {
    /// The error of a call; nil where it goes well.
    private func error(_ call: () throws(StoreError) -> Void) -> StoreError? {
        do throws(StoreError) {
            try call()
            return nil
        } catch {
            #expect(!error.description.contains("\n"))
            return error
        }
    }

    @Test("A second gateway in the same directory is refused, and taken once the first has ended")
    func twoGateways() throws {
        let directory = try TemporaryDirectory()
        let first = SQLiteEventStore(directory: directory.path)
        let second = SQLiteEventStore(directory: directory.path)
        _ = try first.open(now: 0)
        _ = try first.append([event()], now: 5)
        let refusal = error { () throws(StoreError) in _ = try second.open(now: 0) }
        #expect(
            refusal
                == .unusable(
                    "another gateway keeps its events in \(directory.path): end it, or give each gateway a "
                        + "FIML_DATA_DIR of its own"))
        #expect(try first.append([event()], now: 6).count == 1)
        first.close()
        #expect(try second.open(now: 0).count == 2)
    }

    @Test("A store that is not open says so")
    func closed() throws {
        let directory = try TemporaryDirectory()
        let store = SQLiteEventStore(directory: directory.path)
        let expected = StoreError.unavailable("\(directory.path)/events.db is not open")
        for _ in 0..<2 {
            #expect(error { () throws(StoreError) in _ = try store.append([], now: 0) } == expected)
            #expect(error { () throws(StoreError) in _ = try store.read(after: .zero, limit: 1) } == expected)
            #expect(
                error { () throws(StoreError) in _ = try store.trim(toNewest: 1, storedSince: nil) }
                    == expected)
            #expect(error { () throws(StoreError) in try store.markUnstored(upTo: .zero) } == expected)
            _ = try store.open(now: 0)
            store.close()
            store.close()
        }
    }

    @Test("A directory that is not there is named, with its setting")
    func noDirectory() throws {
        let directory = try TemporaryDirectory()
        for path in ["\(directory.path)/nowhere", "/proc/self"] {
            let store = SQLiteEventStore(directory: path)
            let sentence = error { () throws(StoreError) in _ = try store.open(now: 0) }?.description ?? ""
            #expect(sentence.contains("\(path)/events.lock") && sentence.contains("FIML_DATA_DIR"))
        }
    }

    @Test("A lock that another program holds delays an append and then refuses it, until it is given up")
    func locked() throws {
        let directory = try TemporaryDirectory()
        let store = SQLiteEventStore(directory: directory.path)
        _ = try store.open(now: 0)
        let other = try SQLiteConnection(path: directory.file("events.db").path, isReadOnly: false)
        try other.execute("BEGIN IMMEDIATE")
        let refusal = error { () throws(StoreError) in _ = try store.append([event()], now: 5) }
        #expect(refusal?.isUnusable == false)
        #expect(refusal?.description.contains("locked by another program") == true)
        #expect(try store.everything().isEmpty)
        try other.execute("ROLLBACK")
        #expect(try store.append([event()], now: 5).map(\.description) == ["5-0"])
    }

    @Test(
        "A full disk refuses appends whole; what was stored can be read; freed space lets it go on",
        .enabled(if: TemporaryDirectory.mayMount, "this user may not mount a small file system"))
    func fullDisk() throws {
        let directory = try #require(try TemporaryDirectory(mountedWithKilobytes: 1_024))
        let ballast = directory.file("ballast")
        try Data(repeating: 1, count: 400_000).write(to: ballast)
        let store = SQLiteEventStore(directory: directory.path)
        _ = try store.open(now: 0)
        let long = String(repeating: "x", count: 1_000)
        var stored: [StreamPosition] = []
        var refusal: StoreError?
        for moment in 1...2_000 as ClosedRange<Int64> where refusal == nil {
            do throws(StoreError) {
                stored += try store.append(
                    (0..<3).map { event(fingerprint: "\($0)", description: long) }, now: moment)
            } catch {
                refusal = error
            }
        }
        #expect(
            refusal
                == .unavailable(
                    "\(directory.path)/events.db cannot grow, the disk is full: free space there"))
        #expect(stored.count > 10)
        #expect(try store.everything().map(\.position) == stored)
        // The mark needs no space, and so works when it is needed.
        try store.markUnstored(upTo: position("5000-0"))
        try store.clearUnstored()
        try FileManager.default.removeItem(at: ballast)
        stored += try store.append([event(), event()], now: 6_000)
        #expect(try store.everything().map(\.position) == stored)
        let contents = try store.open(now: 6_000)
        #expect(contents.count == stored.count && contents.last == stored.last)
    }

    @Test(
        "A file system that turns read-only refuses appends, and a start; later both work again",
        .enabled(if: TemporaryDirectory.mayMount, "this user may not mount a small file system"))
    func readOnly() throws {
        let directory = try #require(try TemporaryDirectory(mountedWithKilobytes: 8_192))
        let store = SQLiteEventStore(directory: directory.path)
        _ = try store.open(now: 0)
        _ = try store.append([event()], now: 5)
        store.close()
        #expect(directory.remount(isReadOnly: true))
        for _ in 0..<2 {
            let refusal = error { () throws(StoreError) in _ = try store.open(now: 0) }
            #expect(refusal?.isUnusable == false)
            #expect(refusal?.description.contains(directory.path) == true)
        }
        #expect(directory.remount(isReadOnly: false))
        #expect(try store.open(now: 0).count == 1)
    }

    @Test(
        "A file that is deleted or renamed under the gateway takes no more events", arguments: [true, false])
    func gone(isDeleted: Bool) throws {
        let directory = try TemporaryDirectory()
        let store = SQLiteEventStore(directory: directory.path)
        _ = try store.open(now: 0)
        _ = try store.append([event()], now: 5)
        let database = directory.file("events.db")
        if isDeleted {
            try FileManager.default.removeItem(at: database)
        } else {
            try FileManager.default.moveItem(at: database, to: directory.file("elsewhere"))
        }
        let refusal = error { () throws(StoreError) in _ = try store.append([event()], now: 6) }
        #expect(refusal?.isUnusable == true)
        #expect(refusal?.description.contains("was deleted or renamed") == true)
        #expect(try store.open(now: 7_000).earliest.description == "7000-0")
        #expect(try store.append([event()], now: 7_000).count == 1)
    }
}
