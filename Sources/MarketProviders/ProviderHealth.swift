import FIMLCore

/// How a provider has answered so far.
public struct ProviderHealth: Sendable {
    /// How it is now.
    public enum State: String, CaseIterable, Sendable {
        /// Nothing was asked of it, or nothing that it has, or nothing has come back yet.
        case unused
        /// The last request brought figures.
        case ok
        /// The last request brought none, though not because what it asked for is not there.
        case degraded
        /// It failed so often that it is not asked for a while.
        case circuitOpen = "circuit_open"
        /// It wants not to be asked for a while.
        case rateLimited = "rate_limited"
    }

    /// Which provider.
    public let name: ProviderName
    /// How it is.
    public internal(set) var state = State.unused
    /// Requests sent, second tries included.
    public internal(set) var requests = 0
    /// Answers of any status.
    var answers = 0
    /// Requests that brought nothing of use.
    public internal(set) var failures = 0
    /// Such requests since the last that did, but for those that asked for what is not there.
    public internal(set) var consecutiveFailures = 0
    /// Figures within answers that could not be used.
    public internal(set) var refusedFigures = 0
    /// Why, of the last answer that had some; at most three reasons.
    public internal(set) var refusedReasons: [String] = []
    /// When a request last brought figures.
    public internal(set) var lastSuccess: Timestamp?
    /// When one last brought none.
    public internal(set) var lastFailure: Timestamp?
    /// Why it brought none. No key and no query is in it.
    public internal(set) var lastError: String?
    /// The mean time of all answers, in milliseconds.
    public internal(set) var averageLatencyMilliseconds: Double?
    /// The time of the last answer, in milliseconds.
    public internal(set) var lastLatencyMilliseconds: Double?
    /// Until when it is not asked; nil where it may be.
    public internal(set) var retryAt: Timestamp?

    init(name: ProviderName) {
        self.name = name
    }

    /// An object of all of it.
    public var json: JSONValue {
        [
            "name": .string(name.rawValue),
            "state": .string(state.rawValue),
            "requests": .integer(Int64(requests)),
            "failures": .integer(Int64(failures)),
            "consecutive_failures": .integer(Int64(consecutiveFailures)),
            "refused_figures": .integer(Int64(refusedFigures)),
            "refused_reasons": .array(refusedReasons.map(JSONValue.string)),
            "last_success": Self.json(lastSuccess),
            "last_failure": Self.json(lastFailure),
            "last_error": lastError.map(JSONValue.string) ?? .null,
            "average_latency_ms": averageLatencyMilliseconds.map(JSONValue.number) ?? .null,
            "last_latency_ms": lastLatencyMilliseconds.map(JSONValue.number) ?? .null,
            "retry_at": Self.json(retryAt),
        ]
    }

    /// The body of `GET /health/providers`: where the market comes from (`replay` or `live`), each provider,
    /// how many are in each state, and in `status` the whole: `unused` where none was asked yet, `ok` where
    /// all that were are, `unhealthy` where none of them is, else `degraded`.
    public static func summary(_ providers: [ProviderHealth], source: String) -> JSONValue {
        let used = providers.filter { $0.state != .unused }
        let good = used.count { $0.state == .ok }
        let status: JSONValue =
            used.isEmpty ? "unused" : good == used.count ? "ok" : good == 0 ? "unhealthy" : "degraded"
        let counts = State.allCases.map { state in
            (state.rawValue, JSONValue.integer(Int64(providers.count { $0.state == state })))
        }
        return [
            "source": .string(source),
            "status": status,
            "states": .object(Dictionary(uniqueKeysWithValues: counts)),
            "providers": .array(providers.map(\.json)),
        ]
    }

    private static func json(_ moment: Timestamp?) -> JSONValue {
        moment.map { .string($0.rfc3339) } ?? .null
    }
}
