// Where events, results and sessions are kept, and how gateways that share a store work together. Initial
// values are FIML's where it has them.

extension Settings {
    /// How much of the event stream is kept.
    public struct EventStore: Hashable, Sendable {
        /// The newest so many events.
        public var kept = 10_000
        /// Those stored within so long; zero: no limit by age.
        public var keptFor = Duration.zero

        /// FIML's defaults.
        public init() {}
    }

    /// The Redis through which several gateways share one event stream.
    public struct Redis: Hashable, Sendable {
        /// Its name or address; nil: there is none, and the gateway is the only one.
        public var host: String?
        /// Its TCP port.
        public var port = 6379
        /// The number of the database.
        public var database = 0
        /// Nil: it asks for none.
        public var password: String?
        /// How long it may take to answer, or to take a connection.
        public var socketTimeout = Duration.seconds(5)

        /// FIML's defaults.
        public init() {}
    }

    /// How gateways that share a Redis work together.
    public struct Cluster: Hashable, Sendable {
        /// What the others call this gateway; nil: it makes a name of its own at each start.
        public var nodeID: String?
        /// So long after its last sign of life a node's watchdogs and tasks go to others.
        public var leaseTime = Duration.seconds(10)

        /// The defaults.
        public init() {}
    }

    /// The PostgreSQL that keeps results and sessions.
    public struct Postgres: Hashable, Sendable {
        /// Its name or address; nil: there is none.
        public var host: String?
        /// Its TCP port.
        public var port = 5432
        /// The database's name.
        public var database = "fiml"
        /// The role that logs in.
        public var user = "fiml"
        /// Nil: it asks for none.
        public var password: String?
        /// Connections open at once.
        public var poolSize = 20

        /// FIML's defaults.
        public init() {}
    }

    /// What is kept for clients that come back.
    public struct Sessions: Hashable, Sendable {
        /// How long after its last use a session is kept whose client does not say.
        public var defaultTTL = Duration.seconds(24 * 3600)
        /// How long one is kept at most.
        public var maxTTL = Duration.seconds(168 * 3600)

        /// FIML's defaults.
        public init() {}
    }
}
