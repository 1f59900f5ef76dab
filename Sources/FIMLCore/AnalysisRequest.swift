/// What somebody wants to be analysed: `{asset, agents?}` of `POST /analysis` and of an `analyze` message.
public struct AnalysisRequest: Hashable, Sendable {
    /// What is judged.
    public var asset: Asset
    /// Which workers judge it, each once; nil: all that are switched on.
    public var agents: [WorkerType]?

    /// A request for all workers, or for some.
    public init(asset: Asset, agents: [WorkerType]? = nil) {
        self.asset = asset
        self.agents = agents
    }

    /// Reads the content of `POST /analysis`. `wait` is true where it is not given: the answer is the
    /// analysis; false: a task that can be asked for.
    public static func parse(_ value: JSONValue) throws(InvalidMember) -> (
        request: AnalysisRequest, wait: Bool
    ) {
        let reader = try MemberReader(value, at: "", allowed: ["asset", "agents", "wait"])
        return (try AnalysisRequest(reader), try reader.bool("wait") ?? true)
    }

    init(_ reader: MemberReader) throws(InvalidMember) {
        guard let asset = reader.value("asset") else {
            throw InvalidMember(path: "asset", problem: "is required")
        }
        self.init(asset: try Asset.parse(asset, at: "asset"), agents: try Self.agents(reader))
    }

    static func agents(_ reader: MemberReader) throws(InvalidMember) -> [WorkerType]? {
        guard let values = try reader.list("agents", limit: WorkerType.allCases.count) else { return nil }
        var agents: [WorkerType] = []
        for (index, value) in values.enumerated() {
            let path = "\(reader.path(of: "agents"))[\(index)]"
            let agent = try WorkerType.named(value, at: path)
            guard !agents.contains(agent) else {
                throw InvalidMember(path: path, problem: "names \(agent.rawValue) a second time")
            }
            agents.append(agent)
        }
        return agents
    }
}

/// Several assets, each judged by the same workers: the content of `POST /analysis/batch`.
public struct AnalysisBatchRequest: Hashable, Sendable {
    /// The most assets of one request.
    public static let maxAssets = 50

    /// What is judged, 1 to 50, answered in this order.
    public var assets: [Asset]
    /// Which workers judge them; nil: all that are switched on.
    public var agents: [WorkerType]?

    /// Reads `{assets, agents?}`.
    public static func parse(_ value: JSONValue) throws(InvalidMember) -> AnalysisBatchRequest {
        let reader = try MemberReader(value, at: "", allowed: ["assets", "agents"])
        var assets: [Asset] = []
        for (index, asset) in try reader.requiredList("assets", limit: maxAssets).enumerated() {
            assets.append(try Asset.parse(asset, at: "assets[\(index)]"))
        }
        return AnalysisBatchRequest(assets: assets, agents: try AnalysisRequest.agents(reader))
    }
}

/// Whose health a client asks for over the socket.
public enum HealthScope: String, CaseIterable, JSONWritable, Sendable {
    case watchdogs, workers, providers
}
