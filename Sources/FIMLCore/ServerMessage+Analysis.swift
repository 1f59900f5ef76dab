// What the server sends about analyses and health.
extension ServerMessage {
    /// How far an analysis that was asked for over the socket has come; one for each worker that ends.
    public static func taskUpdate(id: RequestID?, _ update: TaskUpdate) -> [UInt8] {
        message("task_update", id: id) { writer in
            writer.member("task_id", update.taskID)
            writer.member("asset", update.symbol)
            writer.member("status", update.status)
            writer.member("progress", update.progress)
            writer.member("completed_steps", update.completedSteps)
            writer.member("total_steps", update.totalSteps)
            writer.member("step", orNull: update.step)
        }
    }

    /// The analysis that was asked for: what `POST /analysis` answers is its `result`. `result` is JSON.
    public static func analysis(id: RequestID?, taskID: String, result: [UInt8]) -> [UInt8] {
        message("analysis", id: id, capacity: result.count + 128) { writer in
            writer.member("task_id", taskID)
            writer.name("result")
            writer.raw(result)
        }
    }

    /// How a part of the system is: what its path below `/health` answers is the `summary`, which is JSON.
    public static func health(id: RequestID?, scope: HealthScope, summary: [UInt8]) -> [UInt8] {
        message("health", id: id, capacity: summary.count + 128) { writer in
            writer.member("scope", scope)
            writer.name("summary")
            writer.raw(summary)
        }
    }
}

/// How far an analysis has come.
public struct TaskUpdate: Hashable, Sendable {
    /// A worker that has just ended.
    public struct Step: Hashable, Sendable, JSONWritable {
        /// Which.
        public var worker: WorkerType
        /// How it ended: `completed`, `timed_out`.
        public var status: String
        /// How long it took.
        public var durationMilliseconds: Int
        /// What it found, 0 to 10; nil where it found nothing.
        public var score: Double?

        /// A step with every part given.
        public init(worker: WorkerType, status: String, durationMilliseconds: Int, score: Double?) {
            self.worker = worker
            self.status = status
            self.durationMilliseconds = durationMilliseconds
            self.score = score
        }

        /// Writes all of it.
        public func write(to writer: inout JSONWriter) {
            writer.beginObject()
            writer.member("worker", worker)
            writer.member("status", status)
            writer.member("duration_ms", durationMilliseconds)
            writer.member("score", orNull: score)
            writer.endObject()
        }
    }

    /// Whose task it is.
    public var taskID: String
    /// The symbol of what is analysed.
    public var symbol: String
    /// `queued`, `running`, `completed`, `failed` or `cancelled`.
    public var status: String
    /// Workers that have ended, of all that were asked: 0 to 1.
    public var progress: Double
    /// How many have ended.
    public var completedSteps: Int
    /// How many were asked.
    public var totalSteps: Int
    /// The one that has just ended; nil where the status changed only.
    public var step: Step?

    /// An update with every part given.
    public init(
        taskID: String, symbol: String, status: String, progress: Double, completedSteps: Int,
        totalSteps: Int, step: Step?
    ) {
        self.taskID = taskID
        self.symbol = symbol
        self.status = status
        self.progress = progress
        self.completedSteps = completedSteps
        self.totalSteps = totalSteps
        self.step = step
    }
}
