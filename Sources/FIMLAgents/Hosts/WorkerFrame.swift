import Analysis
import FIMLCore

// What travels between the gateway and a worker host, one JSON object a frame (see `FrameReader`):
//
//     to the host    {"task": 7, "worker": 0, "asset": {…}, "moment": ms, "figures": {…}, "keep": [3, 7]}
//                    {"task": 8, "worker": 1, "asset": {…}, "moment": ms, "kept": [3, 7]}
//     from the host  {"task": 7, "finding": {…}}
//                    {"task": 7, "insufficient": [{"need": …, "reason": …}]}
//                    {"task": 7, "error": "why not"}
//                    {"heartbeat": true}

/// A task for a worker of a host.
struct WorkerRequest: Hashable {
    /// A number that no other task of that host has.
    var task: UInt64
    /// Which of the host's workers is meant, from 0.
    var worker: Int
    /// What it is given.
    var figures: Figures
}

/// What a host says.
enum WorkerReply: Hashable {
    /// It lives.
    case heartbeat
    /// A worker has answered.
    case answer(task: UInt64, WorkerAnswer)
    /// A worker could not answer, for that reason.
    case failed(task: UInt64, String)
    /// Something about a task that cannot be used, for that reason.
    case nonsense(task: UInt64, String)
}

extension WorkerRequest {
    /// A request as it travels.
    struct Written: JSONWritable {
        fileprivate let request: WorkerRequest
        /// The figures as text, where the host does not hold them.
        fileprivate let text: [UInt8]?
        /// Where it holds them, or is to.
        fileprivate let place: SentFigures.Place?

        func write(to writer: inout JSONWriter) {
            writer.beginObject()
            writer.member("task", request.task)
            writer.member("worker", request.worker)
            writer.member("asset", request.figures.asset)
            writer.member("moment", request.figures.moment.milliseconds)
            if let text {
                writer.name("figures")
                writer.raw(text)
            }
            writer.member(text == nil ? "kept" : "keep", ifPresent: place)
            writer.endObject()
        }
    }

    /// With figures that the host holds there.
    func held(at place: SentFigures.Place) -> Written {
        Written(request: self, text: nil, place: place)
    }

    /// With its figures, which the host is to hold there, if anywhere.
    func carrying(_ text: [UInt8], keptAt place: SentFigures.Place?) -> Written {
        Written(request: self, text: text, place: place)
    }

    /// A request that was read, or the task that cannot be done and why; what it tells to keep is kept.
    /// Throws where not even the task can be told.
    static func parse(
        _ bytes: [UInt8], held: inout HeldFigures
    ) throws(FrameViolation) -> Result<WorkerRequest, RefusedTask> {
        let json = try WorkerFrame.object(bytes)
        let task = try WorkerFrame.task(of: json)
        guard let worker = json["worker"]?.int64.flatMap(Int.init(exactly:)),
            let asset = json["asset"], let moment = json["moment"]?.int64
        else {
            return .failure(RefusedTask(task: task, reason: "a task without worker, asset or moment"))
        }
        do throws(InvalidMember) {
            guard var figures = try figures(json, &held) else {
                return .failure(RefusedTask(task: task, reason: "a task without figures"))
            }
            figures.asset = try Asset.parse(asset, at: "asset")
            figures.moment = Timestamp(milliseconds: moment)
            return .success(WorkerRequest(task: task, worker: worker, figures: figures))
        } catch {
            return .failure(RefusedTask(task: task, reason: error.message))
        }
    }

    private static func figures(
        _ json: JSONValue, _ held: inout HeldFigures
    ) throws(InvalidMember) -> Figures? {
        guard let value = json["figures"] else {
            return SentFigures.Place(json["kept"]).flatMap { held.figures(at: $0) }
        }
        let figures = try Figures.parse(value)
        if let place = SentFigures.Place(json["keep"]) { held.hold(figures, at: place) }
        return figures
    }
}

/// A task that cannot be done.
struct RefusedTask: Error, Hashable {
    var task: UInt64
    var reason: String
}

extension WorkerReply: JSONWritable {
    func write(to writer: inout JSONWriter) {
        writer.beginObject()
        switch self {
        case .heartbeat: writer.member("heartbeat", true)
        case .answer(let task, let answer):
            writer.member("task", task)
            answer.writeMember(to: &writer)
        case .failed(let task, let reason), .nonsense(let task, let reason):
            writer.member("task", task)
            writer.member("error", reason)
        }
        writer.endObject()
    }

    /// Characters of a reason that are passed on.
    private static let maxReason = 512

    /// What a host has said. Throws where it is nothing that a host says.
    static func parse(_ bytes: [UInt8]) throws(FrameViolation) -> WorkerReply {
        let json = try WorkerFrame.object(bytes)
        if json["heartbeat"] == true { return .heartbeat }
        let task = try WorkerFrame.task(of: json)
        if let reason = json["error"] {
            guard let text = reason.text else { return .nonsense(task: task, "error must be a string") }
            return .failed(task: task, String(text.prefix(maxReason)))
        }
        do throws(InvalidMember) {
            if let answer = try WorkerAnswer.parse(json) { return .answer(task: task, answer) }
            return .nonsense(task: task, "neither finding, insufficient nor error")
        } catch {
            return .nonsense(task: task, String(error.message.prefix(maxReason)))
        }
    }
}

/// The frames of both directions.
enum WorkerFrame {
    /// A frame of one value; nil where it would be longer than a frame may be.
    static func encode(_ value: some JSONWritable) -> [UInt8]? {
        var bytes: [UInt8] = [0, 0, 0, 0]
        bytes.reserveCapacity(16_384)
        value.write(into: &bytes)
        let length = bytes.count - FrameReader.headerBytes
        guard length <= FrameReader.maxBytes else { return nil }
        for place in 0..<FrameReader.headerBytes {
            bytes[place] = UInt8(truncatingIfNeeded: length >> (24 - 8 * place))
        }
        return bytes
    }

    fileprivate static func object(_ bytes: [UInt8]) throws(FrameViolation) -> JSONValue {
        let json: JSONValue
        do throws(JSONError) {
            json = try JSONValue.parse(bytes)
        } catch {
            throw FrameViolation("a frame that is no JSON: \(error)")
        }
        guard json.members != nil else { throw FrameViolation("a frame that is no JSON object") }
        return json
    }

    fileprivate static func task(of json: JSONValue) throws(FrameViolation) -> UInt64 {
        guard let task = json["task"]?.int64.flatMap(UInt64.init(exactly:)) else {
            throw FrameViolation("a frame without the number of a task")
        }
        return task
    }
}
