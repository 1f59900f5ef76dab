import FIMLCore
import MarketData

extension LiveMarket: EarningsSource {
    /// The newest reports, as `EarningsSource` says. One whose day of report no provider tells counts from
    /// the end of its quarter on: it could not be known to the provider before it was reported.
    public func earnings(of assets: [Asset], at moment: Timestamp) async -> [Answer<EarningsReport?>] {
        await ConcurrentMap.map(assets) { asset in
            do throws(MarketDataError) {
                let newest = try await self.fallback.first(
                    "earnings", of: asset.symbol, from: self.order.earnings(of: asset)
                ) { reports, _ throws(MarketDataError) in
                    reports.filter { !Freshness.isAhead($0.reportedAt ?? $0.quarterEnd, of: moment) }
                        .max { $0.quarterEnd < $1.quarterEnd }
                }
                return Answer(asset, .success(newest))
            } catch {
                return Answer(asset, .failure(error))
            }
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
