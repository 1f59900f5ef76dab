import FIMLCore
import MarketData

extension LiveMarket: BarSource {
    /// Daily bars, as `BarSource` says. There are never more than the newest 130.
    public func bars(of assets: [Asset], closedBy moment: Timestamp, limit: Int, unfinished: Bool) async
        -> [Answer<[Bar]>]
    {
        await ConcurrentMap.map(assets) { asset in
            Answer(
                asset,
                await self.dailyBars(of: asset, at: moment).map { window in
                    window?.bars(closedBy: moment, limit: limit, unfinished: unfinished) ?? []
                })
        }
    }

    /// The bars of an asset; nil where providers know of none.
    private func dailyBars(of asset: Asset, at moment: Timestamp) async -> Result<
        BarWindow?, MarketDataError
    > {
        let key = MarketHistory.key(of: asset)
        if let task = underway[key] {
            await task.value
        } else if !hasAsked(key, at: moment) {
            // Not a part of the caller's task: two checks may wait for it, and one of them be cancelled.
            let task = Task { await self.askForBars(of: asset, key, at: moment) }
            underway[key] = task
            await task.value
        }
        let window = history.bars[key]
        guard let failure = asked[key]?.failure else { return .success(window) }
        guard let window, window.isFresh(at: moment) else { return .failure(failure) }
        return .success(window)
    }

    private func hasAsked(_ key: String, at moment: Timestamp) -> Bool {
        guard let askedAt = asked[key]?.askedAt else { return false }
        // Either way: after a clock was set back, the old question must not count for long.
        return abs(moment.milliseconds - askedAt.milliseconds) < Self.barMilliseconds
    }

    private func askForBars(of asset: Asset, _ key: String, at moment: Timestamp) async {
        var question = BarQuestion(askedAt: moment)
        do throws(MarketDataError) {
            let window = try await fallback.first(
                "daily bars", of: asset.symbol,
                from: order.bars(of: asset, every: .day, limit: BarWindow.limit),
                lateness: { $0.lateness(at: moment) }
            ) { bars, provider throws(MarketDataError) in
                try Self.window(of: bars, from: provider, at: moment)
            }
            if let window { history.add(window, of: key) }
        } catch {
            question.failure = error
        }
        // The table is bounded by starting over: the worst is a question too many.
        if asked.count >= MarketHistory.assetLimit { asked.removeAll() }
        asked[key] = question
        underway[key] = nil
    }

    private static func window(of bars: [Bar], from provider: ProviderName, at moment: Timestamp)
        throws(MarketDataError) -> BarWindow?
    {
        guard !bars.isEmpty else { return nil }
        let begun = bars.filter { !Freshness.isAhead($0.opensAt, of: moment) }
        guard !begun.isEmpty else { throw MarketDataError("all bars begin in the future") }
        guard let window = BarWindow(begun, from: provider, askedAt: moment) else {
            throw MarketDataError("the bars are not in order, or a figure is out of range")
        }
        return window
    }
}
