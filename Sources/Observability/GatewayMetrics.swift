/// The metrics that the gateway counts event by event, by the names of the public protocol. What the loops
/// count for themselves is registered where they are put together.
public struct GatewayMetrics: Sendable {
    /// Where they are rendered from.
    public let registry: MetricsRegistry

    /// WebSocket connections that ended, by `code`.
    public let disconnects: MetricFamily<Counter>
    /// Messages sent, by `type`.
    public let messagesSent: MetricFamily<Counter>
    /// Events not delivered to a subscriber, by `severity` and `reason`.
    public let eventsDropped: MetricFamily<Counter>
    /// From an event's detection to its last write to a socket in that tick.
    public let publishLatency: Histogram
    /// From the start of a publication on an event loop to its last write.
    public let fanoutTime: Histogram
    /// Attempts to resume from a position, by `result`.
    public let resumes: MetricFamily<Counter>

    /// Checks by `watchdog` and `status`.
    public let watchdogChecks: MetricFamily<Counter>
    /// Events found by `watchdog` and `severity`.
    public let watchdogEvents: MetricFamily<Counter>
    /// How long a check took, by `watchdog`.
    public let watchdogCheckTime: MetricFamily<Histogram>
    /// 1 healthy, 0 not, by `watchdog`.
    public let watchdogHealth: MetricFamily<Gauge>
    /// When inputs last arrived, by `watchdog`; set in milliseconds since 1970.
    public let watchdogLastInput: MetricFamily<Gauge>

    /// Tasks that ended, by `worker_type` and `status`.
    public let workerTasks: MetricFamily<Counter>
    /// How long a task took, by `worker_type`.
    public let workerTime: MetricFamily<Histogram>
    /// Analyses asked for, by `result`.
    public let analyses: MetricFamily<Counter>

    /// Requests answered, by `method` and `status_class`.
    public let requests: MetricFamily<Counter>

    /// Registers all of them, and those of the process. `watchdogs` and `severities` are the names as events
    /// have them, `workerTypes` as requests do.
    public init(
        watchdogs: [String], severities: [String], workerTypes: [String],
        registry: MetricsRegistry = MetricsRegistry()
    ) {
        self.registry = registry
        let severity = MetricLabel("severity", severities)
        let watchdog = MetricLabel("watchdog", watchdogs + ["other"])

        disconnects = registry.counters(
            "websocket_disconnects_total", "WebSocket connections that ended, by close code.",
            labels: MetricLabel("code", Self.closeCodes))
        messagesSent = registry.counters(
            "websocket_messages_sent_total", "Messages sent, by type.",
            labels: MetricLabel("type", Self.messageTypes))
        eventsDropped = registry.counters(
            "websocket_events_dropped_total", "Events not delivered to a subscriber.", labels: severity,
            MetricLabel("reason", ["slow_consumer", "disconnected", "other"]))
        publishLatency = registry.histogram(
            "event_publish_latency_seconds", "From an event's detection to its being written.",
            bounds: Self.bounds(from: .microseconds(100), to: .seconds(10)))
        fanoutTime = registry.histogram(
            "event_fanout_seconds", "From the start of a publication on an event loop to its last write.",
            bounds: Self.bounds(from: .microseconds(10), to: .seconds(1)))
        resumes = registry.counters(
            "resume_total", "Attempts to resume from a position.",
            labels: MetricLabel("result", ["recovered", "window_exceeded", "position_unknown", "other"]))

        watchdogChecks = registry.counters(
            "watchdog_checks_total", "Checks performed.", labels: watchdog,
            MetricLabel("status", ["success", "failed"]))
        watchdogEvents = registry.counters(
            "watchdog_events_total", "Events found.", labels: watchdog, severity)
        watchdogCheckTime = registry.histograms(
            "watchdog_check_seconds", "How long a check took.",
            bounds: Self.bounds(from: .milliseconds(1), to: .seconds(10)), labels: watchdog)
        watchdogHealth = registry.gauges(
            "watchdog_health_status", "1 where a watchdog is healthy, else 0.", labels: watchdog)
        watchdogLastInput = registry.gauges(
            "watchdog_last_input_timestamp_seconds",
            "When a watchdog's inputs last arrived, since 1970-01-01.",
            partsPerUnit: 1000, labels: watchdog)

        let workerType = MetricLabel("worker_type", workerTypes)
        workerTasks = registry.counters(
            "worker_tasks_total", "Tasks of analysis workers that ended.", labels: workerType,
            MetricLabel("status", ["success", "timeout", "failed"]))
        workerTime = registry.histograms(
            "worker_execution_seconds", "How long a worker's task took.",
            bounds: Self.bounds(from: .microseconds(100), to: .seconds(100)), labels: workerType)
        analyses = registry.counters(
            "analysis_requests_total", "Analyses asked for.",
            labels: MetricLabel("result", ["cached", "computed", "refused"]))

        requests = registry.counters(
            "http_requests_total", "Requests answered.", labels: MetricLabel("method", Self.methods),
            MetricLabel("status_class", ["1xx", "2xx", "3xx", "4xx", "5xx"]))
        ProcessMetrics.register(in: registry)
    }

    private static let closeCodes =
        [
            1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 4000, 4001, 4002, 4003, 4005,
            4006,
        ]
        .map(String.init) + [4100, 4101, 4102, 4200, 4201, 4202].map(String.init) + ["other"]

    private static let messageTypes = [
        "welcome", "subscription_ack", "unsubscribe_ack", "subscriptions", "snapshot", "event",
        "replay_complete",
        "gap", "heartbeat", "status", "pong", "session_ack", "end_session_ack", "task_update", "analysis",
        "health", "error", "going_away",
        "other",
    ]

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"]

    /// 1, 2.5 and 5 of each power of ten.
    private static func bounds(from lowest: Duration, to highest: Duration) -> [Duration] {
        var bounds: [Duration] = []
        var decade = lowest
        while decade < highest {
            bounds += [decade, decade * 5 / 2, decade * 5]
            decade *= 10
        }
        return bounds + [highest]
    }
}
