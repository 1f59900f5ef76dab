import EventStore

/// The table of `results.db`, and what is done with it.
enum KeyedTable {
    /// From each version to the next; a published one never changes.
    static let migrations = [
        // The value stands last, so that times are read without it.
        """
        CREATE TABLE entries (key TEXT NOT NULL UNIQUE, expires_at INTEGER NOT NULL, value BLOB NOT NULL);
        CREATE INDEX entries_by_end ON entries (expires_at)
        """
    ]

    static let put = "INSERT OR REPLACE INTO entries (key, expires_at, value) VALUES (?1, ?2, ?3)"

    static let get = "SELECT expires_at, value FROM entries WHERE key = ?1 AND expires_at > ?2"

    static let remove = "DELETE FROM entries WHERE key = ?1"

    static let expire = """
        DELETE FROM entries WHERE rowid IN
            (SELECT rowid FROM entries WHERE expires_at <= ?1 ORDER BY expires_at LIMIT ?2)
        """

    static let shed = """
        DELETE FROM entries WHERE rowid IN
            (SELECT rowid FROM entries WHERE key >= ?1 AND key < ?2 ORDER BY expires_at, key LIMIT ?3)
        """

    static let count = "SELECT count(*) FROM entries WHERE key >= ?1 AND key < ?2"

    /// The bounds of all keys that begin so: keys are ASCII, which lies before the last character of all.
    static func range(_ prefix: String) -> [SQLiteValue] {
        [.text(prefix), .text(prefix + "\u{10FFFF}")]
    }
}

/// The connection that changes entries.
struct KeyedWriter: ~Copyable {
    private let connection: SQLiteConnection
    private let put: SQLiteStatement
    private let remove: SQLiteStatement
    private let expire: SQLiteStatement
    private let shed: SQLiteStatement
    private let count: SQLiteStatement

    /// Entries removed in one transaction at most, so that others need not wait for long.
    private static let removalLimit = 1_000

    init(_ connection: consuming SQLiteConnection) throws(SQLiteFailure) {
        let put = try connection.prepare(KeyedTable.put)
        let remove = try connection.prepare(KeyedTable.remove)
        let expire = try connection.prepare(KeyedTable.expire)
        let shed = try connection.prepare(KeyedTable.shed)
        let count = try connection.prepare(KeyedTable.count)
        // Touches the table and both indexes, so that damage there shows at once.
        for sql in [
            "SELECT max(rowid) FROM entries", "SELECT max(key) FROM entries",
            "SELECT max(expires_at) FROM entries",
        ] {
            _ = try connection.integer(sql)
        }
        self.connection = connection
        self.put = put
        self.remove = remove
        self.expire = expire
        self.shed = shed
        self.count = count
    }

    func put(_ entries: [KeptEntry]) throws(SQLiteFailure) {
        try connection.transaction { () throws(SQLiteFailure) in
            for entry in entries {
                try put.run([.text(entry.key), .integer(entry.expiresAt), .blob(entry.value)])
            }
        }
    }

    func remove(_ key: String) throws(SQLiteFailure) {
        try remove.run([.text(key)])
    }

    /// Removes some of what is over; whether there may be more.
    func expire(now: Int64) throws(SQLiteFailure) -> Bool {
        try expire.run([.integer(now), .integer(Int64(Self.removalLimit))])
        return connection.changes == Self.removalLimit
    }

    /// Removes some of the entries beyond `limit`; whether there may be more.
    func shed(prefix: String, limit: Int) throws(SQLiteFailure) -> Bool {
        var count = 0
        try self.count.forEachRow(KeyedTable.range(prefix)) { count = Int($0.integer(0)) }
        let excess = count - max(0, limit)
        guard excess > 0 else { return false }
        let removed = min(excess, Self.removalLimit)
        try shed.run(KeyedTable.range(prefix) + [.integer(Int64(removed))])
        return excess > removed
    }

    /// See `SQLiteFile.look`.
    func look(after file: SQLiteFile) throws(SQLiteFailure) {
        try file.look(after: connection)
    }
}

/// A connection that reads entries, beside the writer.
struct KeyedReader: ~Copyable {
    private let connection: SQLiteConnection
    private let get: SQLiteStatement
    private let count: SQLiteStatement

    init(_ connection: consuming SQLiteConnection) throws(SQLiteFailure) {
        let get = try connection.prepare(KeyedTable.get)
        let count = try connection.prepare(KeyedTable.count)
        self.connection = connection
        self.get = get
        self.count = count
    }

    func get(_ key: String, now: Int64) throws(SQLiteFailure) -> KeptEntry? {
        var entry: KeptEntry?
        try get.forEachRow([.text(key), .integer(now)]) { row in
            entry = KeptEntry(key: key, value: row.bytes(1), expiresAt: row.integer(0))
        }
        return entry
    }

    func count(prefix: String) throws(SQLiteFailure) -> Int {
        var count = 0
        try self.count.forEachRow(KeyedTable.range(prefix)) { count = Int($0.integer(0)) }
        return count
    }
}
