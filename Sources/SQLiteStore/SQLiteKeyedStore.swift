import EventStore
import Locking
import Synchronization

/// Values by key in `results.db`, a file of SQLite in a directory of this process alone.
///
/// What was put survives the end of the process at any moment; a loss of power may take the last of it, never
/// a part of one `put`. Damage is dealt with as in `SQLiteEventStore`, the file being `results.db`.
public final class SQLiteKeyedStore: KeyedStore {
    /// `sqlite`.
    public let kind = "sqlite"

    private let file: SQLiteFile
    // These locks are held over reads and writes of the file: who calls is ready to wait.
    private let writer = Locked<KeyedWriter?>(nil)
    private let readers = [Locked<KeyedReader?>(nil), Locked<KeyedReader?>(nil)]
    private let nextReader = Atomic<Int>(0)

    /// A store in that directory, which must be there; nothing is opened yet.
    public init(directory: String) {
        file = SQLiteFile(
            directory: directory, name: "results", content: "results", synchronous: "NORMAL",
            migrations: KeyedTable.migrations)
    }

    /// Sentences for the log that came up since the last call: what was set aside.
    public func takeNotices() -> [String] {
        file.takeNotices()
    }

    /// Opens the file, or makes it; again after an error. Unusable where another gateway has it, where it is
    /// of a newer version, or where it is damaged and three damaged ones lie there already.
    public func open() throws(StoreError) {
        close()
        do throws(StoreError) {
            try file.lock()
            try writer.withLock { writer throws(StoreError) in
                writer = try file.open { connection throws(SQLiteFailure) in try KeyedWriter(connection) }
            }
            for reader in readers {
                try reader.withLock { reader throws(StoreError) in
                    do throws(SQLiteFailure) {
                        reader = try KeyedReader(try file.reader())
                    } catch {
                        throw file.storeError(error)
                    }
                }
            }
        } catch {
            close()
            throw error
        }
    }

    /// Keeps all of the entries in one transaction.
    public func put(_ entries: [KeptEntry]) throws(StoreError) {
        try write { writer throws(SQLiteFailure) in try writer.put(entries) }
    }

    /// The value of a key that is good for longer than `now`.
    public func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
        try read { reader throws(SQLiteFailure) in try reader.get(key, now: now) }
    }

    /// Forgets a key.
    public func remove(_ key: String) throws(StoreError) {
        try write { writer throws(SQLiteFailure) in try writer.remove(key) }
    }

    /// Forgets what is over, whatever its key, and then what is too much under the prefix; in several
    /// transactions, between which others have their turn.
    public func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {
        while try write({ writer throws(SQLiteFailure) in try writer.expire(now: now) }) {}
        while try write({ writer throws(SQLiteFailure) in try writer.shed(prefix: prefix, limit: limit) }) {}
    }

    /// How many entries there are whose keys begin with `prefix`, those that are over among them.
    public func count(prefix: String) throws(StoreError) -> Int {
        try read { reader throws(SQLiteFailure) in try reader.count(prefix: prefix) }
    }

    /// `SQLite 3.40.1`, once the file could be read.
    public func ping() throws(StoreError) -> String {
        _ = try get("", now: 0)
        return "SQLite \(SQLiteConnection.version)"
    }

    /// Ends it in order; the log is written into the file.
    public func close() {
        for reader in readers { reader.withLock { $0 = nil } }
        writer.withLock { $0 = nil }
        file.unlock()
    }
}

// MARK: - Parts

extension SQLiteKeyedStore {
    private func write<Result: Sendable>(
        _ body: (borrowing KeyedWriter) throws(SQLiteFailure) -> Result
    ) throws(StoreError) -> Result {
        let result: Result?
        do throws(SQLiteFailure) {
            result = try writer.withLock { writer throws(SQLiteFailure) -> Result? in
                guard writer != nil else { return nil }
                try writer?.look(after: file)
                return try body(writer!)
            }
        } catch {
            throw file.storeError(error)
        }
        guard let result else { throw closed }
        return result
    }

    private func read<Result: Sendable>(
        _ body: (borrowing KeyedReader) throws(SQLiteFailure) -> Result
    ) throws(StoreError) -> Result {
        let turn = nextReader.wrappingAdd(1, ordering: .relaxed).newValue & Int.max
        let result: Result?
        do throws(SQLiteFailure) {
            result = try readers[turn % readers.count].withLock { reader throws(SQLiteFailure) -> Result? in
                guard reader != nil else { return nil }
                return try body(reader!)
            }
        } catch {
            throw file.storeError(error)
        }
        guard let result else { throw closed }
        return result
    }

    private var closed: StoreError { .unavailable("\(file.path) is not open") }
}
