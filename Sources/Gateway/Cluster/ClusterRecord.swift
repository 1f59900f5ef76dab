import FIMLCore
import FIMLWatchdogs

/// What a gateway tells the others of itself with each beat, and how it is shown.
enum ClusterRecord {
    /// This node's: `watchdogs` are the figures of all it knows, `workers` the types that it offers;
    /// `incarnation`: see `GatewayState`.
    static func make(
        _ health: WatchdogHealthSummary, workers: [String], incarnation: String
    ) -> [UInt8] {
        let record: JSONValue = [
            "version": .string(Gateway.version),
            "incarnation": .string(incarnation),
            "watchdogs": .array(health.watchdogs.map(\.record)),
            "workers": .array(workers.map(JSONValue.string)),
        ]
        return record.json
    }

    /// Whether a gateway may still run in that incarnation. One whose record does not say in which it runs,
    /// such as before its first beat with a record, may.
    static func mayRun(_ nodeID: String, _ incarnation: String, in view: ClusterControl.View) -> Bool {
        // While nothing is known of the others, or of this node itself, nobody counts as gone.
        guard view.trouble == nil, !view.nodes.isEmpty else { return true }
        guard let node = view.nodes.first(where: { $0.id == nodeID }) else { return false }
        return node.record["incarnation"]?.text.map { $0 == incarnation } ?? true
    }

    /// The figures of the watchdogs that run at other nodes.
    static func watchdogs(of view: ClusterControl.View, butOf nodeID: String) -> [WatchdogMetrics] {
        view.nodes.filter { $0.id != nodeID }.flatMap { node in
            (node.record["watchdogs"]?.elements ?? []).prefix(64).compactMap { record in
                WatchdogMetrics(record: record, ageSeconds: Double(node.ageMilliseconds) / 1_000)
            }
        }.filter { !$0.isStandingBy }
    }

    /// Whether another node that lives would run a watchdog.
    static func isWanted(_ name: WatchdogName, in view: ClusterControl.View, butOf nodeID: String) -> Bool {
        view.nodes.contains { node in
            node.id != nodeID
                && (node.record["watchdogs"]?.elements ?? []).contains {
                    $0["name"]?.text == name.rawValue && $0["status"]?.text != "disabled"
                }
        }
    }

    /// The `cluster` of `/health`.
    static func health(_ view: ClusterControl.View, nodeID: String) -> JSONValue {
        [
            "node_id": .string(nodeID),
            "status": .string(view.trouble == nil ? "healthy" : "unhealthy"),
            "reason": view.trouble.map(JSONValue.string) ?? .null,
            "nodes": .array(
                view.nodes.map { node in
                    let watchdogs = (node.record["watchdogs"]?.elements ?? []).prefix(64)
                    let running = watchdogs.filter {
                        $0["is_standing_by"]?.boolean == false && $0["status"]?.text != "disabled"
                    }
                    return [
                        "node_id": .string(node.id),
                        "version": node.record["version"] ?? .null,
                        "age_ms": .integer(Int64(node.ageMilliseconds)),
                        "watchdogs": .array(running.compactMap { $0["name"] }),
                        "workers": node.record["workers"] ?? .array([]),
                    ]
                }),
        ]
    }
}
