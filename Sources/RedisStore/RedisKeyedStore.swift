import EventStore

/// Values by key in Redis, each under `fiml:` and its key, with the server's own expiry.
public struct RedisKeyedStore: KeyedStore {
    /// `redis`.
    public let kind = "redis"

    /// Keys of the whole database that `count` looks at.
    public static let countedKeys = 200_000

    private static let prefix = "fiml:"
    private let client: RedisClient

    /// A store on a server.
    public init(_ client: RedisClient) {
        self.client = client
    }

    /// See `KeyedStore`: whether the server takes writes.
    public func open() throws(StoreError) {
        let key = "\(Self.prefix)opened"
        _ = try client.call { client throws(RedisFailure) in
            try client.ask(RedisCommand("SET", key, "1", "PX", "60000"))
        }
    }

    /// See `KeyedStore`. An entry that is over already is not kept, by the server's clock.
    public func put(_ entries: [KeptEntry]) throws(StoreError) {
        var commands = [RedisCommand("MULTI")]
        for entry in entries {
            var command = RedisCommand("SET", Self.prefix + entry.key)
            command.append(entry.value)
            command.append("PXAT")
            // Redis takes no moment before 1970, nor one that its milliseconds cannot hold.
            command.append(String(min(max(entry.expiresAt, 1), 1 << 53)))
            commands.append(command)
        }
        commands.append(RedisCommand("EXEC"))
        let replies = try client.call { [commands] client throws(RedisFailure) in try client.ask(commands) }
        // What fails while it is done, though it was taken: a key of another kind cannot, SET replaces it.
        for case .error(let line) in replies.last?.elements ?? [] {
            throw RedisFailure.refused(line).storeError(client.address)
        }
    }

    /// See `KeyedStore`.
    public func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
        let name = Self.prefix + key
        let replies = try client.call { client throws(RedisFailure) in
            try client.ask([
                RedisCommand("MULTI"), RedisCommand("GET", name), RedisCommand("PEXPIRETIME", name),
                RedisCommand("EXEC"),
            ])
        }
        let parts = replies[3].elements
        if case .error(let line)? = parts.first {
            throw RedisFailure.refused(line).storeError(client.address)
        }
        guard parts.count == 2, let value = parts[0].data, let expiresAt = parts[1].number, expiresAt > now
        else {
            return nil
        }
        return KeptEntry(key: key, value: value, expiresAt: expiresAt)
    }

    /// See `KeyedStore`.
    public func remove(_ key: String) throws(StoreError) {
        let name = Self.prefix + key
        _ = try client.call { client throws(RedisFailure) in try client.ask(RedisCommand("DEL", name)) }
    }

    /// Nothing: the server forgets what is over, and is bounded by its `maxmemory`.
    public func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {}

    /// See `KeyedStore`. Counted by going through the database's keys, at most `countedKeys` of them, a
    /// thousand at a time: a lower bound in a database that has more.
    public func count(prefix: String) throws(StoreError) -> Int {
        let special = Set(#"*?[]\^-"#)
        let pattern =
            (Self.prefix + prefix).map { special.contains($0) ? #"\\#($0)"# : String($0) }.joined() + "*"
        return try client.call { client throws(RedisFailure) in
            // SCAN may give a key twice.
            var found: Set<RedisReply> = []
            var cursor = "0"
            for _ in 0..<Self.countedKeys / 1000 {
                let parts = try client.ask(
                    RedisCommand("SCAN", cursor, "MATCH", pattern, "COUNT", "1000", "TYPE", "string")
                ).elements
                found.formUnion(parts.last?.elements ?? [])
                cursor = parts.first?.text ?? "0"
                if cursor == "0" { break }
            }
            return found.count
        }
    }

    /// See `KeyedStore`.
    public func ping() throws(StoreError) -> String {
        try client.ping()
    }

    /// See `KeyedStore`: closes the client's idle connections.
    public func close() {
        client.close()
    }
}
