/// How long to wait before the next attempt: longer after each failure, and not the same for all clients, so
/// that they do not come back in step.
///
/// A delay is drawn evenly between 0.5 s and a ceiling. The ceiling is 1 s for the first attempt, doubles
/// with each that fails, and stays at 30 s.
public struct Backoff: Equatable, Sendable {
    private var failures = 0

    /// No failure yet.
    public init() {}

    /// Counts a failure.
    ///
    /// - Parameter random: evenly from 0 to 1, without 1.
    /// - Returns: the delay in milliseconds.
    public mutating func next(random: Double) -> Int {
        let ceiling = min(30_000, 1000 << min(failures, 5))
        failures += 1
        return 500 + Int(random * Double(ceiling - 500))
    }

    /// A connection worked.
    public mutating func reset() {
        failures = 0
    }
}
