import FIMLCore
import MarketData

/// A figure that a source gave.
///
/// Sources refuse what cannot be. This is the second look, so that no arithmetic of a watchdog can trap and
/// nothing senseless reaches an event, whoever wrote the source.
protocol PlausibleFigure {
    /// The moment that tells it apart from others of its series.
    var moment: Timestamp { get }
    /// Whether its parts keep within what they are documented to be.
    var isPlausible: Bool { get }
}

extension Array where Element: PlausibleFigure {
    /// The plausible ones, oldest first. Of several of one moment, as when a bar is told twice, the last
    /// counts.
    func chronological() -> [Element] {
        let plausible = filter(\.isPlausible)
        if zip(plausible, plausible.dropFirst()).allSatisfy({ $0.moment < $1.moment }) { return plausible }
        return Dictionary(plausible.map { ($0.moment, $0) }) { $1 }.values.sorted { $0.moment < $1.moment }
    }
}

extension Timestamp {
    /// 1970 to 9999: sums and differences of such moments and of intervals cannot overflow.
    var isPlausible: Bool { (0...Self.last.milliseconds).contains(milliseconds) }
}

/// One second to one year.
private func isInterval(_ seconds: Int64) -> Bool {
    (1...31_536_000).contains(seconds)
}

private func isPrice(_ value: Double) -> Bool {
    value > 0 && value.isFinite
}

private func isAmount(_ value: Double) -> Bool {
    value >= 0 && value.isFinite
}

extension Bar: PlausibleFigure {
    var moment: Timestamp { opensAt }
    var isPlausible: Bool {
        opensAt.isPlausible && isInterval(intervalSeconds) && isPrice(open) && isPrice(high) && isPrice(low)
            && isPrice(close) && volume.map(isAmount) ?? true
    }
}

extension Quote: PlausibleFigure {
    var moment: Timestamp { observedAt }
    var isPlausible: Bool {
        observedAt.isPlausible && isInterval(intervalSeconds) && isPrice(price)
    }
}

extension FundingRate: PlausibleFigure {
    var moment: Timestamp { knownAt }
    var isPlausible: Bool { knownAt.isPlausible && isInterval(intervalSeconds) && rate.isFinite }
}

extension MarketDepth: PlausibleFigure {
    var moment: Timestamp { observedAt }
    var isPlausible: Bool {
        observedAt.isPlausible && isInterval(intervalSeconds) && isAmount(depthUSD)
            && meanUSD.map(isAmount) ?? true
    }
}

extension EarningsReport: PlausibleFigure {
    var moment: Timestamp { quarterEnd }
    var isPlausible: Bool {
        quarterEnd.isPlausible && reportedAt?.isPlausible ?? true && actualEPS.isFinite
            && estimatedEPS?.isFinite ?? true
    }
}

extension Transfer: PlausibleFigure {
    var moment: Timestamp { observedAt }
    var isPlausible: Bool {
        !hash.isEmpty && observedAt.isPlausible && isAmount(amount) && isAmount(usdValue)
    }
}

extension ExchangeStatus: PlausibleFigure {
    var moment: Timestamp { observedAt }
    var isPlausible: Bool {
        !exchange.isEmpty && observedAt.isPlausible && isInterval(intervalSeconds)
            && isAmount(responseMilliseconds)
    }
}
