/// How long to wait before a host that has ended is started again: 0.1 s the first time, twice as long each
/// time after, 30 s at most, a quarter more or less. A host that ran for a minute begins anew.
public struct RestartBackoff: Equatable, Sendable {
    private static let firstMilliseconds = 100
    private static let longestMilliseconds = 30_000
    /// Who ran for so long is taken to be well.
    private static let wellAfter = Duration.seconds(60)

    private var ends = 0

    /// Nothing has ended yet.
    public init() {}

    /// Counts an end.
    ///
    /// - Parameter ranFor: how long the host had run; zero where it could not be started.
    /// - Parameter random: evenly from 0 to 1.
    /// - Returns: the pause before it is started again.
    public mutating func pause(ranFor: Duration, random: Double) -> Duration {
        if ranFor >= Self.wellAfter { ends = 0 }
        // 0.1 s doubled nine times is beyond the longest.
        let milliseconds = min(Self.longestMilliseconds, Self.firstMilliseconds << min(ends, 9))
        ends = min(ends + 1, 9)
        return .milliseconds(Int(Double(milliseconds) * (0.75 + 0.5 * min(max(random, 0), 1))))
    }
}
