/// Writes metrics as Prometheus text 0.0.4 or OpenMetrics 1.0.
///
/// They differ in that OpenMetrics names a counter's family without `_total`, states units, escapes quotes in
/// help texts, and ends with `# EOF`.
struct MetricsRenderer {
    private let format: ExpositionFormat
    private var text = ""

    init(format: ExpositionFormat) {
        self.format = format
    }

    mutating func append(_ metric: MetricsRegistry.Metric) {
        let base = metric.kind == .counter ? String(metric.name.dropLast("_total".count)) : metric.name
        switch format {
        case .prometheus:
            text += "# HELP \(metric.name) \(Self.escaped(metric.help, quotes: false))\n"
            text += "# TYPE \(metric.name) \(metric.kind.rawValue)\n"
        case .openMetrics:
            text += "# TYPE \(base) \(metric.kind.rawValue)\n"
            if let unit = ["seconds", "bytes"].first(where: { base.hasSuffix("_\($0)") }) {
                text += "# UNIT \(base) \(unit)\n"
            }
            text += "# HELP \(base) \(Self.escaped(metric.help, quotes: true))\n"
        }
        for sample in metric.samples { append(sample, of: metric.name) }
    }

    /// The whole text.
    consuming func finished() -> String {
        switch format {
        case .prometheus: text
        case .openMetrics: text + "# EOF\n"
        }
    }

    private mutating func append(_ sample: MetricsRegistry.Sample, of name: String) {
        let labels = sample.labels
        switch sample.source {
        case .counter(let counter):
            line(name, labels, "\(counter.value)")
        case .gauge(let gauge) where gauge.partsPerUnit == 1:
            line(name, labels, "\(gauge.value)")
        case .gauge(let gauge):
            line(name, labels, Self.number(Double(gauge.value) / Double(gauge.partsPerUnit)))
        case .function(let read):
            if let value = read() { line(name, labels, Self.number(value)) }
        case .histogram(let histogram):
            let (sum, cumulative) = histogram.reading
            let bounds = histogram.bounds.map { Self.number(Double($0) / 1e9) } + ["+Inf"]
            for (bound, count) in zip(bounds, cumulative) {
                line("\(name)_bucket", labels + [("le", bound)], "\(count)")
            }
            line("\(name)_sum", labels, Self.number(sum))
            line("\(name)_count", labels, "\(cumulative[cumulative.count - 1])")
        }
    }

    private mutating func line(_ name: String, _ labels: [(name: String, value: String)], _ value: String) {
        let pairs = labels.map { "\($0.name)=\"\(Self.escaped($0.value, quotes: true))\"" }
        text += labels.isEmpty ? "\(name) \(value)\n" : "\(name){\(pairs.joined(separator: ","))} \(value)\n"
    }

    private static func number(_ value: Double) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value > 0 ? "+Inf" : "-Inf" }
        return "\(value)"
    }

    private static func escaped(_ text: String, quotes: Bool) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\"" where quotes: result += "\\\""
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
