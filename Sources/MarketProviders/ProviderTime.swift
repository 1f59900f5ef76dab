import FIMLCore

/// The time, waiting and chance of a `ProviderClient`, so that tests need neither.
public struct ProviderTime: Sendable {
    /// The time; it never goes back.
    public var now: @Sendable () -> Timestamp
    /// Waits; throws when the task is cancelled.
    public var sleep: @Sendable (_ milliseconds: Int64) async throws(CancellationError) -> Void
    /// A number from 0 to 1.
    public var random: @Sendable () -> Double

    /// Time, waiting and chance of one's own.
    public init(
        now: @escaping @Sendable () -> Timestamp,
        sleep: @escaping @Sendable (_ milliseconds: Int64) async throws(CancellationError) -> Void,
        random: @escaping @Sendable () -> Double
    ) {
        self.now = now
        self.sleep = sleep
        self.random = random
    }

    /// The real ones. The system's clock is read once, so that setting it moves no time limit.
    public static func real() -> ProviderTime {
        let begin = Timestamp.present
        let steadyBegin = ContinuousClock.now
        return ProviderTime(
            now: {
                let passed = steadyBegin.duration(to: .now) / .milliseconds(1)
                return Timestamp(milliseconds: begin.milliseconds + Int64(passed))
            },
            sleep: { (milliseconds) throws(CancellationError) in
                do {
                    try await Task.sleep(for: .milliseconds(milliseconds))
                } catch {
                    throw CancellationError()
                }
            },
            random: { Double.random(in: 0...1) })
    }
}
