/// Where a PostgreSQL is, who logs in, and how long it may take.
public struct PostgresAddress: Hashable, Sendable, CustomStringConvertible {
    /// A name, looked up at each connection, or an address.
    public var host: String
    /// Its TCP port.
    public var port: Int
    /// The database, which must exist.
    public var database: String
    /// The role to log in as.
    public var user: String
    /// Nil: whatever libpq finds by itself, `~/.pgpass` for one.
    public var password: String?
    /// How long a connection may take until it is ready, for each address of the host; whole seconds, at
    /// least 2 (libpq's least).
    public var connectTimeout: Duration
    /// How long an answer may take: the server gives up after this, we two seconds later.
    public var answerTimeout: Duration

    /// An address. How a connection is encrypted is libpq's own to decide: where the server offers TLS, or as
    /// `PGSSLMODE` and `PGSSLROOTCERT` in the environment demand.
    public init(
        host: String, port: Int, database: String, user: String, password: String?,
        connectTimeout: Duration = .seconds(5), answerTimeout: Duration = .seconds(5)
    ) {
        self.host = host
        self.port = port
        self.database = database
        self.user = user
        self.password = password
        self.connectTimeout = connectTimeout
        self.answerTimeout = answerTimeout
    }

    /// `db.example:5432/fiml`: without what is nobody's business.
    public var description: String {
        host.contains(":") ? "[\(host)]:\(port)/\(database)" : "\(host):\(port)/\(database)"
    }
}

extension Duration {
    /// At least one.
    var wholeMilliseconds: UInt64 {
        UInt64(clamping: max(1, components.seconds * 1000 + components.attoseconds / 1_000_000_000_000_000))
    }
}
