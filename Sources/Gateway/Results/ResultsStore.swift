import Configuration
import EventStore

/// A store of results and sessions, as the settings name it.
struct ResultsStore: Sendable {
    let store: any KeyedStore
    /// Where it is, for people, without a password.
    let place: String
    /// Whether other gateways may use it as well.
    let isShared: Bool

    /// PostgreSQL where it is set, else the place of the events: Redis where several nodes share one, else a
    /// file. Nil where nothing is to outlive the process.
    static func choose(_ settings: Settings) throws -> ResultsStore? {
        nil
    }
}
