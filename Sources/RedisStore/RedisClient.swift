import EventStore
import Locking

/// Connections to one Redis server, for whatever of this module works with it: each call borrows one.
///
/// May be used from several threads; each of them waits for its own answers only. There are as many
/// connections as there are calls at once, and some idle ones for the next. After an error a call's
/// connection is given up, and the next call makes a new one.
///
/// Whoever makes one ignores SIGPIPE in the process.
public final class RedisClient: Sendable {
    /// The server.
    public let address: RedisAddress

    /// Idle connections that are kept.
    private static let idleLimit = 8

    private struct State {
        var idle: [RedisConnection] = []
        /// The digests of scripts that the server has had, by their names.
        var digests: [String: String] = [:]
    }

    private let state = Locked(State())

    /// A client; it connects with its first call.
    public init(_ address: RedisAddress) {
        self.address = address
    }

    /// Whether the server answers: its version, such as `redis 7.0.15`.
    public func ping() throws(StoreError) -> String {
        let info = try call { client throws(RedisFailure) in try client.ask(RedisCommand("INFO", "server")) }
        let lines = (info.text ?? "").split(whereSeparator: \.isNewline)
        let version = lines.first { $0.hasPrefix("redis_version:") }?.dropFirst("redis_version:".count)
        return "redis \(version ?? "of an unknown version")"
    }

    /// Closes the idle connections.
    public func close() {
        state.withLock { $0.idle = [] }
    }

    /// Runs `body`, its failure as an error of a store.
    func call<Result>(
        _ body: (RedisClient) throws(RedisFailure) -> Result
    ) throws(StoreError) -> Result {
        do {
            return try body(self)
        } catch {
            throw error.storeError(address)
        }
    }

    /// The answer to one command.
    func ask(_ command: RedisCommand, waitMilliseconds: Int = 0) throws(RedisFailure) -> RedisReply {
        try ask([command], waitMilliseconds: waitMilliseconds)[0]
    }

    /// The answers to commands that are sent together, in their order; throws the first error line.
    func ask(_ commands: [RedisCommand], waitMilliseconds: Int = 0) throws(RedisFailure) -> [RedisReply] {
        let replies = try send(commands, waitMilliseconds: waitMilliseconds)
        for case .error(let line) in replies { throw .refused(line) }
        return replies
    }

    /// The answers to commands that are sent together; some may be error lines.
    func send(_ commands: [RedisCommand], waitMilliseconds: Int = 0) throws(RedisFailure) -> [RedisReply] {
        let connection = try borrow()
        let replies = try connection.send(commands, waitMilliseconds: waitMilliseconds)
        state.withLock { state in
            if state.idle.count < Self.idleLimit { state.idle.append(connection) }
        }
        return replies
    }

    /// Runs a script: by its digest, or with its text where the server does not know it.
    func run(
        _ script: RedisScript, keys: [String], _ arguments: RedisCommand.Arguments = .init()
    ) throws(RedisFailure) -> RedisReply {
        let digest = try digest(of: script)
        do {
            return try ask(script.command("EVALSHA", digest, keys: keys, arguments))
        } catch {
            guard error.code == "NOSCRIPT" else { throw error }
            return try ask(script.command("EVAL", script.source, keys: keys, arguments))
        }
    }

    /// The answer to a command, and that to a script which the server runs after it.
    func ask(
        _ command: RedisCommand, then script: RedisScript, keys: [String],
        _ arguments: RedisCommand.Arguments,
        waitMilliseconds: Int = 0
    ) throws(RedisFailure) -> (RedisReply, RedisReply) {
        let digest = try digest(of: script)
        let replies = try send(
            [command, script.command("EVALSHA", digest, keys: keys, arguments)],
            waitMilliseconds: waitMilliseconds)
        if case .error(let line) = replies[0] { throw .refused(line) }
        guard case .error(let line) = replies[1] else { return (replies[0], replies[1]) }
        guard RedisFailure.refused(line).code == "NOSCRIPT" else { throw .refused(line) }
        let reply = try run(script, keys: keys, arguments)
        return (replies[0], reply)
    }

    /// What `EVALSHA` names a script by; the server is given it for that, once a process.
    func digest(of script: RedisScript) throws(RedisFailure) -> String {
        if let digest = state.withLock({ $0.digests[script.name] }) { return digest }
        guard let digest = try ask(RedisCommand("SCRIPT", "LOAD", script.source)).text else {
            throw .unexpected("SCRIPT LOAD gave no digest")
        }
        state.withLock { $0.digests[script.name] = digest }
        return digest
    }

    private func borrow() throws(RedisFailure) -> RedisConnection {
        while let connection = state.withLock({ $0.idle.popLast() }) {
            if !connection.isStale { return connection }
        }
        return try RedisConnection(address)
    }
}
