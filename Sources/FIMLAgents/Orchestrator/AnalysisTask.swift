import FIMLCore

/// Why an analysis was not made.
public enum AnalysisRefusal: Error, Hashable, Sendable, CustomStringConvertible {
    /// Too many wait already; it may be asked again after so long.
    case overloaded(retryAfterSeconds: Int)
    /// These workers are switched off.
    case switchedOff([WorkerType])
    /// All its workers are at other gateways, and none of those answered.
    case cutOff
    /// Its turn did not come within ASYNC_TASK_TIMEOUT.
    case timedOut
    /// The gateway is ending.
    case shuttingDown
    /// It was cancelled.
    case cancelled
    /// Who was at it is gone; why, in one line.
    case lost(String)

    /// One line for people.
    public var description: String {
        switch self {
        case .overloaded(let seconds): "too many analyses wait already; try again in \(seconds) s"
        case .switchedOff(let types):
            "switched off: \(types.map(\.rawValue).joined(separator: ", "))"
        case .cutOff: "the gateways that have its workers did not answer"
        case .timedOut: "its turn did not come in time"
        case .shuttingDown: "the gateway is shutting down"
        case .cancelled: "it was cancelled"
        case .lost(let reason): reason
        }
    }
}

/// Where a task is.
public enum TaskStatus: String, CaseIterable, JSONWritable, Sendable {
    case queued, running, completed, failed, cancelled

    /// Whether nothing more will happen to it.
    public var isFinal: Bool {
        switch self {
        case .queued, .running: false
        case .completed, .failed, .cancelled: true
        }
    }
}

/// How far an analysis is.
public struct TaskProgress: Sendable {
    /// A worker that has ended.
    public struct Step: Sendable {
        /// What kind of worker.
        public let worker: WorkerType
        /// How it ended.
        public let status: WorkerResult.Status
        /// How long it took.
        public let durationMS: Int
        /// Its score; nil where it has none.
        public let score: Double?
    }

    /// `task_…`.
    public let taskID: String
    /// What is judged.
    public let asset: Asset
    /// Where it is.
    public var status = TaskStatus.queued
    /// Workers that have ended.
    public var completedSteps = 0
    /// Workers that were asked.
    public let totalSteps: Int
    /// The worker that has just ended; nil in what is told of the whole.
    public var step: Step?
    /// What came of it; nil unless completed.
    public var analysis: AssetAnalysis?
    /// Why nothing came of it; nil unless failed or cancelled.
    public var refusal: AnalysisRefusal?

    /// 0…1.
    public var progress: Double { totalSteps == 0 ? 1 : Double(completedSteps) / Double(totalSteps) }
}

/// An analysis that can be asked after.
public struct AnalysisTask: Sendable {
    /// How far it is.
    public var progress: TaskProgress
    /// When it was asked for.
    public let createdAt: Timestamp
    /// When it ended; nil before.
    public var finishedAt: Timestamp?
}

extension AnalysisTask: JSONWritable {
    /// Writes the object that `GET /analysis/{task_id}` answers.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("task_id", progress.taskID)
        writer.member("asset", progress.asset.symbol)
        writer.member("status", progress.status)
        writer.member("progress", progress.progress)
        writer.member("completed_steps", progress.completedSteps)
        writer.member("total_steps", progress.totalSteps)
        writer.member("created_at", createdAt)
        writer.member("finished_at", orNull: finishedAt)
        writer.member("error", orNull: progress.refusal?.description)
        writer.member("result", orNull: progress.analysis)
        writer.endObject()
    }
}
