import EventStore

/// Results and sessions in a PostgreSQL, in the table `fiml_kept`.
///
/// Each statement is a transaction, and as durable as the server makes its commits. A server that was away
/// and is back is used again by the next call. Where a connection breaks a statement is sent a second time,
/// which all of them allow: what is put is put in the place of what was there.
public final class PostgresKeyedStore: KeyedStore {
    /// What one `put` may hold, keys and values together, in bytes; PostgreSQL takes at most 1 GiB.
    public static let putLimitBytes = 64 << 20
    /// How many entries one `removeExpired` forgets at most for either reason.
    public static let removalLimit = 10_000

    private let address: PostgresAddress
    private let pool: PostgresPool

    /// A store that has not connected yet. `poolSize`: connections at most; `waiting`: how long a call waits
    /// for one that is free.
    public init(_ address: PostgresAddress, poolSize: Int = 20, waiting: Duration = .seconds(5)) {
        self.address = address
        pool = PostgresPool(address, size: poolSize, waiting: waiting)
    }

    /// `postgresql`.
    public var kind: String { "postgresql" }

    /// Connects, and makes or migrates the tables. `unusable` where a newer version of this program has.
    public func open() throws(StoreError) {
        pool.reopen()
        do throws(PostgresError) {
            try prepare()
        } catch {
            throw error.storeError(at: address)
        }
    }

    /// All or none, in one statement. Of entries with the same key the last one counts.
    public func put(_ entries: [KeptEntry]) throws(StoreError) {
        guard !entries.isEmpty else { return }
        let size = entries.reduce(0) { $0 + $1.key.utf8.count + $1.value.count }
        guard size <= Self.putLimitBytes else {
            throw .unusable(
                "\(size) bytes at once are too many for PostgreSQL: at most \(Self.putLimitBytes)")
        }
        // A statement cannot put one key twice; and two at a time that lock rows in one order never wait in
        // a circle.
        let entries = Dictionary(entries.map { ($0.key, $0) }) { $1 }.values.sorted { $0.key < $1.key }
        _ = try run(
            """
            INSERT INTO fiml_kept (key, value, expires_at) SELECT * FROM unnest($1, $2, $3)
            ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at
            """,
            [
                .texts(entries.map(\.key)), .byteStrings(entries.map(\.value)),
                .integers(entries.map(\.expiresAt)),
            ])
    }

    /// Nil where the key is not there, or was good only until before or at `now`.
    public func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
        let rows = try run(
            "SELECT value, expires_at FROM fiml_kept WHERE key = $1 AND expires_at > $2",
            [.text(key), .integer(now)])
        guard let row = rows.first, row.count == 2, let value = row[0],
            let expiresAt = PostgresValue.integer(row[1])
        else { return nil }
        return KeptEntry(key: key, value: value, expiresAt: expiresAt)
    }

    /// Forgets a key.
    public func remove(_ key: String) throws(StoreError) {
        _ = try run("DELETE FROM fiml_kept WHERE key = $1", [.text(key)])
    }

    /// At most `removalLimit` of either kind a call; what another gateway removes at the same time is left
    /// to it.
    public func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {
        _ = try run(
            """
            DELETE FROM fiml_kept WHERE expires_at <= $1 AND key IN (
                SELECT key FROM fiml_kept WHERE expires_at <= $1
                ORDER BY expires_at LIMIT $2 FOR UPDATE SKIP LOCKED)
            """, [.integer(now), .integer(Int64(Self.removalLimit))])
        let excess = try count(prefix: prefix) - max(0, limit)
        guard excess > 0 else { return }
        _ = try run(
            """
            DELETE FROM fiml_kept WHERE key IN (
                SELECT key FROM fiml_kept WHERE key >= $1 AND ($2 IS NULL OR key < $2)
                ORDER BY expires_at, key LIMIT $3 FOR UPDATE SKIP LOCKED)
            """, Self.range(prefix) + [.integer(Int64(min(excess, Self.removalLimit)))])
    }

    /// Those that are over and not removed yet count too.
    public func count(prefix: String) throws(StoreError) -> Int {
        let rows = try run(
            "SELECT count(*) FROM fiml_kept WHERE key >= $1 AND ($2 IS NULL OR key < $2)", Self.range(prefix))
        return Int(rows.first?.first.flatMap { PostgresValue.integer($0) } ?? 0)
    }

    /// The server's version: `15.20`.
    public func ping() throws(StoreError) -> String {
        let rows = try run("SHOW server_version")
        let version = rows.first?.first.flatMap { $0 }.map { String(decoding: $0, as: UTF8.self) } ?? ""
        // Debian's goes on with the package's version.
        return String(version.prefix { $0 != " " })
    }

    /// Ends the connections; calls fail until it is opened again.
    public func close() {
        pool.close()
    }

    private func run(
        _ statement: String, _ values: [PostgresValue] = []
    ) throws(StoreError) -> PostgresConnection.Rows {
        do throws(PostgresError) {
            let attempt = { (connection: PostgresConnection) throws(PostgresError) in
                try connection.run(statement, values)
            }
            do throws(PostgresError) {
                return try pool.perform(attempt)
            } catch {
                guard error.missesTable else { throw error }
                // Its database was made anew, or restored from a copy without the tables.
                try prepare()
                return try pool.perform(attempt)
            }
        } catch {
            throw error.storeError(at: address)
        }
    }

    private func prepare() throws(PostgresError) {
        try pool.perform { connection throws(PostgresError) in try PostgresSchema.prepare(connection) }
    }

    /// From the prefix on, and before the first text that no longer begins with it. Keys are ASCII.
    private static func range(_ prefix: String) -> [PostgresValue] {
        var end = Array(prefix.utf8)
        while end.last == 0x7F { end.removeLast() }
        guard let last = end.popLast() else { return [.text(prefix), .none] }
        return [.text(prefix), .text(String(decoding: end + [last + 1], as: UTF8.self))]
    }
}
