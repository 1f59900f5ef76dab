import EventStore
import FIMLCore
import Locking

/// The gateways that share a Redis server: who lives, who holds which lease, and what they tell each other.
///
/// A node beats again and again, at least three times within its time to live, from one thread. It counts as
/// a member, and keeps its leases, for that time after its last beat, by the server's clock.
public final class RedisCluster: Sendable {
    /// Bytes that a record, and a notice, may have.
    public static let messageLimit = 65_536
    /// Notices that are kept, about.
    public static let noticeLimit = 1000

    /// This node's name.
    public let node: String

    private let client: RedisClient
    /// Tells this process from one of the same name.
    private let process = RedisEventStore.newName()
    /// The greatest token that this process has had.
    private let greatestToken = Locked<Int64>(0)

    /// A node, whose name must be its own in the cluster.
    public init(_ client: RedisClient, node: String) {
        self.client = client
        self.node = node
    }

    /// Tells that this node lives, and takes, renews and gives back leases; all in one step.
    ///
    /// `record` is JSON for the other nodes. `wants` are the leases that are asked about, at most some
    /// hundred: true to have it, false to have it not. All nodes that want a lease get about as many; each
    /// beat gives back at most one, so that a node which comes gets its share one by one.
    ///
    /// Throws `.unavailable` where another process has this node's name: the name is wrong, or it is this
    /// gateway's own that crashed, which counts until its time is over.
    public func beat(
        record: [UInt8], ttlMilliseconds: Int, wants: [String: Bool]
    ) throws(StoreError) -> ClusterBeat {
        precondition(record.count <= Self.messageLimit && ttlMilliseconds > 0)
        let names = wants.keys.sorted()
        var arguments = RedisCommand.Arguments()
        arguments.append(node)
        arguments.append(process)
        arguments.append(record)
        arguments.append(ttlMilliseconds)
        arguments.append(greatestToken.withLock { $0 })
        for name in names {
            arguments.append(name)
            arguments.append(wants[name] == true ? "1" : "0")
        }
        let reply = try client.call { [arguments] client throws(RedisFailure) in
            try client.run(
                ClusterScripts.beat, keys: [ClusterScripts.members, ClusterScripts.token], arguments)
        }
        switch reply {
        case .integer(let milliseconds):
            throw .unavailable(
                "another gateway calls itself \(node) at \(client.address.name): give each its own name, or "
                    + "wait \(milliseconds / 1000 + 1) s if it has crashed")
        case .null:
            throw .unavailable(
                "\(client.address.name) has \(ClusterScripts.memberLimit) gateways already: end some")
        case .status, .error, .bytes, .array: break
        }
        guard let beat = ClusterBeat(reply, names: names) else {
            throw RedisFailure.unexpected("a script of ours had another answer").storeError(client.address)
        }
        let greatest = beat.leases.values.map(\.token).max() ?? 0
        greatestToken.withLock { $0 = max($0, greatest) }
        return beat
    }

    /// Gives leases back at once, those that this process holds.
    public func release(_ leases: [String]) throws(StoreError) {
        try release(leases, leaving: false)
    }

    /// Gives leases back and is no member any more; after that another process may have the name.
    public func leave(releasing leases: [String]) throws(StoreError) {
        try release(leases, leaving: true)
    }

    private func release(_ leases: [String], leaving: Bool) throws(StoreError) {
        var arguments = RedisCommand.Arguments()
        for word in [node, process, leaving ? "1" : "0"] + leases { arguments.append(word) }
        _ = try client.call { [arguments] client throws(RedisFailure) in
            try client.run(ClusterScripts.release, keys: [ClusterScripts.members], arguments)
        }
    }

    /// Tells all nodes something, this one too; where it stands. Only about the last thousand are kept, so
    /// that a node which is away for long misses some. Throws `.unusable` for more than `messageLimit` bytes.
    @discardableResult
    public func publishNotice(_ bytes: [UInt8]) throws(StoreError) -> StreamPosition {
        guard bytes.count <= Self.messageLimit else {
            throw .unusable(
                "a notice of \(bytes.count) bytes is too long: make it \(Self.messageLimit) at most")
        }
        var command = RedisCommand(
            "XADD", ClusterScripts.notices, "MAXLEN", "~", String(Self.noticeLimit), "*", "node", node,
            "notice")
        command.append(bytes)
        let reply = try client.call { [command] client throws(RedisFailure) in try client.ask(command) }
        return reply.position ?? .zero
    }

    /// Keeps texts by their names for all nodes, in the place of what was kept by these names, until no node
    /// has beaten for ten minutes. Throws `.unusable` for more than `messageLimit` bytes.
    public func keep(_ texts: [String: String]) throws(StoreError) {
        guard !texts.isEmpty else { return }
        let size = texts.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        guard size <= Self.messageLimit else {
            throw .unusable("\(size) bytes of settings are too many: make them \(Self.messageLimit) at most")
        }
        var command = RedisCommand("HSET", ClusterScripts.controls)
        for (name, text) in texts {
            command.append(name)
            command.append(text)
        }
        let life = String(ClusterScripts.controlsMilliseconds)
        _ = try client.call { [command] client throws(RedisFailure) in
            try client.ask([command, RedisCommand("PEXPIRE", ClusterScripts.controls, life)])
        }
    }

    /// All that is kept by `keep`.
    public func kept() throws(StoreError) -> [String: String] {
        let reply = try client.call { client throws(RedisFailure) in
            try client.ask(RedisCommand("HGETALL", ClusterScripts.controls))
        }
        let parts = reply.elements
        return stride(from: 0, to: parts.count - 1, by: 2).reduce(into: [:]) { kept, at in
            if let name = parts[at].text { kept[name] = parts[at + 1].text }
        }
    }

    /// The position of the last notice: where a node that comes begins.
    public func lastNotice() throws(StoreError) -> StreamPosition {
        let reply = try client.call { client throws(RedisFailure) in
            try client.ask(RedisCommand("XREVRANGE", ClusterScripts.notices, "+", "-", "COUNT", "1"))
        }
        return reply.elements.first?.elements.first?.position ?? .zero
    }

    /// The notices after a position, oldest first, at most a hundred; waits for one, at most so many
    /// milliseconds (0: not at all).
    public func notices(
        after position: StreamPosition, waitMilliseconds: Int
    ) throws(StoreError) -> [ClusterNotice] {
        let entries = try client.call { client throws(RedisFailure) in
            try client.entries(
                of: ClusterScripts.notices, after: position, limit: 100, waitMilliseconds: waitMilliseconds)
        }
        return entries.map { entry in
            ClusterNotice(
                position: entry.position, node: entry.text("node") ?? "", bytes: entry.fields["notice"] ?? [])
        }
    }
}
