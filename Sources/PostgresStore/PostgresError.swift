import EventStore

/// What went wrong between us and PostgreSQL.
enum PostgresError: Error, Hashable {
    /// There is no connection; what libpq says.
    case noConnection(String)
    /// There was one; what libpq says.
    case lost(String)
    /// No answer came in time.
    case silent
    /// The server said no, and why (PostgreSQL, Appendix A); `isOver`: it closed the connection as well.
    case failed(state: String, message: String, isOver: Bool)
    /// So many connections were all in use for too long.
    case allInUse(Int)
    /// The tables are of this version of the schema, which this program does not know.
    case newerSchema(Int)
    /// The store has been closed.
    case closed

    /// Whether the connection must be thrown away.
    var endsConnection: Bool {
        switch self {
        case .noConnection, .lost, .silent: true
        // A server that has become a standby stays one for this connection.
        case .failed(let state, _, let isOver): isOver || state == "25006"
        case .allInUse, .newerSchema, .closed: false
        }
    }

    /// Whether the connection had ended, perhaps long before it was used: the same on another one may do.
    var foundConnectionEnded: Bool {
        switch self {
        case .lost: true
        case .failed(_, _, let isOver): isOver
        case .noConnection, .silent, .allInUse, .newerSchema, .closed: false
        }
    }

    /// Whether the table is not there (42P01), or not the schema that it was in.
    var missesTable: Bool {
        if case .failed("42P01", _, _) = self { true } else { false }
    }
}

extension PostgresError {
    /// In one line: where, what, and what to do.
    func storeError(at address: PostgresAddress) -> StoreError {
        let place = "PostgreSQL at \(address)"
        switch self {
        case .noConnection(let message):
            let cause = Self.causeOfNoConnection(message)
            let advice = Self.adviceOnConnecting.first { cause.contains($0.words) }?.advice
            return .unavailable(
                "\(place) cannot be used: \(cause); "
                    + (advice ?? "see its log, and check what POSTGRES_HOST and its neighbours say"))
        case .lost(let message):
            return .unavailable("\(place) ended the connection: \(Self.line(message)); see its log")
        case .silent:
            let seconds = (address.answerTimeout + .seconds(2)).components.seconds
            return .unavailable(
                "\(place) gives no answer within \(seconds) s; see whether it or its host hangs")
        case .failed(let state, let message, _):
            let advice = Self.adviceByState.first { state.hasPrefix($0.state) }?.advice ?? "see its log"
            let sentence = "\(place) fails: \(Self.line(message)) (SQLSTATE \(state)); \(advice)"
            return Self.damaged.contains(state) ? .unusable(sentence) : .unavailable(sentence)
        case .allInUse(let count):
            return .unavailable(
                "\(place): all \(count) connections are in use; it is slow, or POSTGRES_POOL_SIZE too small")
        case .newerSchema(let version):
            return .unusable(
                "\(place) holds tables of a newer version (schema \(version), this one knows "
                    + "\(PostgresSchema.current)); start that version, or name another database with "
                    + "POSTGRES_DB")
        case .closed:
            return .unavailable("\(place) is no longer used: the gateway ends")
        }
    }

    /// libpq gives no SQLSTATE for a connection that failed, only words.
    private static let adviceOnConnecting: [(words: String, advice: String)] = [
        ("Connection refused", "start it, or check POSTGRES_HOST and POSTGRES_PORT"),
        ("could not translate host name", "check POSTGRES_HOST"),
        ("timeout expired", "check POSTGRES_HOST and POSTGRES_PORT, and the network between"),
        ("too many", "raise its max_connections, or lower POSTGRES_POOL_SIZE"),
        ("connection slots", "raise its max_connections, or lower POSTGRES_POOL_SIZE"),
        ("password", "check POSTGRES_USER and POSTGRES_PASSWORD"),
        ("authentication failed", "check POSTGRES_USER and POSTGRES_PASSWORD"),
        ("role \"", "check POSTGRES_USER, or create the role"),
        ("pg_hba.conf", "allow the gateway's address in its pg_hba.conf"),
        ("database \"", "create the database, or check POSTGRES_DB"),
        ("starting up", "it will be ready soon"),
        ("shutting down", "start it again"),
        ("recovery mode", "it will be ready soon"),
    ]

    /// By the beginnings of SQLSTATEs.
    private static let adviceByState: [(state: String, advice: String)] = [
        ("25006", "POSTGRES_HOST must name a server that can be written to, no standby"),
        ("42501", "grant the role of POSTGRES_USER what is missing, or make it the database's owner"),
        ("42P01", "create the table again by a restart of the gateway"),
        ("53100", "free space on its disk"),
        ("53200", "give it more memory"),
        ("53300", "raise its max_connections, or lower POSTGRES_POOL_SIZE"),
        ("57014", "it is overloaded, or something holds a lock"),
        ("57P0", "it stops or starts, and will be tried again"),
        ("XX00", "restore its database from a copy"),
    ]

    /// Data or an index that cannot be read (class XX, "data corrupted", "index corrupted").
    private static let damaged: Set<String> = ["XX001", "XX002"]

    /// libpq tells all of its tries: `connection to server at "::1", port 5432 failed: FATAL:  …`. The last
    /// one is told.
    private static func causeOfNoConnection(_ message: String) -> String {
        var cause = message[...]
        while let range = cause.firstRange(of: " failed: ") { cause = cause[range.upperBound...] }
        if let range = cause.firstRange(of: "FATAL:  ") { cause = cause[range.upperBound...] }
        return line(String(cause))
    }

    /// The first line, at most 200 characters, without what would garble a log.
    private static func line(_ message: String) -> String {
        let first = message.unicodeScalars.prefix { $0 != "\n" }.prefix(200)
        var line = String.UnicodeScalarView()
        line.append(contentsOf: first.filter { $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) })
        return line.isEmpty ? "no reason given" : String(line)
    }
}
