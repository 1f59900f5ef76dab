import FIMLCore
import MarketData

/// The last 261 daily bars of an asset, all from one provider: volumes of two exchanges cannot be compared,
/// and after a split a provider restates every price. So an answer replaces the bars as a whole.
///
/// A pure value. Of two answers the one with the newer last bar counts, of two with the same last bar the one
/// that was asked for later, in whatever order they come.
struct BarWindow: Hashable, Sendable {
    /// How many bars are kept: the 260 that the averages of an analysis ask for, which are more than the 180
    /// that a correlation over 90 days does, and the one of today.
    static let limit = 261

    /// Who gave them.
    let provider: ProviderName
    /// At which moment they were asked for.
    let askedAt: Timestamp
    /// Oldest first; at least one. The last may not be over yet.
    let bars: [Bar]

    /// The newest bar.
    var newest: Bar { bars[bars.count - 1] }

    /// A window of the newest bars. Nil where there is none, one cannot be, or time goes backwards.
    init?(_ bars: [Bar], from provider: ProviderName, askedAt: Timestamp) {
        let bars = Array(bars.suffix(Self.limit))
        guard !bars.isEmpty, bars.allSatisfy(Self.isValid), AnswerReader.moments.contains(askedAt),
            zip(bars, bars.dropFirst()).allSatisfy({ $0.opensAt < $1.opensAt })
        else { return nil }
        self.provider = provider
        self.askedAt = askedAt
        self.bars = bars
    }

    /// Whether this window should take the place of `other`.
    func isNewer(than other: BarWindow) -> Bool {
        (newest.opensAt, askedAt) > (other.newest.opensAt, other.askedAt)
    }

    /// The newest bars that were over at `moment`, at most `limit`; behind them the one that had begun and
    /// was not over, where `unfinished` asks for it.
    func bars(closedBy moment: Timestamp, limit: Int, unfinished: Bool) -> [Bar] {
        let closed = bars.prefix { $0.closesAt <= moment }
        let chosen = Array(closed.suffix(max(0, limit)))
        guard unfinished, closed.count < bars.count, bars[closed.count].opensAt <= moment else {
            return chosen
        }
        return chosen + [bars[closed.count]]
    }

    /// Whether the newest bar is young enough to stand in for what providers do not give.
    func isFresh(at moment: Timestamp) -> Bool {
        lateness(at: moment) <= 0
    }

    /// By how many milliseconds the newest bar is too old for that; of one that is not, 0 or less.
    func lateness(at moment: Timestamp) -> Int64 {
        Freshness.lateness(newest.closesAt, intervalSeconds: newest.intervalSeconds, at: moment)
    }

    private static func isValid(_ bar: Bar) -> Bool {
        let allowed = Double.leastNormalMagnitude...AnswerReader.greatest
        return AnswerReader.moments.contains(bar.opensAt) && Freshness.intervals.contains(bar.intervalSeconds)
            && [bar.open, bar.high, bar.low, bar.close].allSatisfy(allowed.contains)
            && bar.volume.map { (0...AnswerReader.greatest).contains($0) } ?? true
    }
}
