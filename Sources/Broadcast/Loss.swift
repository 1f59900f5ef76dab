import FIMLCore

/// What a consumer did not get: the range of positions, and how many events of each severity.
public struct Loss: Equatable, Sendable {
    /// The first position lost.
    public private(set) var from: StreamPosition
    /// The last position lost.
    public private(set) var to: StreamPosition
    private var counts = (low: 0, medium: 0, high: 0, critical: 0)

    /// One event lost.
    public init(_ position: StreamPosition, _ severity: Severity) {
        from = position
        to = position
        count(severity)
    }

    /// One more event lost.
    public mutating func add(_ position: StreamPosition, _ severity: Severity) {
        from = min(from, position)
        to = max(to, position)
        count(severity)
    }

    /// All that another speaks of, too.
    mutating func merge(_ other: Loss) {
        from = min(from, other.from)
        to = max(to, other.to)
        counts.low += other.counts.low
        counts.medium += other.counts.medium
        counts.high += other.counts.high
        counts.critical += other.counts.critical
    }

    private mutating func count(_ severity: Severity) {
        switch severity {
        case .low: counts.low += 1
        case .medium: counts.medium += 1
        case .high: counts.high += 1
        case .critical: counts.critical += 1
        }
    }

    /// Events lost of one severity.
    public subscript(severity: Severity) -> Int {
        switch severity {
        case .low: counts.low
        case .medium: counts.medium
        case .high: counts.high
        case .critical: counts.critical
        }
    }

    /// Events lost in all.
    public var total: Int { counts.low + counts.medium + counts.high + counts.critical }

    /// Whether both speak of the same.
    public static func == (left: Loss, right: Loss) -> Bool {
        left.from == right.from && left.to == right.to && left.counts == right.counts
    }
}
