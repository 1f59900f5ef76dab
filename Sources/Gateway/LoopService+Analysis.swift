import FIMLCore
import HTTP
import Transport

// Analyses and workers over HTTP.
extension LoopService {
    /// Fifty assets with every member at its longest are half of this; a loop reads it in some milliseconds.
    private static let maxAnalysisBytes = 1 << 16

    /// `rest` is what follows `/analysis`: empty, `/batch` or `/<task id>`.
    func analysis(_ rest: Substring, _ request: HTTPRequest, _ connection: Connection) -> Answer {
        switch rest {
        case "": post(request) { analyze(request, connection) }
        case "/batch": post(request) { analyzeBatch(request, connection) }
        default: task(String(rest.dropFirst()), request, connection)
        }
    }

    private func post(_ request: HTTPRequest, _ answer: () -> Answer) -> Answer {
        switch request.method {
        case "POST": answer()
        case "OPTIONS": .response(.options("POST, OPTIONS"))
        default: .response(.methodNotAllowed(request.method, "POST, OPTIONS"))
        }
    }

    private func analyze(_ request: HTTPRequest, _ connection: Connection) -> Answer {
        if let refusal = refusedForm(request) { return .response(refusal) }
        do throws(AnalysisProblem) {
            let (wanted, wait) = try read(request, AnalysisRequest.parse)
            let control = try analysisControl()
            guard wait else {
                return answerLater(request, connection) { () async throws(AnalysisProblem) in
                    await Self.accepted(try control.begin(wanted), control)
                }
            }
            if let answer = control.cached(wanted) { return .response(.json(200, answer)) }
            return answerLater(request, connection) { () async throws(AnalysisProblem) in
                .json(200, try await control.analyze(wanted))
            }
        } catch {
            return .response(error.response)
        }
    }

    private func analyzeBatch(_ request: HTTPRequest, _ connection: Connection) -> Answer {
        if let refusal = refusedForm(request) { return .response(refusal) }
        do throws(AnalysisProblem) {
            let wanted = try read(request, AnalysisBatchRequest.parse)
            let control = try analysisControl()
            return answerLater(request, connection) { () async throws(AnalysisProblem) in
                .json(200, try await control.analyze(wanted))
            }
        } catch {
            return .response(error.response)
        }
    }

    /// `curl -d` calls what it sends a form; it is read as JSON all the same. A page's form is refused: a
    /// browser sends one anywhere without asking first (Fetch 3.2.2), with an `Origin`.
    private func refusedForm(_ request: HTTPRequest) -> HTTPResponse? {
        let form = "application/x-www-form-urlencoded"
        let isForm = request.fields["Content-Type"]?.lowercased() == form
        if isForm, request.fields["Origin"] == nil { return nil }
        return Self.refusedContentType(request, "analyses")
    }

    /// How a task is that was not waited for, and where to ask for it.
    private static func accepted(_ id: String, _ control: AnalysisControl) async -> HTTPResponse {
        guard let task = await control.task(id) else { return noTask(id, control) }
        var response = HTTPResponse.json(202, task)
        response.fields.append("Location", "/analysis/\(id)")
        return response
    }

    private func task(_ id: String, _ request: HTTPRequest, _ connection: Connection) -> Answer {
        let allowed = "GET, HEAD, DELETE, OPTIONS"
        let isCancel = request.method == "DELETE"
        switch request.method {
        case "GET", "HEAD", "DELETE": break
        case "OPTIONS": return .response(.options(allowed))
        default: return .response(.methodNotAllowed(request.method, allowed))
        }
        do throws(AnalysisProblem) {
            let control = try analysisControl()
            return later(request, connection) {
                if isCancel { return await Self.cancelled(id, control) }
                let task = await control.task(id)
                return task.map { .json(200, $0) } ?? Self.noTask(id, control)
            }
        } catch {
            return .response(error.response)
        }
    }

    private static func cancelled(_ id: String, _ control: AnalysisControl) async -> HTTPResponse {
        switch await control.cancel(id) {
        case .ended(let task): .json(200, task)
        case .running(_, let node):
            .problem(409, "CONFLICT", "the gateway \(node) is at this task; cancel it there")
        case nil: noTask(id, control)
        }
    }

    private static func noTask(_ id: String, _ control: AnalysisControl) -> HTTPResponse {
        .problem(
            .notFound,
            "there is no task '\(id.prefix(64))'; the result of one is kept for "
                + "\(control.resultSeconds) s (TASK_RESULT_TTL) after its end")
    }

    // MARK: - Workers

    /// `rest` is what follows `/workers`: empty or `/<worker id>`.
    func workers(_ rest: Substring, _ request: HTTPRequest, _ connection: Connection) -> Answer {
        let allowed = "GET, HEAD, OPTIONS"
        switch request.method {
        case "GET", "HEAD": break
        case "OPTIONS": return .response(.options(allowed))
        default: return .response(.methodNotAllowed(request.method, allowed))
        }
        do throws(AnalysisProblem) {
            let control = try analysisControl()
            guard !rest.isEmpty else {
                return later(request, connection) { .json(200, control.workers().json) }
            }
            let id = String(rest.dropFirst())
            return later(request, connection) {
                if let worker = control.worker(id) { return .json(200, worker.json) }
                let known = control.workerIDs.joined(separator: ", ")
                return .problem(.notFound, "there is no worker '\(id.prefix(64))'; known are \(known)")
            }
        } catch {
            return .response(error.response)
        }
    }

    func workerHealth() -> HTTPResponse {
        guard let health = state.workerHealth.withLock({ $0 }) else {
            return .problem(.unavailable, "the workers are starting; ask again in a second")
        }
        return .json(200, health.summary)
    }

    // MARK: - What is common to them

    /// The orchestrator's place in the gateway; a problem while that is being set up.
    func analysisControl() throws(AnalysisProblem) -> AnalysisControl {
        guard let control = state.analysisControl.withLock({ $0 }) else {
            throw AnalysisProblem(
                code: .unavailable, detail: "the workers are starting; ask again in a second",
                retryAfterSeconds: 1)
        }
        return control
    }

    private func read<Wanted>(
        _ request: HTTPRequest, _ parse: (JSONValue) throws(InvalidMember) -> Wanted
    ) throws(AnalysisProblem) -> Wanted {
        guard request.body.count <= Self.maxAnalysisBytes else {
            throw AnalysisProblem(
                code: .messageTooLarge,
                detail: "a request for analyses has at most \(Self.maxAnalysisBytes) bytes")
        }
        let value: JSONValue
        do {
            value = try JSONValue.parse(request.body)
        } catch {
            throw AnalysisProblem(code: .invalidJSON, detail: "\(error)")
        }
        do throws(InvalidMember) {
            return try parse(value)
        } catch {
            throw AnalysisProblem(code: .invalidMessage, detail: error.message)
        }
    }

    private func answerLater(
        _ request: HTTPRequest, _ connection: Connection,
        _ answer: @escaping @Sendable () async throws(AnalysisProblem) -> HTTPResponse
    ) -> Answer {
        later(request, connection) {
            do throws(AnalysisProblem) {
                return try await answer()
            } catch {
                return error.response
            }
        }
    }
}
