import Testing

@testable import Observability

@Suite("/metrics is valid Prometheus text 0.0.4 and OpenMetrics 1.0")
struct MetricsTests {
    @Test("A counter, a gauge and a histogram are written as the Prometheus format says")
    func prometheus() {
        let expected = """
            # HELP sent_bytes_total Bytes sent.
            # TYPE sent_bytes_total counter
            sent_bytes_total 42
            # HELP connections Open "now".
            # TYPE connections gauge
            connections -3
            # HELP check_seconds Check\\\\time.\\nSecond line.
            # TYPE check_seconds histogram
            check_seconds_bucket{le="0.001"} 1
            check_seconds_bucket{le="1.0"} 2
            check_seconds_bucket{le="+Inf"} 3
            check_seconds_sum 2.501
            check_seconds_count 3

            """
        #expect(sample().render(.prometheus) == expected)
    }

    @Test("The same in OpenMetrics: families without _total, units, quotes escaped, an end")
    func openMetrics() {
        let expected = """
            # TYPE sent_bytes counter
            # UNIT sent_bytes bytes
            # HELP sent_bytes Bytes sent.
            sent_bytes_total 42
            # TYPE connections gauge
            # HELP connections Open \\"now\\".
            connections -3
            # TYPE check_seconds histogram
            # UNIT check_seconds seconds
            # HELP check_seconds Check\\\\time.\\nSecond line.
            check_seconds_bucket{le="0.001"} 1
            check_seconds_bucket{le="1.0"} 2
            check_seconds_bucket{le="+Inf"} 3
            check_seconds_sum 2.501
            check_seconds_count 3
            # EOF

            """
        #expect(sample().render(.openMetrics) == expected)
    }

    private func sample() -> MetricsRegistry {
        let registry = MetricsRegistry()
        registry.counter("sent_bytes_total", "Bytes sent.").increment(by: 42)
        registry.gauge("connections", "Open \"now\".").add(-3)
        let times = registry.histogram(
            "check_seconds", "Check\\time.\nSecond line.", bounds: [.milliseconds(1), .seconds(1)])
        times.observe(.milliseconds(1))  // a bound belongs to its own range
        times.observe(.milliseconds(500))
        times.observe(.seconds(2))
        return registry
    }

    @Test("Label values are escaped, and every combination is there from the start")
    func labels() throws {
        let registry = MetricsRegistry()
        let values = ["a\"b", "c\\d\n", "ü", "other"]
        let family = registry.counters(
            "things_total", "Things.", labels: MetricLabel("kind", values),
            MetricLabel("side", ["left", "right"]))
        family["c\\d\n", "right"].increment()
        family["never heard of", "left"].increment(by: 2)
        for isOpenMetrics in [false, true] {
            let text = registry.render(isOpenMetrics ? .openMetrics : .prometheus)
            let exposition = try Exposition(text, openMetrics: isOpenMetrics)
            #expect(exposition.families.values.flatMap(\.samples).count == 8)
            #expect(exposition.value("things_total", ["kind": "c\\d\n", "side": "right"]) == 1)
            #expect(exposition.value("things_total", ["kind": "other", "side": "left"]) == 2)
            #expect(exposition.value("things_total", ["kind": "a\"b", "side": "left"]) == 0)
        }
    }

    @Test("Functions are read when rendered, parts become units, and what cannot be read is left out")
    func functions() throws {
        let registry = MetricsRegistry()
        registry.gauge("present", "A.") { 1.5 }
        registry.gauge("absent", "B.") { nil }
        registry.gauge("odd", "C.") { .nan }
        registry.gauges("each", "F.", label: MetricLabel("host", ["a", "b", "c"])) {
            ["a": 1, "b": 2.5][$0]
        }
        registry.counters("times_total", "G.", label: MetricLabel("host", ["a"])) { _ in 7 }
        registry.gauge("endless", "D.") { -.infinity }
        registry.gauge("last_input_timestamp_seconds", "E.", partsPerUnit: 1000).set(1_732_416_000_123)
        let exposition = try Exposition(registry.render(.prometheus), openMetrics: false)
        #expect(exposition.value("present") == 1.5)
        #expect(exposition.value("absent") == nil)
        #expect(exposition.value("each", ["host": "a"]) == 1)
        #expect(exposition.value("each", ["host": "b"]) == 2.5)
        #expect(exposition.families["each"]?.samples.count == 2)
        #expect(exposition.value("times_total", ["host": "a"]) == 7)
        #expect(exposition.value("odd")?.isNaN == true)
        #expect(exposition.value("endless") == -.infinity)
        #expect(exposition.value("last_input_timestamp_seconds") == 1_732_416_000.123)
    }

    @Test("No time traps or wraps a histogram: negative ones count as zero")
    func extremes() throws {
        let registry = MetricsRegistry()
        let times = registry.histogram("t_seconds", "T.", bounds: [.nanoseconds(1)])
        times.observe(.seconds(-5))
        times.observe(.nanoseconds(-1))
        times.observe(.nanoseconds(1))
        times.observe(.seconds(Int64.max))
        let exposition = try Exposition(registry.render(.openMetrics), openMetrics: true)
        #expect(exposition.value("t_seconds_bucket", ["le": "1e-09"]) == 3)
        #expect(exposition.value("t_seconds_count") == 4)
    }

    @Test("Counts of many threads are all there")
    func concurrency() async {
        let counter = Counter()
        let gauge = Gauge(partsPerUnit: 1)
        await withTaskGroup { group in
            for _ in 0..<8 {
                group.addTask {
                    for _ in 0..<10_000 {
                        counter.increment()
                        gauge.add(2)
                    }
                }
            }
        }
        #expect(counter.value == 80_000)
        #expect(gauge.value == 160_000)
    }

    @Test(
        "The Accept field chooses the format",
        arguments: [
            (nil, false), ("", false), ("*/*", false), ("text/plain", false), ("garbage;;q=,,", false),
            ("application/openmetrics-text", true), ("Application/OpenMetrics-Text; Version=1.0.0", true),
            ("application/openmetrics-text; version=1.0.0; charset=utf-8", true),
            ("application/openmetrics-text;version=\"1.0.0\"", true),
            ("application/openmetrics-text;q=0", false),
            ("application/openmetrics-text;version=0.0.1", false),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.5", false),
            ("text/plain;q=0.5, application/openmetrics-text;q=0.9", true),
            // What Prometheus 3 sends.
            (
                "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,"
                    + "application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;"
                    + "escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", true
            ),
        ] as [(String?, Bool)])
    func accept(field: String?, isOpenMetrics: Bool) {
        let type = ExpositionFormat(accept: field).contentType
        #expect(
            type
                == (isOpenMetrics
                    ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
                    : "text/plain; version=0.0.4; charset=utf-8"))
    }
}
