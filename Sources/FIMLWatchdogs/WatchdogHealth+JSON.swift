import FIMLCore

extension WatchdogMetrics {
    /// The object that the HTTP API shows for one watchdog.
    public var json: JSONValue {
        .object([
            "name": .string(name.rawValue), "status": .string(status.rawValue),
            "checks_performed": .integer(Int64(checksPerformed)),
            "checks_failed": .integer(Int64(checksFailed)),
            "checks_skipped": .integer(Int64(checksSkipped)),
            "consecutive_failures": .integer(Int64(consecutiveFailures)),
            "events_emitted": .integer(Int64(eventsEmitted)), "events_by_severity": .counts(eventsBySeverity),
            "last_check": .time(lastCheck), "last_event": .time(lastEvent),
            "last_error": lastError.map { .string($0) } ?? .null,
            "min_check_seconds": .seconds(minCheckSeconds), "max_check_seconds": .seconds(maxCheckSeconds),
            "avg_check_seconds": .seconds(avgCheckSeconds), "success_rate": .number(successRate),
            "detection_rate": .number(detectionRate), "uptime_seconds": .number(uptimeSeconds),
            "seconds_since_last_check": .number(secondsSinceLastCheck),
            "last_input": .time(lastInput), "judged_in_last_check": .integer(Int64(judgedInLastCheck)),
        ])
    }
}

extension WatchdogHealthSummary {
    /// The object that `GET /health/watchdogs` answers.
    public var json: JSONValue {
        .object([
            "total_watchdogs": .integer(Int64(totalWatchdogs)),
            "enabled_watchdogs": .integer(Int64(enabledWatchdogs)),
            "healthy_watchdogs": .integer(Int64(healthyWatchdogs)),
            "unhealthy_watchdogs": .integer(Int64(unhealthyWatchdogs)),
            "degraded_watchdogs": .integer(Int64(count(.degraded))),
            "stale_watchdogs": .integer(Int64(count(.stale))),
            "total_checks": .integer(Int64(totalChecks)), "total_events": .integer(Int64(totalEvents)),
            "total_failures": .integer(Int64(totalFailures)),
            "overall_success_rate": .number(overallSuccessRate),
            "events_by_severity": .counts(eventsBySeverity), "detection_rate": .number(detectionRate),
            "timestamp": .time(timestamp), "watchdogs": .array(watchdogs.map(\.json)),
        ])
    }
}

extension WatchdogManagerStatus {
    /// The manager's state; who serves it adds the figures of the stream to `event_stats`.
    public var json: JSONValue {
        .object([
            "initialized": .bool(initialized), "running": .bool(running),
            "total_watchdogs": .integer(Int64(health.totalWatchdogs)),
            "enabled_watchdogs": .integer(Int64(health.enabledWatchdogs)),
            "running_watchdogs": .integer(Int64(runningWatchdogs)),
            "health_summary": .object(
                [WatchdogStatus.healthy, .degraded, .unhealthy, .stale].reduce(into: [:]) { summary, status in
                    summary[status.rawValue] = .integer(Int64(health.count(status)))
                }),
            "event_stats": .object([
                "total_events": .integer(Int64(health.totalEvents)),
                "events_by_type": .object(
                    health.eventsByType.reduce(into: [:]) { object, type in
                        object[type.key.rawValue] = .integer(Int64(type.value))
                    }),
                "events_by_severity": .counts(health.eventsBySeverity),
                "active_subscribers": .integer(Int64(activeSubscribers)),
            ]),
        ])
    }
}

extension JSONValue {
    fileprivate static func time(_ moment: Timestamp?) -> JSONValue {
        moment.map { .string($0.rfc3339) } ?? .null
    }

    fileprivate static func seconds(_ seconds: Double?) -> JSONValue {
        seconds.map { .number($0) } ?? .null
    }

    /// All severities, those that never came with 0.
    fileprivate static func counts(_ counts: [Severity: Int]) -> JSONValue {
        .object(
            Severity.allCases.reduce(into: [:]) { object, severity in
                object[severity.rawValue] = .integer(Int64(counts[severity] ?? 0))
            })
    }
}
