/// A weighted mean of ramps: each figure is turned into a share between a worst value and a best one.
///
/// A ramp is 0 at the worst value and beyond, 1 at the best and beyond, and grows evenly between them.
/// Figures that are not there do not count; the others then count for them in proportion.
struct WeightedShares {
    private var sum = 0.0
    private var weights = 0.0

    /// The mean, 0 to 1; nil where no figure was there.
    var mean: Double? { weights > 0 ? sum / weights : nil }

    /// Adds the share of a figure; `worst` and `best` differ. No figure, or one that is not a number, is left
    /// out.
    mutating func add(_ value: Double?, from worst: Double, to best: Double, weight: Double) {
        guard let value, !value.isNaN else { return }
        // Clamped first, so that no difference overflows.
        let within = min(max(value, min(worst, best)), max(worst, best))
        sum += weight * (within - worst) / (best - worst)
        weights += weight
    }

    /// Adds what others collected.
    mutating func add(_ other: WeightedShares) {
        sum += other.sum
        weights += other.weights
    }
}
