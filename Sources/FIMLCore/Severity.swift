/// How much an event matters, lowest first.
public enum Severity: String, CaseIterable, Comparable, JSONWritable, Sendable {
    case low, medium, high, critical

    /// 0 for `low` to 3 for `critical`.
    public var rank: Int {
        switch self {
        case .low: 0
        case .medium: 1
        case .high: 2
        case .critical: 3
        }
    }

    /// Orders by rank.
    public static func < (left: Severity, right: Severity) -> Bool {
        left.rank < right.rank
    }
}
