import FIMLCore

/// Turns real time into the time of a recording: episode after episode, and after the last one again from the
/// first. From the end of one to the start of the next it jumps. Reads no clock itself.
public struct ReplayClock: Sendable {
    /// Real time becomes market time this many times as fast.
    public static let speeds: ClosedRange<Int64> = 1...31_536_000

    private struct Stretch {
        let from: Timestamp
        /// When figures become known, as milliseconds after `from`; ordered, the last one is the end.
        let arrivals: [Int64]
        let milliseconds: Int64
    }

    /// Market time that one round of all episodes takes.
    public let lapMilliseconds: Int64
    private let stretches: [Stretch]
    private let speed: Int64
    private var current = 0
    private var jumps = 0
    /// Market time that all stretches before the current one took.
    private var millisecondsBefore: Int64 = 0
    private var nextArrival = 0
    /// The last moment told, after the start of the current stretch; negative before the first.
    private var told: Int64 = -1

    /// A clock that goes through `episodes`, which are ordered and apart. Nil when none of the `arrivals`
    /// lies after the start of one and not after its end.
    init?(episodes: [Episode], arrivals: [Timestamp], speed: Int64) {
        let arrivals = Set(arrivals).sorted()
        var next = 0
        var hasArrival = false
        stretches = episodes.map { episode in
            let milliseconds = episode.to.milliseconds - episode.from.milliseconds
            while next < arrivals.count, arrivals[next] <= episode.from { next += 1 }
            var offsets: [Int64] = []
            while next < arrivals.count, arrivals[next] <= episode.to {
                offsets.append(arrivals[next].milliseconds - episode.from.milliseconds)
                next += 1
            }
            hasArrival = hasArrival || !offsets.isEmpty
            if offsets.last != milliseconds { offsets.append(milliseconds) }
            return Stretch(from: episode.from, arrivals: offsets, milliseconds: milliseconds)
        }
        guard hasArrival else { return nil }
        lapMilliseconds = stretches.reduce(0) { $0 + $1.milliseconds }
        self.speed = min(max(speed, Self.speeds.lowerBound), Self.speeds.upperBound)
    }

    /// The moments that have come since the last call, `elapsed` being the real time since the first lap
    /// began: the start and the end of each episode, each moment at which figures became known, and now.
    /// Whole laps that went by after the one under way are left out, so that what a call returns is bounded
    /// by two laps. `MarketMoment.lap` counts the jumps.
    public mutating func advance(to elapsed: Duration) -> [MarketMoment] {
        var moments: [MarketMoment] = []
        let elapsed = marketMilliseconds(elapsed)
        while elapsed - millisecondsBefore >= told {
            let target = elapsed - millisecondsBefore
            let arrivals = stretches[current].arrivals
            if told < 0 { tell(0, &moments) }
            while nextArrival < arrivals.count, arrivals[nextArrival] <= target {
                tell(arrivals[nextArrival], &moments)
                nextArrival += 1
            }
            guard nextArrival == arrivals.count else {
                if target > told { tell(target, &moments) }
                break
            }
            jump(elapsed)
        }
        return moments
    }

    /// Goes from the end of an episode to the start of the next.
    private mutating func jump(_ elapsed: Int64) {
        millisecondsBefore += stretches[current].milliseconds
        jumps += 1
        current += 1
        nextArrival = 0
        told = -1
        guard current == stretches.count else { return }
        current = 0
        // No more jumps than milliseconds: an episode takes at least one.
        let wholeLaps = (elapsed - millisecondsBefore) / lapMilliseconds
        millisecondsBefore += wholeLaps * lapMilliseconds
        jumps += Int(wholeLaps) * stretches.count
    }

    private mutating func tell(_ offset: Int64, _ moments: inout [MarketMoment]) {
        let from = stretches[current].from.milliseconds
        moments.append(MarketMoment(lap: jumps, time: Timestamp(milliseconds: from + offset)))
        told = offset
    }

    /// Saturates after centuries instead of trapping.
    private func marketMilliseconds(_ elapsed: Duration) -> Int64 {
        let (seconds, attoseconds) = elapsed.components
        let limit = Int64.max / 4
        let whole = seconds.multipliedReportingOverflow(by: speed * 1_000)
        guard !whole.overflow, whole.partialValue < limit else { return limit }
        // At most 31,536,000 * 1000: the product stays below 2^63.
        let part = (attoseconds / 1_000_000_000_000) * speed / 1_000
        return max(0, whole.partialValue + part)
    }
}
