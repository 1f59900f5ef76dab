import Synchronization

/// A number that goes up and down, held as a whole number of `partsPerUnit`.
public final class Gauge: Sendable {
    /// 1 where the metric counts things, 1000 where it is in seconds and set in milliseconds.
    let partsPerUnit: Int
    private let number = Atomic<Int>(0)

    init(partsPerUnit: Int) {
        self.partsPerUnit = partsPerUnit
    }

    /// Replaces the number.
    public func set(_ value: Int) {
        number.store(value, ordering: .relaxed)
    }

    /// Adds, or takes away with a negative amount; one atomic addition.
    public func add(_ amount: Int = 1) {
        number.wrappingAdd(amount, ordering: .relaxed)
    }

    /// The number now.
    public var value: Int {
        number.load(ordering: .relaxed)
    }
}
