/// Where a Redis server is, and how to be let in.
public struct RedisAddress: Hashable, Sendable {
    /// A name or an address of IPv4 or IPv6.
    public var host: String
    /// Redis's own is 6379.
    public var port: Int
    /// The number of the database.
    public var database: Int
    /// nil where the server asks for none.
    public var password: String?
    /// How long a connection may take to come about, and an answer to come, in seconds.
    public var timeoutSeconds: Double

    /// An address with FIML's defaults.
    public init(
        host: String, port: Int = 6379, database: Int = 0, password: String? = nil, timeoutSeconds: Double = 5
    ) {
        self.host = host
        self.port = port
        self.database = database
        self.password = password
        self.timeoutSeconds = timeoutSeconds
    }

    /// How errors name the server.
    var name: String { "Redis at \(host):\(port)" }

    /// The time limit, from a millisecond to a day.
    var timeoutMilliseconds: Int { Int(min(max(timeoutSeconds, 0.001), 86_400) * 1000) }
}
