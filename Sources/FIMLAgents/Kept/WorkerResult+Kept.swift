import Analysis
import FIMLCore

// A worker's result as it is stored: all that the cache in memory holds of it.
//
//     {"type": "technical", "asset": {…}, "status": "completed", "at": ms, "finding": {…}, "missing": […],
//      "error": "…", "by": "model", "declined": "…", "worker_id": "tech_0", "attempts": 1,
//      "duration_ms": 4, "partial": true}

/// A result as it is written into a store; by `WorkerResult` itself it is written as it is answered.
struct KeptWorkerResult: JSONWritable {
    let result: WorkerResult

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("type", result.type)
        writer.member("asset", result.asset)
        writer.member("status", result.status)
        writer.member("at", result.timestamp.milliseconds)
        writer.member("finding", ifPresent: result.finding)
        if !result.missing.isEmpty { writer.member("missing", result.missing) }
        writer.member("error", ifPresent: result.error)
        switch result.interpreted {
        case .byModel: writer.member("by", "model")
        case .byRules(let reason):
            writer.member("by", "rules")
            writer.member("declined", ifPresent: reason)
        }
        writer.member("worker_id", ifPresent: result.workerID)
        writer.member("attempts", result.attempts)
        writer.member("duration_ms", result.durationMS)
        if result.isPartial { writer.member("partial", true) }
        writer.endObject()
    }
}

extension WorkerResult {
    /// Reads what `KeptWorkerResult` wrote. Throws the first thing that is wrong, by its path.
    static func parse(_ value: JSONValue) throws(InvalidMember) -> WorkerResult {
        guard let type = value["type"]?.text.flatMap(WorkerType.init) else { throw unknown("type") }
        guard let status = value["status"]?.text.flatMap(Status.init) else { throw unknown("status") }
        guard let at = value["at"]?.int64, (0...Timestamp.last.milliseconds).contains(at) else {
            throw unknown("at")
        }
        guard let attempts = value["attempts"]?.int64.flatMap(Int.init(exactly:)), attempts >= 0 else {
            throw unknown("attempts")
        }
        guard let duration = value["duration_ms"]?.int64.flatMap(Int.init(exactly:)), duration >= 0
        else {
            throw unknown("duration_ms")
        }
        let asset = try Asset.parse(value["asset"] ?? .null, at: "asset")
        var result = WorkerResult(type, asset, status, at: Timestamp(milliseconds: at))
        if let finding = value["finding"] { result.finding = try Finding.parse(finding) }
        // What is completed has a finding, and nothing else has.
        guard (result.finding != nil) == (status == .completed) else { throw unknown("finding") }
        if let missing = value["missing"] { result.missing = try MissingFigures.parse(list: missing) }
        result.error = value["error"]?.text
        switch value["by"]?.text {
        case "model": result.interpreted = .byModel
        case "rules": result.interpreted = .byRules(value["declined"]?.text)
        case _: throw unknown("by")
        }
        result.workerID = value["worker_id"]?.text
        result.attempts = attempts
        result.durationMS = duration
        result.isPartial = value["partial"]?.boolean ?? false
        return result
    }

    private static func unknown(_ path: String) -> InvalidMember {
        InvalidMember(path: path, problem: "is not as this version writes it")
    }
}
