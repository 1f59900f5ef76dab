import Configuration
import EventStore
import PostgresStore
import RedisStore
import SQLiteStore

/// A store of results and sessions, as the settings name it.
struct ResultsStore: Sendable {
    let store: any KeyedStore
    /// Where it is, for people, without a password.
    let place: String
    /// Whether other gateways may use it as well.
    let isShared: Bool
    /// Sentences for the log that came up since the last call.
    var takeNotices: @Sendable () -> [String] = { [] }

    /// Sessions and results each open and close it.
    private static func shared(_ store: any KeyedStore) -> any KeyedStore {
        SharedKeyedStore(store, users: 2)
    }

    /// PostgreSQL where it is set, else the place of the events: Redis where several nodes share one, else a
    /// file. Nil where nothing is to outlive the process.
    static func choose(_ settings: Settings) throws -> ResultsStore? {
        if let host = settings.postgres.host { return postgres(settings.postgres, at: host) }
        if let host = settings.redis.host { return redis(settings.redis, at: host, shared) }
        guard settings.watchdogs.persistsState else { return nil }
        let store = SQLiteKeyedStore(directory: try settings.makeDataDirectory())
        return ResultsStore(
            store: shared(store), place: settings.path(of: "results.db"), isShared: false,
            takeNotices: { store.takeNotices() })
    }

    private static func postgres(_ settings: Settings.Postgres, at host: String) -> ResultsStore {
        let address = PostgresAddress(
            host: host, port: settings.port, database: settings.database, user: settings.user,
            password: settings.password)
        return ResultsStore(
            store: shared(PostgresKeyedStore(address, poolSize: settings.poolSize)), place: "\(address)",
            isShared: true)
    }

    /// The Redis that is set, whatever is kept in it, for one user; nil where none is.
    static func redis(_ settings: Settings) -> ResultsStore? {
        settings.redis.host.map { redis(settings.redis, at: $0) { $0 } }
    }

    private static func redis(
        _ settings: Settings.Redis, at host: String, _ share: (any KeyedStore) -> any KeyedStore
    ) -> ResultsStore {
        let address = RedisAddress(
            host: host, port: settings.port, database: settings.database, password: settings.password,
            timeoutSeconds: settings.socketTimeout / .seconds(1))
        let name = host.contains(":") ? "[\(host)]" : host
        return ResultsStore(
            store: share(RedisKeyedStore(RedisClient(address))),
            place: "\(name):\(settings.port)/\(settings.database)", isShared: true)
    }
}
