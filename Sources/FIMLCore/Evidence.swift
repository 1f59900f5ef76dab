/// Why an event fired: the rule, what it demands, and what was seen.
public struct Evidence: Hashable, Sendable {
    /// The rule by name: `price_anomaly.threshold_pct`.
    public var rule: String
    /// How `observed` compares with `threshold`: `gt`, `gte`, `lt`, `lte` or `neq`.
    public var `operator`: String
    /// The rule's limit, in the unit of `observed`.
    public var threshold: Double
    /// The figure that was judged.
    public var observed: Double
    /// The span of time that was judged, in seconds, where the rule has one.
    public var windowSeconds: Int64?

    /// Evidence of one rule.
    public init(
        rule: String, operator: String, threshold: Double, observed: Double, windowSeconds: Int64? = nil
    ) {
        self.rule = rule
        self.operator = `operator`
        self.threshold = threshold
        self.observed = observed
        self.windowSeconds = windowSeconds
    }
}

extension Evidence: JSONWritable {
    /// The comparisons that a rule can make.
    static let operators = ["gt", "gte", "lt", "lte", "neq"]

    /// Evidence as an event carries it: `rule`, `operator`, `threshold`, `observed`, and `window_seconds`
    /// where the rule has one.
    static func parse(_ value: JSONValue, at path: String) throws(InvalidMember) -> Evidence {
        let reader = try MemberReader(
            value, at: path, allowed: ["rule", "operator", "threshold", "observed", "window_seconds"])
        let comparison = try reader.requiredText("operator", limit: 64)
        guard Self.operators.contains(comparison) else {
            throw InvalidMember.unknown(comparison, at: reader.path(of: "operator"), known: Self.operators)
        }
        return Evidence(
            rule: try reader.requiredText("rule", limit: 64), operator: comparison,
            threshold: try reader.require("threshold", reader.number),
            observed: try reader.require("observed", reader.number),
            windowSeconds: try reader.integer("window_seconds", in: 0...Int64(Int32.max)))
    }

    /// Writes the evidence; `window_seconds` only where there is one.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("rule", rule)
        writer.member("operator", self.operator)
        writer.member("threshold", threshold)
        writer.member("observed", observed)
        writer.member("window_seconds", ifPresent: windowSeconds)
        writer.endObject()
    }
}
