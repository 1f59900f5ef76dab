import FIMLCore

// What an analysis needs beside prices: the newest that was recorded, whatever moment is being replayed. Each
// answer tells from when it is.

extension ReplayMarket: FundamentalsSource, MacroSource, NewsSource, OptionChainSource {
    /// More observations are not answered: daily ones of nearly three years.
    static let observationLimit = 1_000

    /// The newest figures of a company. Throws where none were recorded, as the others do.
    public func fundamentals(of asset: Asset) throws(MarketDataError) -> Fundamentals {
        guard let newest = fundamentals[asset.symbol]?.last else {
            throw Self.hasNone("fundamentals", asset.symbol)
        }
        return newest
    }

    /// The newest 1,000 observations of an indicator, oldest first.
    public func observations(of indicator: MacroIndicator) throws(MarketDataError) -> [MacroObservation] {
        guard let recorded = observations[indicator] else {
            throw Self.hasNone("observations", indicator.rawValue)
        }
        return recorded.suffix(Self.observationLimit)
    }

    /// The newest articles about an asset, newest first.
    public func news(about asset: Asset, limit: Int) throws(MarketDataError) -> [NewsArticle] {
        guard let recorded = news[asset.symbol] else { throw Self.hasNone("news", asset.symbol) }
        return recorded.suffix(max(0, limit)).reversed()
    }

    /// The newest chain of options on an asset.
    public func optionChain(of asset: Asset) throws(MarketDataError) -> OptionChain {
        guard let newest = optionChains[asset.symbol]?.last else {
            throw Self.hasNone("options", asset.symbol)
        }
        return newest
    }

    private static func hasNone(_ what: String, _ subject: String) -> MarketDataError {
        MarketDataError("the recording has no \(what) of \(subject)", cause: .hasNone)
    }
}
