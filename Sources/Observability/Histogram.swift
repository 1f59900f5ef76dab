import Synchronization

/// How long things took: counts in ranges, and the sum.
public final class Histogram: Sendable {
    /// Upper bounds of the ranges in nanoseconds, ascending; what is longer than the last falls in one more.
    let bounds: [UInt64]
    private let counts: [Counter]
    private let nanoseconds = Counter()

    init(bounds: [Duration]) {
        self.bounds = bounds.map(Self.nanoseconds)
        precondition(!bounds.isEmpty && zip(bounds, bounds.dropFirst()).allSatisfy(<), "bounds must ascend")
        counts = (0...bounds.count).map { _ in Counter() }
    }

    /// Counts one time; a negative one, from a clock that was set back, as zero.
    public func observe(_ time: Duration) {
        observe(nanoseconds: Self.nanoseconds(time))
    }

    /// Counts one time; two atomic additions.
    public func observe(nanoseconds: UInt64) {
        var range = 0
        while range < bounds.count && nanoseconds > bounds[range] { range += 1 }
        counts[range].increment()
        self.nanoseconds.increment(by: nanoseconds)
    }

    /// The sum in seconds, and the counts up to and including each bound, the last for +Inf.
    var reading: (sumSeconds: Double, cumulative: [UInt64]) {
        var total: UInt64 = 0
        let cumulative = counts.map { count in
            total &+= count.value
            return total
        }
        return (Double(nanoseconds.value) / 1e9, cumulative)
    }

    /// Clamped to 0 … 2⁶⁴ − 1 (584 years).
    private static func nanoseconds(_ time: Duration) -> UInt64 {
        let (seconds, attoseconds) = time.components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        let (whole, overflow) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, carry) = whole.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000))
        return overflow || carry ? .max : sum
    }
}
