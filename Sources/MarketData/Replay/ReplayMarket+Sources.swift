import FIMLCore

// What the recording knew at a moment. Each answer is found by binary search.

extension ReplayMarket: BarSource, QuoteSource {
    /// Bars that were over at `moment`, as `BarSource` says. A recording has no unfinished ones.
    public func bars(
        of assets: [Asset], closedBy moment: Timestamp, limit: Int, unfinished: Bool
    ) -> [Answer<[Bar]>] {
        assets.map { asset in
            let closed = Self.known(bars[asset.symbol]?[...], at: moment, \.closesAt)
            return Answer(asset, .success(Array(closed.suffix(max(0, limit)))))
        }
    }

    /// The closes of bars, known from their end on, as `QuoteSource` says.
    public func quotes(
        of assets: [Asset], at moment: Timestamp, covering seconds: Int64
    ) -> [Answer<[Quote]>] {
        assets.map { asset in
            let closed = Self.known(bars[asset.symbol]?[...], at: moment, \.closesAt)
            guard let newest = closed.last else { return Answer(asset, .success([])) }
            // One millisecond more, since a quote exactly that old is one of them.
            let earliest = newest.closesAt.earlier(bySeconds: seconds, andMilliseconds: 1)
            let before = Self.known(closed, at: earliest, \.closesAt)
            let quotes = closed.suffix(max(2, closed.count - before.count)).map { bar in
                Quote(observedAt: bar.closesAt, price: bar.close, intervalSeconds: bar.intervalSeconds)
            }
            return Answer(asset, .success(quotes))
        }
    }
}

extension ReplayMarket: DepthSource, FundingRateSource, EarningsSource, TransferSource {
    /// The newest depth at `moment`, with the mean of the snapshots of the 7 days before it.
    public func depths(of assets: [Asset], at moment: Timestamp) -> [Answer<MarketDepth?>] {
        assets.map {
            Answer($0, .success(Self.known(depths[$0.symbol]?[...], at: moment, \.observedAt).last))
        }
    }

    /// The newest rate of each exchange at `moment`.
    public func fundingRates(of assets: [Asset], at moment: Timestamp) -> [Answer<[FundingRate]>] {
        assets.map { asset in
            let newest = (fundingRates[asset.symbol] ?? []).compactMap { rates in
                Self.known(rates[...], at: moment, \.knownAt).last
            }
            return Answer(asset, .success(newest))
        }
    }

    /// The newest report at `moment`.
    public func earnings(of assets: [Asset], at moment: Timestamp) -> [Answer<EarningsReport?>] {
        assets.map { asset in
            let reports = Self.known(earnings[asset.symbol]?[...], at: moment) { $0.reportedAt ?? .last }
            return Answer(asset, .success(reports.last))
        }
    }

    /// The transfers after `moment` less `seconds`, up to `moment`. Nil on a day (UTC) before the asset's
    /// first recorded transfer or after its last: a chain that was not recorded was not seen.
    public func transfers(
        of assets: [Asset], at moment: Timestamp, within seconds: Int64, minUSD: Double
    ) -> [Answer<[Transfer]?>] {
        assets.map { asset in
            guard let series = transfers[asset.symbol]?[...], let first = series.first,
                let last = series.last,
                first.observedAt.day <= moment.day, moment.day <= last.observedAt.day
            else { return Answer(asset, .success(nil)) }
            let known = Self.known(series, at: moment, \.observedAt)
            let before = Self.known(known, at: moment.earlier(bySeconds: seconds), \.observedAt)
            return Answer(asset, .success(known.dropFirst(before.count).filter { $0.usdValue >= minUSD }))
        }
    }

    /// The figures of an ordered series that are not later than `moment`.
    private static func known<Figure>(
        _ series: ArraySlice<Figure>?, at moment: Timestamp, _ time: (Figure) -> Timestamp
    ) -> ArraySlice<Figure> {
        guard let series else { return [] }
        var low = series.startIndex
        var high = series.endIndex
        while low < high {
            let middle = low + (high - low) / 2
            if time(series[middle]) <= moment { low = middle + 1 } else { high = middle }
        }
        return series[..<low]
    }
}

extension Timestamp {
    /// That many seconds and milliseconds before a moment of the recording. Any number of seconds is taken,
    /// none beyond what a recording can span (years 1900 to 2199).
    fileprivate func earlier(bySeconds seconds: Int64, andMilliseconds more: Int64 = 0) -> Timestamp {
        let span = min(max(seconds, 0), 10_000_000_000) * 1_000 + more
        return Timestamp(milliseconds: milliseconds - span)
    }

    /// Days since 1970-01-01 in UTC.
    fileprivate var day: Int64 {
        let (days, rest) = milliseconds.quotientAndRemainder(dividingBy: 86_400_000)
        return rest < 0 ? days - 1 : days
    }
}
