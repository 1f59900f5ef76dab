import FIMLCore
import HTTP
import Transport

// What is served where.
extension LoopService {
    /// Answers a request, before CORS fields are added.
    func route(_ request: HTTPRequest, _ connection: Connection) -> Answer {
        switch request.path {
        case "/health": get(request) { health() }
        case "/health/watchdogs": get(request) { watchdogHealth() }
        case "/health/providers": get(request) { providerHealth() }
        case "/health/workers": get(request) { workerHealth() }
        case "/health/db": get(request) { storeHealth() }
        case "/health/cache": get(request) { cacheHealth() }
        case "/livez": get(request) { liveness() }
        case "/readyz": get(request) { readiness() }
        case "/metrics": get(request) { metrics(request) }
        case "/connections", "/ws/connections": get(request) { connectionFigures() }
        case "/events": events(request, connection)
        case "/ws/events", "/ws": openStream(request)
        case "/ws/echo" where state.settings.server.devEndpoints: openEcho(request)
        case "/openapi.json": get(request) { schema("openapi.json") }
        case "/asyncapi.json": get(request) { schema("asyncapi.json") }
        case let path where path.hasPrefix("/schemas/"):
            get(request) { schema(String(path.dropFirst())) }
        case let path where path == "/watchdogs" || path.hasPrefix("/watchdogs/"):
            watchdogs(path.dropFirst("/watchdogs".count), request, connection)
        case let path where path == "/dashboard/watchdogs" || path.hasPrefix("/dashboard/watchdogs/"):
            watchdogs(path.dropFirst("/dashboard/watchdogs".count), request, connection)
        case let path where path == "/analysis" || path.hasPrefix("/analysis/"):
            analysis(path.dropFirst("/analysis".count), request, connection)
        case let path where path == "/workers" || path.hasPrefix("/workers/"):
            workers(path.dropFirst("/workers".count), request, connection)
        default:
            .response(
                .problem(404, "NOT_FOUND", "nothing is at this path; /openapi.json lists what there is"))
        }
    }

    private func get(_ request: HTTPRequest, _ answer: () -> HTTPResponse) -> Answer {
        switch request.method {
        case "GET", "HEAD": .response(answer())
        case "OPTIONS": .response(.options("GET, HEAD, OPTIONS"))
        default: .response(.methodNotAllowed(request.method, "GET, HEAD, OPTIONS"))
        }
    }

    private func events(_ request: HTTPRequest, _ connection: Connection) -> Answer {
        switch request.method {
        case "GET", "HEAD": readEvents(request, connection)
        case "POST": publishEvents(request, connection)
        case "OPTIONS": .response(.options("GET, HEAD, POST, OPTIONS"))
        default: .response(.methodNotAllowed(request.method, "GET, HEAD, POST, OPTIONS"))
        }
    }

    /// CORS (Fetch 3.2): a page of an allowed origin may read the answer, and ask before it posts JSON. Never
    /// with credentials.
    func allowOrigin(_ request: HTTPRequest, _ response: inout HTTPResponse) {
        let cors = state.settings.cors
        guard cors.isEnabled, let origin = request.fields["Origin"] else { return }
        response.fields.append("Vary", "Origin")
        guard cors.origins.allows(origin) else { return }
        response.fields.append("Access-Control-Allow-Origin", origin)
        guard request.method == "OPTIONS", let allowed = response.fields["Allow"] else { return }
        response.fields.append("Access-Control-Allow-Methods", allowed)
        response.fields.append("Access-Control-Allow-Headers", "Content-Type")
        response.fields.append("Access-Control-Max-Age", "600")
    }
}

extension HTTPResponse {
    static func json(_ status: Int = 200, _ body: [UInt8]) -> HTTPResponse {
        HTTPResponse(status: status, fields: ["Content-Type": "application/json"], body: body)
    }

    static func text(_ body: String, type: String = "text/plain; charset=utf-8") -> HTTPResponse {
        HTTPResponse(status: 200, fields: ["Content-Type": type], body: Array(body.utf8))
    }

    static func problem(_ status: Int, _ error: String, _ detail: String) -> HTTPResponse {
        ProblemDetails(status: status, error: error, detail: detail).response
    }

    static func problem(_ code: ErrorCode, _ detail: String) -> HTTPResponse {
        problem(code.status, code.rawValue, detail)
    }

    static func options(_ allowed: String) -> HTTPResponse {
        HTTPResponse(status: 204, fields: ["Allow": allowed])
    }

    static func methodNotAllowed(_ method: String, _ allowed: String) -> HTTPResponse {
        var response = problem(405, "METHOD_NOT_ALLOWED", "\(method) is not served here; \(allowed) are")
        response.fields.append("Allow", allowed)
        return response
    }
}
