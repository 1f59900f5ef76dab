import EventStore

/// The tables, and how they come to be: each version is made from the one before it.
enum PostgresSchema {
    /// The version that this program works with.
    static var current: Int { migrations.count }

    /// What leads from a version to the next, beginning at none. A version that has been released never
    /// changes; a new one is added.
    private static let migrations: [[String]] = [
        [
            // Bytes decide the order of keys, so that all with one prefix are a range of the index.
            """
            CREATE TABLE fiml_kept (
                key text COLLATE "C" PRIMARY KEY, value bytea NOT NULL, expires_at bigint NOT NULL)
            """,
            "CREATE INDEX fiml_kept_expires_at ON fiml_kept (expires_at)",
        ]
    ]

    /// Makes or migrates the tables, all or nothing. Other gateways may do so at the same time: a lock lets
    /// them in one after the other. An error leaves the connection within a transaction.
    static func prepare(_ connection: PostgresConnection) throws(PostgresError) {
        _ = try connection.run("BEGIN")
        // The letters "FIML": a number that no other program is likely to have chosen.
        _ = try connection.run("SELECT pg_advisory_xact_lock($1)", [.integer(0x4649_4D4C)])
        // IF NOT EXISTS would need the right to create tables even where they are there.
        if try !isThere("fiml_schema", connection) {
            _ = try connection.run("CREATE TABLE fiml_schema (version bigint NOT NULL)")
        }
        let rows = try connection.run("SELECT max(version) FROM fiml_schema")
        var version = rows.first?.first.flatMap { PostgresValue.integer($0) }.map { Int($0) } ?? 0
        guard version <= current else { throw .newerSchema(version) }
        if try !isThere("fiml_kept", connection) { version = 0 }
        if version < current {
            for statement in migrations[max(0, version)...].joined() { _ = try connection.run(statement) }
            _ = try connection.run("DELETE FROM fiml_schema")
            _ = try connection.run("INSERT INTO fiml_schema VALUES ($1)", [.integer(Int64(current))])
        }
        _ = try connection.run("COMMIT")
    }

    private static func isThere(_ table: String, _ connection: PostgresConnection) throws(PostgresError)
        -> Bool
    {
        try connection.run("SELECT to_regclass($1)", [.text(table)]).first?.first.flatMap { $0 } != nil
    }
}
