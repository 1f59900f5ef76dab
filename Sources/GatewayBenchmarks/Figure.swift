/// What one load cost in one round.
struct Figure {
    /// Processor time of the server per delivered frame, in nanoseconds: the median of the round's slices.
    let nanosecondsPerFrame: Double
    /// From publication to receipt, in milliseconds, on every 100th connection; 0 where frames are
    /// compressed.
    let latencyMedian: Double
    let latency99: Double
}

/// The middle value, or the mean of the two middle ones; 0 of none.
func median(_ values: [Double]) -> Double {
    guard !values.isEmpty else { return 0 }
    let sorted = values.sorted()
    return (sorted[(sorted.count - 1) / 2] + sorted[sorted.count / 2]) / 2
}

/// The value below which that share of `values` lies; 0 of none.
func quantile(_ share: Double, of values: [UInt64]) -> Double {
    guard !values.isEmpty else { return 0 }
    return Double(values.sorted()[min(values.count - 1, Int(share * Double(values.count)))])
}
