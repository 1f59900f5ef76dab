import FIMLCore
import MarketData

extension LiveMarket: BarSource {
    /// Daily bars, as `BarSource` says. There are never more than the newest 261.
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
        let task: Task<Result<BarWindow?, MarketDataError>, Never>
        if let underway = underway[key] {
            task = underway
        } else if wasAnswered(key, at: moment) {
            return .success(history.bars[key])
        } else {
            // Not a part of the caller's task: two checks may wait for it, and one of them be cancelled.
            task = Task { await self.askForBars(of: asset, key, at: moment) }
            underway[key] = task
        }
        let result = await Self.value(of: task)
        guard case .failure = result, let window = history.bars[key], window.isFresh(at: moment) else {
            return result
        }
        return .success(window)
    }

    /// What a task gives, or that the caller was cancelled: to await `value` alone would not end before the
    /// other task does.
    private static func value(of task: Task<Result<BarWindow?, MarketDataError>, Never>) async -> Result<
        BarWindow?, MarketDataError
    > {
        let results = AsyncStream { continuation in
            Task {
                continuation.yield(await task.value)
                continuation.finish()
            }
        }
        for await result in results { return result }
        return .failure(MarketDataError("the check was cancelled"))
    }

    private func wasAnswered(_ key: String, at moment: Timestamp) -> Bool {
        guard let answeredAt = answered[key] else { return false }
        // Either way: after a clock was set back, the old answer must not count for long.
        return abs(moment.milliseconds - answeredAt.milliseconds) < Self.barMilliseconds
    }

    /// A failure is not remembered: the next try of the check is to ask again.
    private func askForBars(of asset: Asset, _ key: String, at moment: Timestamp) async -> Result<
        BarWindow?, MarketDataError
    > {
        defer { underway[key] = nil }
        do throws(MarketDataError) {
            let window = try await fallback.first(
                "daily bars", of: asset.symbol,
                from: order.bars(of: asset, every: .day, limit: BarWindow.limit),
                lateness: { $0.lateness(at: moment) }
            ) { bars, provider throws(MarketDataError) in
                try Self.window(of: bars, from: provider, at: moment)
            }
            if let window { history.add(window, of: key) }
            // The table is bounded by starting over: the worst is a question too many.
            if answered.count >= MarketHistory.assetLimit { answered.removeAll() }
            answered[key] = moment
            return .success(history.bars[key])
        } catch {
            return .failure(error)
        }
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
