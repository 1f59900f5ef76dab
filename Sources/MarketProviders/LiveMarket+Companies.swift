import FIMLCore
import MarketData

extension LiveMarket: EarningsSource {
    /// The newest reports, as `EarningsSource` says. One whose day of report no provider tells counts from
    /// the end of its quarter on: it could not be known to the provider before it was reported.
    ///
    /// Providers of reports allow few questions a day; when none answers, what one said within the last day
    /// does.
    public func earnings(of assets: [Asset], at moment: Timestamp) async -> [Answer<EarningsReport?>] {
        await ConcurrentMap.map(assets) { asset in
            Answer(asset, await self.earnings(of: asset, at: moment))
        }
    }

    private func earnings(of asset: Asset, at moment: Timestamp) async -> Result<
        EarningsReport?, MarketDataError
    > {
        let key = MarketHistory.key(of: asset)
        do throws(MarketDataError) {
            let newest = try await fallback.first(
                "earnings", of: asset.symbol, from: order.earnings(of: asset)
            ) { reports, _ throws(MarketDataError) in
                reports.filter { !Freshness.isAhead($0.reportedAt ?? $0.quarterEnd, of: moment) }
                    .max { $0.quarterEnd < $1.quarterEnd }
            }
            // The table is bounded by starting over: the worst is an error too many.
            if reports.count >= MarketHistory.assetLimit { reports.removeAll() }
            reports[key] = newest.map { KnownReport(askedAt: moment, report: $0) }
            return .success(newest)
        } catch {
            guard let known = reports[key],
                moment.milliseconds - known.askedAt.milliseconds <= Self.reportMilliseconds
            else { return .failure(error) }
            return .success(known.report)
        }
    }
}

extension LiveMarket: FundamentalsSource {
    /// What the first provider that answers knows of a company.
    public nonisolated func fundamentals(of asset: Asset) async throws(MarketDataError) -> Fundamentals {
        let figures = try await fallback.first(
            "fundamentals", of: asset.symbol, from: order.fundamentals(of: asset)
        ) { figures, _ throws(MarketDataError) in figures == Fundamentals() ? nil : figures }
        return figures ?? Fundamentals()
    }
}

extension LiveMarket: MacroSource {
    /// The observations of the first provider that answers; all of them need a key.
    public nonisolated func observations(of indicator: MacroIndicator) async throws(MarketDataError)
        -> [MacroObservation]
    {
        let endpoints = order.observations(of: indicator)
        guard !endpoints.isEmpty else {
            throw MarketDataError("\(indicator.rawValue) needs a key of FRED or of Alpha Vantage")
        }
        let observations = try await fallback.first(
            "observations", of: indicator.rawValue, from: endpoints
        ) { observations, _ throws(MarketDataError) in observations.isEmpty ? nil : observations }
        return observations ?? []
    }
}

extension LiveMarket: NewsSource {
    /// The articles of the first provider that has any.
    public nonisolated func news(about asset: Asset, limit: Int) async throws(MarketDataError)
        -> [NewsArticle]
    {
        let articles = try await fallback.first(
            "news", of: asset.symbol, from: order.news(about: asset, limit: limit)
        ) { articles, _ throws(MarketDataError) in articles.isEmpty ? nil : articles }
        return Array((articles ?? []).prefix(max(0, limit)))
    }
}

extension LiveMarket: OptionChainSource {
    /// The chain of the first provider that answers.
    public nonisolated func optionChain(of asset: Asset) async throws(MarketDataError) -> OptionChain {
        let chain = try await fallback.first(
            "options", of: asset.symbol, from: order.optionChain(of: asset)
        ) { chain, _ throws(MarketDataError) in chain.contracts.isEmpty ? nil : chain }
        guard let chain else { throw MarketDataError("no provider lists options on \(asset.symbol)") }
        return chain
    }
}
