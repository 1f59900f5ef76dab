/// How often a provider may be asked: so many times in a stretch of time, wherever that begins.
public struct RequestRate: Hashable, Sendable {
    /// What rates are counted by, in milliseconds.
    public enum Stretch: Int64, Sendable {
        case minute = 60_000
        case hour = 3_600_000
        case day = 86_400_000
    }

    /// So many.
    public let requests: Int
    /// In so long.
    public let stretch: Stretch
    /// So many of them at once; nil: half of them. Less than `requests`.
    public let burst: Int?

    /// A rate of at least one request.
    public init(_ requests: Int, in stretch: Stretch, burst: Int? = nil) {
        precondition(requests >= 1 && (burst.map { (1..<requests).contains($0) } ?? true))
        self.requests = requests
        self.stretch = stretch
        self.burst = burst
    }
}
