import Analysis
import FIMLCore

extension WorkerMetrics {
    /// The object that `GET /workers/{worker_id}` answers.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "worker_id": .string(id), "worker_type": .string(type.rawValue),
            "status": .string(status.rawValue), "reason": reason.map { .string($0) } ?? .null,
            "tasks_completed": .integer(Int64(tally.completed)),
            "tasks_failed": .integer(Int64(tally.failed)), "tasks_timeout": .integer(Int64(tally.timedOut)),
            "tasks_in_progress": .integer(Int64(tasksInProgress)),
            "min_execution_time": .figure(tally.minSeconds), "max_execution_time": .figure(tally.maxSeconds),
            "avg_execution_time": .figure(tally.avgSeconds), "memory_usage_mb": .number(memoryMB),
            "cpu_usage_pct": .number(cpuPercent), "success_rate": .number(tally.successRate),
            "error_rate": .number(tally.errorRate), "last_heartbeat": .time(lastHeartbeat),
            "last_task_at": .time(tally.lastTaskAt),
            "recent_errors": .array(
                tally.recentErrors.map {
                    ["timestamp": .string($0.time.rfc3339), "message": .string($0.reason)]
                }),
            "circuit_breaker": .object([
                "state": .string(circuit.rawValue),
                "consecutive_failures": .integer(Int64(consecutiveFailures)),
                "retry_after_ms": circuitRetryMilliseconds.map { .integer(Int64(clamping: $0)) } ?? .null,
            ]),
        ]
        if isRemote { members["remote"] = true }
        return .object(members)
    }
}

extension WorkerHostStatus {
    /// A host as `GET /health/workers` shows it.
    public var json: JSONValue {
        var members: [String: JSONValue] = [
            "worker_type": .string(type.rawValue), "state": .string(state.rawValue),
            "pid": processID.map { .integer(Int64($0)) } ?? .null, "started_at": .time(startedAt),
            "restarts": .integer(Int64(restarts)), "last_exit": lastExit.map { .string($0) } ?? .null,
            "last_heartbeat": .time(lastHeartbeat), "memory_usage_mb": .number(memoryMB),
            "cpu_usage_pct": .number(cpuPercent), "cpu_seconds": .number(cpuSeconds),
            "memory_limited_by": memoryLimitedBy.map { .string($0) } ?? .null,
            "cpu_limited_by": cpuLimitedBy.map { .string($0) } ?? .null,
        ]
        if isRemote { members["remote"] = true }
        return .object(members)
    }
}

extension WorkerHealthSummary {
    /// The object that `GET /health/workers` answers; who serves it adds what else it knows.
    public var json: JSONValue {
        .object([
            "total_workers": .integer(Int64(workers.count)),
            "healthy_workers": .integer(Int64(healthyWorkers)),
            "unhealthy_workers": .integer(Int64(unhealthyWorkers)),
            "total_tasks": .integer(Int64(totalTasks)),
            "total_successes": .integer(Int64(totalSuccesses)),
            "total_failures": .integer(Int64(totalFailures)),
            "overall_success_rate": .number(overallSuccessRate),
            "by_type": .object(
                byType.reduce(into: [:]) { object, entry in
                    object[entry.key.rawValue] = [
                        "total": .integer(Int64(entry.value.total)),
                        "healthy": .integer(Int64(entry.value.healthy)),
                        "tasks_completed": .integer(Int64(entry.value.tasksCompleted)),
                        "tasks_failed": .integer(Int64(entry.value.tasksFailed)),
                        "avg_execution_time": .figure(entry.value.avgExecutionTime),
                    ]
                }),
            "hosts": .array(hosts.map(\.json)), "timestamp": .string(timestamp.rfc3339),
        ])
    }
}

extension JSONValue {
    /// A moment; `null` where there is none.
    static func time(_ moment: Timestamp?) -> JSONValue {
        moment.map { .string($0.rfc3339) } ?? .null
    }
}
