import Configuration
import EventStore
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

    /// PostgreSQL where it is set, else the place of the events: Redis where several nodes share one, else a
    /// file. Nil where nothing is to outlive the process.
    static func choose(_ settings: Settings) throws -> ResultsStore? {
        guard settings.watchdogs.persistsState else { return nil }
        let store = SQLiteKeyedStore(directory: try settings.makeDataDirectory())
        return ResultsStore(
            store: store, place: settings.path(of: "results.db"), isShared: false,
            takeNotices: { store.takeNotices() })
    }
}
