import FIMLCore

/// Turns real time into the time of a recording, lap after lap. Reads no clock itself.
public struct ReplayClock: Sendable {
    /// Real time becomes market time this many times as fast.
    public static let speeds: ClosedRange<Int64> = 1...31_536_000

    private let start: Timestamp
    private let lapMilliseconds: Int64
    private let speed: Int64
    /// When figures become known, as milliseconds after the start; ordered, the last one is the end of a lap.
    private let arrivals: [Int64]
    private var lap = 0
    /// Market time that all laps before this one took.
    private var millisecondsBeforeLap: Int64 = 0
    private var nextArrival = 0
    /// The last moment told, after the start of the lap; negative before the first.
    private var told: Int64 = -1

    /// A clock that starts over at `start` when the last of `arrivals` has come. Nil when none is later than
    /// `start`.
    init?(start: Timestamp, arrivals: [Timestamp], speed: Int64) {
        self.arrivals = Set(arrivals.map { $0.milliseconds - start.milliseconds }.filter { $0 > 0 }).sorted()
        guard let last = self.arrivals.last else { return nil }
        self.start = start
        self.speed = min(max(speed, Self.speeds.lowerBound), Self.speeds.upperBound)
        lapMilliseconds = last
    }

    /// The moments that have come since the last call, `elapsed` being the real time since the first lap
    /// began: the start of each lap, each moment at which figures became known, and now. When more than one
    /// whole lap went by, all but the last of them are left out, so that what a call returns is bounded by
    /// two laps.
    public mutating func advance(to elapsed: Duration) -> [MarketMoment] {
        var moments: [MarketMoment] = []
        var target = marketMilliseconds(elapsed) - millisecondsBeforeLap
        while target >= told {
            if told < 0 { tell(0, &moments) }
            while nextArrival < arrivals.count, arrivals[nextArrival] <= target {
                tell(arrivals[nextArrival], &moments)
                nextArrival += 1
            }
            guard nextArrival == arrivals.count else {
                if target > told { tell(target, &moments) }
                break
            }
            let laps = max(1, target / lapMilliseconds)
            lap += Int(laps)
            millisecondsBeforeLap += laps * lapMilliseconds
            target -= laps * lapMilliseconds
            nextArrival = 0
            told = -1
        }
        return moments
    }

    private mutating func tell(_ offset: Int64, _ moments: inout [MarketMoment]) {
        moments.append(MarketMoment(lap: lap, time: Timestamp(milliseconds: start.milliseconds + offset)))
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
