import EventStore
import FIMLCore

/// Work that one gateway asks for and whichever has a host for it does: a stream of tasks for each type of
/// worker, read as one consumer group, and a stream of results for each node that asks.
///
/// A task is given to one consumer at a time. It is done at least once: where a host was silent about it for
/// too long another claims it, and the first result counts. Payloads are whatever the two ends agree on.
/// May be used from several threads.
public struct RedisTasks: Sendable {
    /// Tasks of one type that may wait or be done at once.
    public static let taskLimit = 1000
    /// Results that are kept for a node, and for how long after the last one.
    public static let resultLimit = 1000
    private static let resultMilliseconds = 3_600_000

    private let client: RedisClient

    /// Tasks on a server.
    public init(_ client: RedisClient) {
        self.client = client
    }

    /// A task as it was given out.
    public struct Task: Hashable, Sendable {
        /// Its place among the tasks of its type.
        public let entry: StreamPosition
        /// The type of worker.
        public let type: String
        /// What the one that asks calls it.
        public let id: String
        /// The node that asks, where the result goes.
        public let node: String
        /// What is to be done.
        public let payload: [UInt8]
        /// Until when it is of any use, in milliseconds since 1970 by the server's clock.
        public let deadline: Int64
    }

    /// What became of a task.
    public struct Result: Hashable, Sendable {
        /// Its place among the results for the node.
        public let position: StreamPosition
        /// The task's id.
        public let id: String
        /// What the host answered; of a failure, one line that says why.
        public let payload: [UInt8]
        /// Whether it failed.
        public let isFailure: Bool
    }

    /// Asks for something to be done within so many milliseconds; after that it is dropped silently. Throws
    /// `.unavailable` where too many tasks of the type wait.
    public func submit(
        type: String, id: String, payload: [UInt8], node: String, withinMilliseconds: Int
    ) throws(StoreError) {
        var arguments = RedisCommand.Arguments()
        arguments.append(id)
        arguments.append(node)
        arguments.append(payload)
        arguments.append(min(max(withinMilliseconds, 1), 86_400_000))
        arguments.append(Self.taskLimit)
        let reply = try run(TaskScripts.submit, [TaskScripts.tasks(type)], arguments)
        guard reply != .null else {
            throw .unavailable(
                "\(Self.taskLimit) tasks for \(type) wait at \(client.address.name): start more hosts, "
                    + "or ask again later")
        }
    }

    /// Takes the next tasks of a type, at most `limit`; waits for one, at most so many milliseconds (0: not
    /// at all). `consumer` is the taker's name, the same from one call to the next.
    public func take(
        type: String, consumer: String, limit: Int = 1, waitMilliseconds: Int
    ) throws(StoreError) -> [Task] {
        try client.call { client throws(RedisFailure) in
            do throws(RedisFailure) {
                return try take(client, type, consumer, limit, waitMilliseconds)
            } catch {
                guard error.code == "NOGROUP" else { throw error }
            }
            try createGroup(client, type)
            return try take(client, type, consumer, limit, waitMilliseconds)
        }
    }

    /// Ends a task with its result, or with the reason for its failure. False where it was not this taker's
    /// any more to finish: somebody else has, or it was given up; the result is dropped.
    @discardableResult
    public func finish(_ task: Task, payload: [UInt8], isFailure: Bool = false) throws(StoreError) -> Bool {
        var arguments = RedisCommand.Arguments()
        arguments.append(task.entry.description)
        arguments.append(task.id)
        arguments.append(payload)
        arguments.append(isFailure ? "1" : "0")
        arguments.append(Self.resultLimit)
        arguments.append(Self.resultMilliseconds)
        let keys = [TaskScripts.tasks(task.type), TaskScripts.results(task.node)]
        return try run(TaskScripts.finish, keys, arguments).number == 1
    }

    /// Says that tasks are still being done, so that nobody claims them; those that are this consumer's yet.
    public func keep(_ tasks: [Task], type: String, consumer: String) throws(StoreError) -> [Task] {
        var arguments = RedisCommand.Arguments()
        arguments.append(consumer)
        for task in tasks { arguments.append(task.entry.description) }
        let kept = Set(
            try ifGroup { () throws(StoreError) in
                try run(TaskScripts.keep, [TaskScripts.tasks(type)], arguments).elements.compactMap(
                    \.position)
            })
        return tasks.filter { kept.contains($0.entry) }
    }

    /// Takes over what others have been silent about for so long, at most `limit`. A task that was given out
    /// `attempts` times is given up instead: its node gets a failure.
    public func claim(
        type: String, consumer: String, idleMilliseconds: Int, attempts: Int = 3, limit: Int = 10
    ) throws(StoreError) -> [Task] {
        var arguments = RedisCommand.Arguments()
        arguments.append(consumer)
        arguments.append(max(idleMilliseconds, 0))
        arguments.append(attempts)
        arguments.append(Self.resultLimit)
        arguments.append(Self.resultMilliseconds)
        arguments.append("given up: \(attempts) worker hosts went silent while they did it")
        arguments.append(min(max(limit, 1), 100))
        let entries = try ifGroup { () throws(StoreError) in
            try run(TaskScripts.claim, [TaskScripts.tasks(type)], arguments).elements
        }
        return try client.call { client throws(RedisFailure) in
            try timely(client, entries.compactMap(StreamFields.init), type)
        }
    }

    /// The results for a node after a position, at most a hundred; those up to it are forgotten. Waits for
    /// one, at most so many milliseconds (0: not at all).
    public func results(
        node: String, after position: StreamPosition, waitMilliseconds: Int
    ) throws(StoreError) -> [Result] {
        let stream = TaskScripts.results(node)
        let entries = try client.call { client throws(RedisFailure) in
            // Ids less than this one: what was taken is left until the next, which does no harm.
            _ = try client.ask(RedisCommand("XTRIM", stream, "MINID", position.description))
            return try client.entries(
                of: stream, after: position, limit: 100, waitMilliseconds: waitMilliseconds)
        }
        return entries.map { entry in
            Result(
                position: entry.position, id: entry.text("id") ?? "", payload: entry.fields["payload"] ?? [],
                isFailure: entry.text("failed") == "1")
        }
    }

    private func run(
        _ script: RedisScript, _ keys: [String], _ arguments: RedisCommand.Arguments
    ) throws(StoreError) -> RedisReply {
        try client.call { client throws(RedisFailure) in try client.run(script, keys: keys, arguments) }
    }

    /// Nothing where no task of the type was ever taken.
    private func ifGroup<Element>(
        _ body: () throws(StoreError) -> [Element]
    ) throws(StoreError) -> [Element] {
        do {
            return try body()
        } catch {
            if error.description.contains("NOGROUP") { return [] }
            throw error
        }
    }

    private func createGroup(_ client: RedisClient, _ type: String) throws(RedisFailure) {
        do {
            // From the beginning: what was submitted before the first host came is for it.
            _ = try client.ask(
                RedisCommand("XGROUP", "CREATE", TaskScripts.tasks(type), TaskScripts.group, "0", "MKSTREAM"))
        } catch {
            // Another host was quicker.
            if error.code != "BUSYGROUP" { throw error }
        }
    }

    private func take(
        _ client: RedisClient, _ type: String, _ consumer: String, _ limit: Int, _ wait: Int
    ) throws(RedisFailure) -> [Task] {
        var command = RedisCommand(
            "XREADGROUP", "GROUP", TaskScripts.group, consumer, "COUNT", String(min(max(limit, 1), 100)))
        // BLOCK 0 would wait for ever.
        if wait > 0 {
            command.append("BLOCK")
            command.append(String(wait))
        }
        for word in ["STREAMS", TaskScripts.tasks(type), ">"] { command.append(word) }
        let reply = try client.ask(command, waitMilliseconds: max(wait, 0))
        let entries = (reply.elements.first?.elements.last?.elements ?? []).compactMap(StreamFields.init)
        return try timely(client, entries, type)
    }

    /// The tasks that entries are; drops those whose time is over, and what is no task.
    private func timely(
        _ client: RedisClient, _ entries: [StreamFields], _ type: String
    ) throws(RedisFailure) -> [Task] {
        guard !entries.isEmpty else { return [] }
        let time = try client.ask(RedisCommand("TIME")).elements.compactMap(\.number)
        guard time.count == 2 else { throw .unexpected("TIME had another answer") }
        let now = time[0] * 1000 + time[1] / 1000
        let key = TaskScripts.tasks(type)
        var tasks: [Task] = []
        var drops: [RedisCommand] = []
        for entry in entries {
            if let id = entry.text("id"), let node = entry.text("node"),
                let payload = entry.fields["payload"],
                let deadline = entry.text("deadline").flatMap({ Int64($0) }), deadline >= now
            {
                tasks.append(
                    Task(
                        entry: entry.position, type: type, id: id, node: node, payload: payload,
                        deadline: deadline))
            } else {
                let position = entry.position.description
                drops.append(RedisCommand("XACK", key, TaskScripts.group, position))
                drops.append(RedisCommand("XDEL", key, position))
            }
        }
        if !drops.isEmpty { _ = try client.ask(drops) }
        return tasks
    }
}
