import FIMLCore

/// Gathers the rows of several files into series, then finds the interval of each.
struct RecordingBuilder {
    /// What one recording may hold: bars of one minute for ten symbols over a year.
    static let maxRows = 5_000_000

    private struct Bars {
        let asset: Asset
        var bars: [Bar]
        var areDays: Bool
    }

    private struct Rates {
        let asset: Asset
        var byExchange: [String: [FundingRate]]
    }

    var refused = RefusedRows()
    private var rows = 0
    private var bars: [String: Bars] = [:]
    private var rates: [String: Rates] = [:]

    /// Whether one more row fits.
    var hasRoom: Bool { rows < Self.maxRows }

    /// Takes a bar; false when it is not newer than the symbol's bar before. The first row of a symbol says
    /// what kind of asset it is.
    mutating func add(_ bar: Bar, isDay: Bool, of asset: Asset) -> Bool {
        if let last = bars[asset.symbol]?.bars.last, last.opensAt >= bar.opensAt { return false }
        bars[asset.symbol, default: Bars(asset: asset, bars: [], areDays: isDay)].bars.append(bar)
        rows += 1
        return true
    }

    /// Takes a funding rate; false when it is not newer than the one before of the same symbol and exchange.
    mutating func add(asset: Asset, exchange: String, rate: Double, knownAt: Timestamp) -> Bool {
        if let last = rates[asset.symbol]?.byExchange[exchange]?.last, last.knownAt >= knownAt {
            return false
        }
        let fundingRate = FundingRate(
            exchange: exchange, rate: rate, knownAt: knownAt, intervalSeconds: 28_800)
        rates[asset.symbol, default: Rates(asset: asset, byExchange: [:])].byExchange[exchange, default: []]
            .append(fundingRate)
        rows += 1
        return true
    }

    /// The series with their intervals; nil when no row was taken.
    func recording() -> Recording? {
        guard rows > 0 else { return nil }
        let barSeries = bars.values.map { series in
            let interval = Self.intervalSeconds(series.bars.map(\.opensAt)) ?? (series.areDays ? 86_400 : 60)
            return BarSeries(
                asset: series.asset,
                bars: series.bars.map { bar in
                    var bar = bar
                    bar.intervalSeconds = interval
                    return bar
                })
        }
        let fundingSeries = rates.values.map { series in
            FundingRateSeries(
                asset: series.asset,
                exchanges: series.byExchange.sorted { $0.key < $1.key }.map { _, rates in
                    let interval = Self.intervalSeconds(rates.map(\.knownAt)) ?? 28_800
                    return rates.map { rate in
                        var rate = rate
                        rate.intervalSeconds = interval
                        return rate
                    }
                })
        }
        return Recording(
            bars: barSeries.sorted { $0.asset.symbol < $1.asset.symbol },
            fundingRates: fundingSeries.sorted { $0.asset.symbol < $1.asset.symbol }, refused: refused)
    }

    /// The most common distance between moments in whole seconds, the shorter of equally common ones. Nights,
    /// weekends and holes in the recording are rarer than the distance between neighbours.
    private static func intervalSeconds(_ moments: [Timestamp]) -> Int64? {
        var counts: [Int64: Int] = [:]
        for (before, after) in zip(moments, moments.dropFirst()) {
            // Exchanges stamp rates some milliseconds after the full hour.
            let seconds = max(1, (after.milliseconds - before.milliseconds + 500) / 1_000)
            counts[seconds, default: 0] += 1
        }
        return counts.min { ($0.value, -$0.key) > ($1.value, -$1.key) }?.key
    }
}
