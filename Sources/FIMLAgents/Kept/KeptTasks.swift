import FIMLCore

/// A task of another process: of this gateway before it was restarted, or of another gateway.
public enum KeptTask: Hashable, Sendable {
    /// Nothing more will happen to it: the JSON that it was answered with, or that says that it is lost.
    case ended([UInt8])
    /// A gateway of that name is at it.
    case running([UInt8], node: String)
}

/// Tasks in a store: that each was begun, then how it has ended.
struct KeptTasks: Sendable {
    /// How long after its time limit a task is still believed to end: clocks of two machines differ.
    private static let graceMilliseconds: Int64 = 60_000

    /// A gateway that has just started may have begun a task before anybody knows that it lives.
    private static let birthMilliseconds: Int64 = 10_000

    private let keeping: ResultKeeping
    private let limitMilliseconds: Int64
    private let ttlMilliseconds: Int64

    /// `limit`: how long an analysis takes at most. `ttl`: how long how it ended is kept.
    init(_ keeping: ResultKeeping, limit: Duration, ttl: Duration) {
        self.keeping = keeping
        limitMilliseconds = limit.components.seconds * 1000
        ttlMilliseconds = ttl.components.seconds * 1000
    }

    /// A task has begun.
    func begun(_ task: AnalysisTask) {
        guard ttlMilliseconds > 0 else { return }
        let progress = task.progress
        let record = TaskRecord(
            node: keeping.node, incarnation: keeping.incarnation, taskID: progress.taskID,
            asset: progress.asset, totalSteps: progress.totalSteps, createdAt: task.createdAt)
        keep(record.json, progress.taskID, for: limitMilliseconds + Self.graceMilliseconds + ttlMilliseconds)
    }

    /// A task has ended.
    func ended(_ task: AnalysisTask) {
        keep(task.json, task.progress.taskID, for: ttlMilliseconds)
    }

    /// Returns once what was said last of a task is stored; after a moment also where it is not.
    func settled(_ id: String) async {
        await keeping.stored.settled(Self.key(id))
    }

    /// A task that this process does not know; nil where nobody does.
    func task(_ id: String) async -> KeptTask? {
        // From outside: nothing else is looked up.
        guard Self.isTaskID(id), let kept = await keeping.stored.value(Self.key(id)),
            let value = try? JSONValue.parse(kept.value)
        else { return nil }
        guard let record = TaskRecord(value) else {
            return value["status"] == nil ? nil : .ended(kept.value)
        }
        guard let reason = whyLost(record) else { return .running(record.running.json, node: record.node) }
        let lost = record.lost(reason, at: Timestamp(milliseconds: keeping.now())).json
        keep(lost, id, for: min(ttlMilliseconds, kept.expiresAt - keeping.now()))
        return .ended(lost)
    }

    private func whyLost(_ record: TaskRecord) -> String? {
        if record.node == keeping.node {
            return record.incarnation == keeping.incarnation
                ? "its result could not be stored" : "the gateway was restarted before it ended"
        }
        let age = keeping.now() - record.createdAt.milliseconds
        let mayRun = age < Self.birthMilliseconds || keeping.isAlive(record.node, record.incarnation)
        guard mayRun, age < limitMilliseconds + Self.graceMilliseconds else {
            return "the gateway \(record.node) stopped before it ended"
        }
        return nil
    }

    private func keep(_ json: [UInt8], _ id: String, for milliseconds: Int64) {
        guard milliseconds > 0 else { return }
        keeping.stored.keep(
            StoredResult(json, expiresAt: keeping.now() + milliseconds), as: Self.key(id))
    }

    private static func key(_ id: String) -> String { "task:" + id }

    private static func isTaskID(_ id: String) -> Bool {
        id.hasPrefix("task_") && id.utf8.count <= 64
            && id.utf8.allSatisfy { byte in
                byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                    || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
            }
    }
}
