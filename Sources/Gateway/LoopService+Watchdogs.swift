import FIMLCore
import HTTP
import Transport

// The watchdogs, read and controlled over HTTP.
extension LoopService {
    /// What is asked of a watchdog by the last part of the path.
    private enum Action: String {
        case enable, disable, restart
    }

    /// `rest` is what follows `/watchdogs`: empty, `/<name>` or `/<name>/<action>`.
    func watchdogs(_ rest: Substring, _ request: HTTPRequest, _ connection: Connection) -> Answer {
        let parts = rest.split(separator: "/", omittingEmptySubsequences: false).dropFirst().map(String.init)
        guard let first = parts.first else {
            return read(request, connection) { .json(200, await $0.status().json) }
        }
        guard let name = WatchdogName(rawValue: first), parts.count <= 2 else {
            return .response(.problem(404, "NOT_FOUND", Self.noWatchdog(first)))
        }
        guard parts.count == 2 else { return one(name, request, connection) }
        guard let action = Action(rawValue: parts[1]) else {
            return .response(
                .problem(404, "NOT_FOUND", "'\(parts[1])' cannot be done; enable, disable and restart can"))
        }
        switch request.method {
        case "POST":
            if let refusal = refusedPage(request) { return .response(refusal) }
            return controlled(request, connection) { control in
                switch action {
                case .enable: await control.enable(name, true)
                case .disable: await control.enable(name, false)
                case .restart: await control.restart(name)
                }
                return await Self.described(name, control)
            }
        case "OPTIONS": return .response(.options("POST, OPTIONS"))
        default: return .response(.methodNotAllowed(request.method, "POST, OPTIONS"))
        }
    }

    private func one(_ name: WatchdogName, _ request: HTTPRequest, _ connection: Connection) -> Answer {
        guard request.method == "PATCH" else {
            return read(request, connection, also: "PATCH") { await Self.described(name, $0) }
        }
        if let refusal = refusedPage(request) { return .response(refusal) }
        let values: [String: JSONValue]
        do {
            guard let members = try JSONValue.parse(request.body).members, !members.isEmpty else {
                return .response(
                    .problem(.invalidMessage, "the content must be an object of settings by their names"))
            }
            values = members
        } catch {
            return .response(.problem(.invalidJSON, "\(error)"))
        }
        return controlled(request, connection) { control in
            do throws(SettingRefusal) {
                try await control.set(values, of: name)
            } catch {
                return .problem(.invalidMessage, error.detail)
            }
            return await Self.described(name, control)
        }
    }

    /// A page that somebody happens to visit must not switch watchdogs off: one may change them only where
    /// its origin is listed by name. Programs send no `Origin`.
    private func refusedPage(_ request: HTTPRequest) -> HTTPResponse? {
        guard let origin = request.fields["Origin"] else { return nil }
        let origins = state.settings.cors.origins
        if origins != .any, origins.allows(origin) { return nil }
        return .problem(
            .permissionDenied, "pages of \(origin) may not change watchdogs; CORS_ORIGINS must name it")
    }

    private static func described(_ name: WatchdogName, _ control: WatchdogControl) async -> HTTPResponse {
        guard let watchdog = await control.watchdog(name) else {
            return .problem(404, "NOT_FOUND", noWatchdog(name.rawValue))
        }
        return .json(200, watchdog.json)
    }

    private static func noWatchdog(_ name: String) -> String {
        "there is no watchdog '\(name)'; known are "
            + WatchdogName.allCases.map(\.rawValue).joined(separator: ", ")
    }

    private func read(
        _ request: HTTPRequest, _ connection: Connection, also: String? = nil,
        _ answer: @escaping @Sendable (WatchdogControl) async -> HTTPResponse
    ) -> Answer {
        let allowed = "GET, HEAD, " + (also.map { $0 + ", " } ?? "") + "OPTIONS"
        switch request.method {
        case "GET", "HEAD": return controlled(request, connection, answer)
        case "OPTIONS": return .response(.options(allowed))
        default: return .response(.methodNotAllowed(request.method, allowed))
        }
    }

    /// Answers with what the control plane says, which other threads run.
    private func controlled(
        _ request: HTTPRequest, _ connection: Connection,
        _ answer: @escaping @Sendable (WatchdogControl) async -> HTTPResponse
    ) -> Answer {
        guard let control = state.watchdogControl.withLock({ $0 }) else {
            return .response(.problem(.unavailable, "the watchdogs are starting; ask again in a second"))
        }
        return later(request, connection) { await answer(control) }
    }
}
