/// The two text formats in which metrics are given out.
public enum ExpositionFormat: Sendable {
    /// Prometheus text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.
    case openMetrics

    /// For the `Content-Type` field.
    public var contentType: String {
        switch self {
        case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
        case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
        }
    }

    /// What a request's `Accept` field (RFC 9110 section 12.5.1) asks for: OpenMetrics where it is named and
    /// liked at least as well as plain text, else Prometheus text, which everyone reads.
    public init(accept: String?) {
        var (openMetrics, plain) = (0.0, 0.0)
        for range in (accept ?? "").split(separator: ",") {
            let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            let quality =
                parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 } ?? 1
            let version = parts.dropFirst().first { $0.hasPrefix("version=") }?.dropFirst(8) ?? "1.0.0"
            switch parts.first {
            case "application/openmetrics-text" where version == "1.0.0" || version == "\"1.0.0\"":
                openMetrics = max(openMetrics, quality)
            case "text/plain": plain = max(plain, quality)
            default: continue
            }
        }
        self = openMetrics > 0 && openMetrics >= plain ? .openMetrics : .prometheus
    }
}
