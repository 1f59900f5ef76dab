import FIMLCore
import HTTP

/// What is told of an analysis that was begun.
enum AnalysisNews: Sendable {
    /// A worker has ended.
    case update(TaskUpdate)
    /// It is done; `result` is JSON.
    case completed(taskID: String, result: [UInt8])
    /// There will be none.
    case refused(AnalysisProblem)
}

/// Why there is no analysis, ready to be told to whoever asked.
struct AnalysisProblem: Error, Sendable {
    /// The code for programs.
    let code: ErrorCode
    /// A sentence for people.
    let detail: String
    /// When it is worth to ask again; nil where that is not known.
    var retryAfterSeconds: Int?

    /// As a part of an answer: the members of an `error` message.
    var json: JSONValue {
        [
            "error_code": .string(code.rawValue),
            "status": .integer(Int64(code.status)),
            "message": .string(detail),
            "retryable": .bool(code.isRetryable),
            "retry_after_ms": retryAfterSeconds.map { .integer(Int64($0) * 1000) } ?? .null,
        ]
    }

    /// As an answer.
    var response: HTTPResponse {
        var response = HTTPResponse.problem(code, detail)
        if let retryAfterSeconds { response.fields.append("Retry-After", "\(retryAfterSeconds)") }
        return response
    }
}

/// How many workers there are, of those that are switched on.
struct WorkerCounts: JSONWritable, Sendable {
    var total = 0
    var healthy = 0
    var unhealthy = 0

    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("total", total)
        writer.member("healthy", healthy)
        writer.endObject()
    }
}

/// How the workers were at the last look.
struct WorkerHealth: Sendable {
    let counts: WorkerCounts
    /// What `/health/workers` answers.
    let summary: [UInt8]
}
