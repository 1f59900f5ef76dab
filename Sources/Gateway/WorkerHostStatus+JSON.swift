import Analysis
import FIMLAgents
import FIMLCore

extension WorkerHostStatus {
    /// As `/health/workers` tells it.
    var json: JSONValue {
        [
            "worker_type": .string(type.rawValue),
            "state": .string(state.rawValue),
            "process_id": processID.map { .integer(Int64($0)) } ?? .null,
            "started_at": startedAt.map { .string($0.rfc3339) } ?? .null,
            "restarts": .integer(Int64(restarts)),
            "last_exit": lastExit.map(JSONValue.string) ?? .null,
            "last_heartbeat": lastHeartbeat.map { .string($0.rfc3339) } ?? .null,
            "memory_mb": .figure(memoryMB),
            "cpu_percent": .figure(cpuPercent),
            "cpu_seconds": .figure(cpuSeconds),
            "memory_limited_by": memoryLimitedBy.map(JSONValue.string) ?? .null,
            "cpu_limited_by": cpuLimitedBy.map(JSONValue.string) ?? .null,
        ]
    }
}
