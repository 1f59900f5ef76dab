import FIMLCore

/// That a task was begun, and by whom: what is stored of it until it has ended.
struct TaskRecord {
    let node: String
    let incarnation: String
    let taskID: String
    let asset: Asset
    let totalSteps: Int
    let createdAt: Timestamp

    /// The task as far as is known from outside the process that does it.
    var running: AnalysisTask {
        var progress = TaskProgress(taskID: taskID, asset: asset, totalSteps: totalSteps)
        progress.status = .running
        return AnalysisTask(progress: progress, createdAt: createdAt, finishedAt: nil)
    }

    /// The task as one that nobody will end any more.
    func lost(_ reason: String, at moment: Timestamp) -> AnalysisTask {
        var task = running
        task.progress.status = .failed
        task.progress.refusal = .lost(reason)
        task.finishedAt = moment
        return task
    }
}

extension TaskRecord: JSONWritable {
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("node", node)
        writer.member("incarnation", incarnation)
        writer.member("task_id", taskID)
        writer.member("asset", asset)
        writer.member("total_steps", totalSteps)
        writer.member("created_at", createdAt)
        writer.endObject()
    }

    /// Reads what `write` wrote; nil where it is something else, such as a task that has ended.
    init?(_ value: JSONValue) {
        guard let node = value["node"]?.text, let incarnation = value["incarnation"]?.text,
            let taskID = value["task_id"]?.text,
            let asset = value["asset"].flatMap({ try? Asset.parse($0, at: "asset") }),
            let totalSteps = value["total_steps"]?.int64.flatMap(Int.init(exactly:)), totalSteps > 0,
            let createdAt = value["created_at"]?.text.flatMap(Timestamp.init(rfc3339:))
        else { return nil }
        self.node = node
        self.incarnation = incarnation
        self.taskID = taskID
        self.asset = asset
        self.totalSteps = totalSteps
        self.createdAt = createdAt
    }
}
