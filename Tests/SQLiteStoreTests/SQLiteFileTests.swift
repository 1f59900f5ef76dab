import EventStore
import Foundation
import Testing

@testable import SQLiteStore

@Suite("A file says its version; an older one is brought to ours step by step, a newer one is left alone")
struct SQLiteFileTests {
    private let directory: TemporaryDirectory

    init() throws {
        directory = try TemporaryDirectory()
    }

    private let steps = [
        "CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1)",
        "ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1",
        "INSERT INTO a VALUES (10, 20)",
    ]

    private func file(_ migrations: some Collection<String>) -> SQLiteFile {
        SQLiteFile(
            directory: directory.path, name: "test", content: "tests", synchronous: "NORMAL",
            migrations: Array(migrations))
    }

    /// Opens the file with these migrations; the first integer that the query gives.
    private func open(_ migrations: some Collection<String>, _ query: String) throws(StoreError) -> Int64? {
        let file = file(migrations)
        try file.lock()
        defer { file.unlock() }
        let answer = Answer()
        _ = try file.open { connection throws(SQLiteFailure) -> Answer in
            answer.integer = try connection.integer(query)
            return answer
        }
        return answer.integer
    }

    private final class Answer {
        var integer: Int64?
    }

    @Test("Each version becomes the newest, with what was in it", arguments: 0...3)
    func migration(version: Int) throws {
        _ = try open(steps.prefix(version), "SELECT 1")
        #expect(try open(steps, "SELECT sum(y) FROM a") == 22)
        #expect(try open(steps, "PRAGMA user_version") == 3)
        #expect(try open(steps, "SELECT sum(y) FROM a") == 22)
    }

    @Test("An empty file becomes one of ours")
    func empty() throws {
        try Data().write(to: directory.file("test.db"))
        #expect(try open(steps, "PRAGMA user_version") == 3)
    }

    @Test("A step that fails leaves the version before it")
    func failingStep() throws {
        let broken = steps.prefix(1) + ["UPDATE a SET x = 99; INSERT INTO nowhere VALUES (1)"]
        #expect(throws: StoreError.self) { try open(broken, "SELECT 1") }
        #expect(try open(steps.prefix(1), "SELECT x FROM a") == 1)
        #expect(try open(steps, "SELECT sum(y) FROM a") == 22)
    }

    @Test("A newer version is refused with what to do, and not changed")
    func newer() throws {
        _ = try open(steps, "SELECT 1")
        let error = #expect(throws: StoreError.self) { try open(steps.prefix(2), "SELECT 1") }
        #expect(
            error
                == .unusable(
                    "\(directory.path)/test.db is of version 3, and this gateway knows versions up to 2: "
                        + "start the newer gateway that wrote it, or move the file away"))
        #expect(try open(steps, "SELECT sum(y) FROM a") == 22)
    }

    @Test("The database of another program is refused, and not changed")
    func foreign() throws {
        do {
            let other = try SQLiteConnection(path: directory.file("test.db").path, isReadOnly: false)
            try other.execute("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (5)")
        }
        let error = #expect(throws: StoreError.self) { try open(steps, "SELECT 1") }
        #expect(error?.description.contains("another program") == true && error?.isUnusable == true)
        let other = try SQLiteConnection(path: directory.file("test.db").path, isReadOnly: true)
        #expect(try other.integer("SELECT x FROM theirs") == 5)
    }

    @Test("A log that has grown is emptied, though somebody reads; a long reader is not waited for twice")
    func log() throws {
        let file = SQLiteFile(
            directory: directory.path, name: "test", content: "tests", synchronous: "NORMAL",
            migrations: ["CREATE TABLE big (x)"], logLimit: 1 << 20)
        try file.lock()
        let answer = Answer()
        _ = try file.open { connection throws(SQLiteFailure) -> Answer in
            try connection.execute("PRAGMA wal_autocheckpoint = 0")
            for _ in 0..<3 {
                try connection.execute("INSERT INTO big VALUES (zeroblob(1000000))")
            }
            let reader = try file.reader()
            try reader.execute("BEGIN; SELECT count(*) FROM big")
            try file.look(after: connection)
            #expect(try self.logBytes > 1 << 20)
            try reader.execute("COMMIT")
            // Not before it has grown by its limit once more.
            try file.look(after: connection)
            #expect(try self.logBytes > 1 << 20)
            try connection.execute("INSERT INTO big VALUES (zeroblob(5000000))")
            try file.look(after: connection)
            #expect(try self.logBytes == 0)
            return answer
        }
    }

    private var logBytes: Int {
        get throws(SQLiteFailure) {
            do {
                return try Data(contentsOf: directory.file("test.db-wal")).count
            } catch {
                throw .damage("no log")
            }
        }
    }
}
