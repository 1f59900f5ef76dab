import Testing

@testable import Observability

@Suite("The gateway's metrics have the names of the public protocol")
struct GatewayMetricsTests {
    private let metrics = GatewayMetrics(
        watchdogs: ["unusual_volume", "price_anomaly", "funding_rate"],
        severities: ["low", "medium", "high", "critical"], workerTypes: ["technical", "risk"])

    /// Name, type and labels as the protocol's section "Metric names" lists them, without those that the
    /// loops count.
    static let names: [(name: String, type: String, labels: Set<String>)] = [
        ("websocket_disconnects_total", "counter", ["code"]),
        ("event_stream_ends_total", "counter", ["reason"]),
        ("websocket_messages_sent_total", "counter", ["type"]),
        ("websocket_events_dropped_total", "counter", ["severity", "reason"]),
        ("event_publish_latency_seconds", "histogram", ["le"]),
        ("event_fanout_seconds", "histogram", ["le"]),
        ("resume_total", "counter", ["result"]),
        ("watchdog_checks_total", "counter", ["watchdog", "status"]),
        ("watchdog_events_total", "counter", ["watchdog", "severity"]),
        ("watchdog_check_seconds", "histogram", ["watchdog", "le"]),
        ("watchdog_health_status", "gauge", ["watchdog"]),
        ("watchdog_last_input_timestamp_seconds", "gauge", ["watchdog"]),
        ("worker_tasks_total", "counter", ["worker_type", "status"]),
        ("worker_execution_seconds", "histogram", ["worker_type", "le"]),
        ("analysis_requests_total", "counter", ["result"]),
        ("http_requests_total", "counter", ["method", "status_class"]),
        ("process_cpu_seconds_total", "counter", []),
        ("process_resident_memory_bytes", "gauge", []),
        ("process_open_fds", "gauge", []),
        ("process_max_fds", "gauge", []),
        ("process_start_time_seconds", "gauge", []),
    ]

    @Test("Both formats hold exactly these, each with help, type and labels")
    func namesAndLabels() throws {
        let prometheus = try Exposition(metrics.registry.render(.prometheus), openMetrics: false)
        let openMetrics = try Exposition(metrics.registry.render(.openMetrics), openMetrics: true)
        #expect(prometheus.families.count == Self.names.count)
        #expect(openMetrics.families.count == Self.names.count)
        for (name, type, labels) in Self.names {
            let family = try #require(prometheus.families[name], "\(name)")
            #expect(family.type == type && family.help?.isEmpty == false, "\(name)")
            #expect(family.samples.first.map { Set($0.labels.keys) } == labels, "\(name)")
            let base = type == "counter" ? String(name.dropLast(6)) : name
            let twin = try #require(openMetrics.families[base], "\(base)")
            #expect(twin.samples.count == family.samples.count, "\(name)")
            let unit = ["seconds", "bytes"].first { base.hasSuffix("_\($0)") }
            #expect(twin.unit == unit, "\(base)")
        }
    }

    @Test("What is counted arrives under its labels")
    func counting() throws {
        metrics.disconnects["4102"].increment()
        metrics.disconnects["3999"].increment()
        metrics.eventsDropped["low", "slow_consumer"].increment(by: 180)
        metrics.watchdogCheckTime["price_anomaly"].observe(.milliseconds(3))
        metrics.watchdogLastInput["funding_rate"].set(1500)
        metrics.requests["BREW", "4xx"].increment()
        metrics.workerTasks["risk", "timeout"].increment()
        metrics.workerTime["technical"].observe(.milliseconds(2))
        let exposition = try Exposition(metrics.registry.render(.prometheus), openMetrics: false)
        #expect(exposition.value("websocket_disconnects_total", ["code": "4102"]) == 1)
        #expect(exposition.value("websocket_disconnects_total", ["code": "other"]) == 1)
        #expect(
            exposition.value(
                "websocket_events_dropped_total", ["severity": "low", "reason": "slow_consumer"]) == 180)
        #expect(
            exposition.value("watchdog_check_seconds_bucket", ["watchdog": "price_anomaly", "le": "0.0025"])
                == 0)
        #expect(
            exposition.value("watchdog_check_seconds_bucket", ["watchdog": "price_anomaly", "le": "0.005"])
                == 1)
        #expect(
            exposition.value("watchdog_last_input_timestamp_seconds", ["watchdog": "funding_rate"]) == 1.5)
        #expect(exposition.value("worker_tasks_total", ["worker_type": "risk", "status": "timeout"]) == 1)
        #expect(
            exposition.value("worker_execution_seconds_bucket", ["worker_type": "technical", "le": "0.001"])
                == 0)
        #expect(
            exposition.value("worker_execution_seconds_bucket", ["worker_type": "technical", "le": "0.0025"])
                == 1)
        #expect(exposition.value("http_requests_total", ["method": "other", "status_class": "4xx"]) == 1)
    }

    @Test("The figures of the process are those of a living one")
    func process() throws {
        let exposition = try Exposition(metrics.registry.render(.prometheus), openMetrics: false)
        let resident = try #require(exposition.value("process_resident_memory_bytes"))
        #expect(resident > 1_000_000 && resident < 100_000_000_000)
        let descriptors = try #require(exposition.value("process_open_fds"))
        let limit = try #require(exposition.value("process_max_fds"))
        #expect(descriptors >= 3 && descriptors <= limit)
        // Later than 2020, and the CPU time is that of a test run.
        #expect(try #require(exposition.value("process_start_time_seconds")) > 1_577_836_800)
        let cpu = try #require(exposition.value("process_cpu_seconds_total"))
        #expect(cpu > 0 && cpu < 100_000)
    }
}
