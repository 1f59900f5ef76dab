import Analysis
import FIMLCore

/// What came of having one worker judge an asset.
public struct WorkerResult: Sendable {
    /// How it ended.
    public enum Status: String, CaseIterable, JSONWritable, Sendable {
        /// There is a finding.
        case completed
        /// The figures did not suffice; `missing` says which.
        case insufficientData = "insufficient_data"
        /// No try was answered.
        case failed
        /// No try was answered in time.
        case timedOut = "timed_out"
        /// No worker of the type may be given a task now.
        case unavailable
        /// Who asked has gone.
        case cancelled
    }

    /// Who decided what the figures mean.
    public enum Interpreted: Hashable, Sendable {
        /// The rules; with the reason where a language model is configured.
        case byRules(String?)
        /// The language model.
        case byModel
    }

    /// What kind of worker.
    public let type: WorkerType
    /// What it judged.
    public let asset: Asset
    /// How it ended.
    public let status: Status
    /// What was found; nil unless completed.
    public var finding: Finding?
    /// What was missing.
    public var missing: [MissingFigures] = []
    /// Why there is no finding, in one line.
    public var error: String?
    /// Who decided what the figures mean.
    public var interpreted = Interpreted.byRules(nil)
    /// The worker that answered, or tried last; nil where none was asked.
    public var workerID: String?
    /// How often it was tried.
    public var attempts = 0
    /// From the start to the end.
    public var durationMS = 0
    /// When it ended.
    public let timestamp: Timestamp
    /// Whether it would be better if a source, or the language model, had not failed.
    var isPartial = false

    init(_ type: WorkerType, _ asset: Asset, _ status: Status, at timestamp: Timestamp) {
        self.type = type
        self.asset = asset
        self.status = status
        self.timestamp = timestamp
    }
}

extension WorkerResult: JSONWritable {
    /// Writes the result by FIML's names: what every worker says, then the worker's own keys.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("asset", asset.symbol)
        writer.member("analysis_type", type)
        writer.member("status", status)
        writer.member("score", orNull: finding?.score)
        writer.member("confidence", orNull: finding?.confidence)
        writer.member("as_of", orNull: finding?.asOf)
        writer.member("timestamp", timestamp)
        switch interpreted {
        case .byModel: writer.member("interpreted_by", "model")
        case .byRules(let reason):
            writer.member("interpreted_by", "rules")
            writer.member("model_declined", ifPresent: reason)
        }
        writer.member("worker_id", orNull: workerID)
        writer.member("attempts", attempts)
        writer.member("duration_ms", durationMS)
        for (name, value) in (finding?.details ?? [:]).sorted(by: { $0.key < $1.key }) {
            writer.member(name, value)
        }
        writer.member("missing", finding?.missing ?? missing)
        writer.member("error", orNull: error)
        writer.endObject()
    }
}
