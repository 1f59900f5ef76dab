/// Every metric of the gateway and its watchdogs, by the names of the public protocol.
public struct GatewayMetrics: Sendable {
    /// Where they are rendered from.
    public let registry: MetricsRegistry

    /// WebSocket connections that are open.
    public let connections: Gauge
    /// WebSocket connections that ended, by `code`.
    public let disconnects: MetricFamily<Counter>
    /// Messages sent, by `type`.
    public let messagesSent: MetricFamily<Counter>
    /// Bytes written to WebSocket connections, before TLS.
    public let sentBytes: Counter
    /// Bytes that wait to be written, over all connections.
    public let sendQueueBytes: Gauge
    /// Events not delivered to a subscriber, by `severity` and `reason`.
    public let eventsDropped: MetricFamily<Counter>
    /// From an event's detection to its last write to a socket in that tick.
    public let publishLatency: Histogram
    /// From the start of a publication on an event loop to its last write.
    public let fanoutTime: Histogram
    /// Different filters in use, over all event loops.
    public let distinctFilters: Gauge
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

    /// Requests answered, by `method` and `status_class`.
    public let requests: MetricFamily<Counter>
    /// Requests refused before they reached a route, by `reason`.
    public let requestRejections: MetricFamily<Counter>
    /// TLS handshakes, by `result`.
    public let tlsHandshakes: MetricFamily<Counter>
    /// Times that accepting paused since no descriptor was left.
    public let acceptPauses: Counter

    /// Registers all of them, and those of the process. `watchdogs` and `severities` are the names as events
    /// have them.
    public init(watchdogs: [String], severities: [String], registry: MetricsRegistry = MetricsRegistry()) {
        self.registry = registry
        let severity = MetricLabel("severity", severities)
        let watchdog = MetricLabel("watchdog", watchdogs + ["other"])

        connections = registry.gauge("websocket_connections", "Open WebSocket connections.")
        disconnects = registry.counters(
            "websocket_disconnects_total", "WebSocket connections that ended, by close code.",
            labels: MetricLabel("code", Self.closeCodes))
        messagesSent = registry.counters(
            "websocket_messages_sent_total", "Messages sent, by type.",
            labels: MetricLabel("type", Self.messageTypes))
        sentBytes = registry.counter(
            "websocket_sent_bytes_total", "Bytes written to WebSocket connections, before TLS.")
        sendQueueBytes = registry.gauge(
            "websocket_send_queue_bytes", "Bytes that wait to be written, over all connections.")
        eventsDropped = registry.counters(
            "websocket_events_dropped_total", "Events not delivered to a subscriber.", labels: severity,
            MetricLabel("reason", ["slow_consumer", "disconnected", "other"]))
        publishLatency = registry.histogram(
            "event_publish_latency_seconds", "From an event's detection to its being written.",
            bounds: Self.bounds(from: .microseconds(100), to: .seconds(10)))
        fanoutTime = registry.histogram(
            "event_fanout_seconds", "From the start of a publication on an event loop to its last write.",
            bounds: Self.bounds(from: .microseconds(10), to: .seconds(1)))
        distinctFilters = registry.gauge(
            "filters_distinct", "Different filters in use, over all event loops.")
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

        requests = registry.counters(
            "http_requests_total", "Requests answered.", labels: MetricLabel("method", Self.methods),
            MetricLabel("status_class", ["1xx", "2xx", "3xx", "4xx", "5xx"]))
        requestRejections = registry.counters(
            "http_request_rejections_total", "Requests refused before they reached a route.",
            labels: MetricLabel("reason", Self.rejectionReasons))
        tlsHandshakes = registry.counters(
            "tls_handshakes_total", "TLS handshakes.",
            labels: MetricLabel("result", ["completed", "resumed", "failed", "timeout"]))
        acceptPauses = registry.counter(
            "accept_pauses_total", "Times that accepting paused since no descriptor was left.")
        ProcessMetrics.register(in: registry)
    }

    private static let closeCodes =
        [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1008, 1009, 1011, 1012, 4000, 4001, 4002, 4003, 4005]
        .map(String.init) + [4100, 4101, 4102, 4200, 4201, 4202].map(String.init) + ["other"]

    private static let messageTypes = [
        "welcome", "subscription_ack", "unsubscribe_ack", "subscriptions", "snapshot", "event",
        "replay_complete",
        "gap", "heartbeat", "status", "pong", "error", "going_away", "other",
    ]

    private static let methods = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "other"]

    private static let rejectionReasons = [
        "malformed", "request_line_too_long", "fields_too_large", "content_too_large", "unsupported_version",
        "header_timeout", "body_timeout", "over_capacity", "origin_not_allowed", "other",
    ]

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
