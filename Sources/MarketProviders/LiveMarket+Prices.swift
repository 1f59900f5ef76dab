import FIMLCore
import MarketData

extension LiveMarket: QuoteSource {
    /// Quotes, as `QuoteSource` says: the newest is asked for in each call, those before it are remembered.
    /// Until a second call there is only one. All are from one provider: where another has to stand in, its
    /// own earlier ones come with it, or none.
    public func quotes(of assets: [Asset], at moment: Timestamp, covering seconds: Int64) async
        -> [Answer<[Quote]>]
    {
        await ConcurrentMap.map(assets) { asset in
            Answer(asset, await self.quotes(of: asset, at: moment).map { $0.covering(seconds: seconds) })
        }
    }

    /// What one unit of an asset is worth in US dollars; nil where nobody says.
    func usdPrice(of asset: Asset, at moment: Timestamp) async -> Double? {
        let key = MarketHistory.key(of: asset)
        if let newest = history.newestQuotes(of: key)?.newest, Self.isFresh(newest, at: moment) {
            return newest.price
        }
        guard case .success(let window) = await quotes(of: asset, at: moment), let newest = window.newest,
            Self.isFresh(newest, at: moment)
        else { return nil }
        return newest.price
    }

    private func quotes(of asset: Asset, at moment: Timestamp) async -> Result<QuoteWindow, MarketDataError> {
        let key = MarketHistory.key(of: asset)
        let shortest = Freshness.interval(configuration.quoteIntervalSeconds)
        do throws(MarketDataError) {
            let seen = try await fallback.first(
                "quotes", of: asset.symbol, from: order.quote(of: asset),
                lateness: { _, quote in
                    Freshness.lateness(
                        quote.observedAt, intervalSeconds: quote.intervalSeconds, at: moment)
                }
            ) { quote, provider throws(MarketDataError) -> (ProviderName, Quote)? in
                try Self.refuseFuture(quote.observedAt, at: moment)
                var quote = quote
                // They come as often as we ask, however often the provider has new ones.
                quote.intervalSeconds = max(quote.intervalSeconds, shortest)
                return (provider, quote)
            }
            guard let (provider, quote) = seen else { return .success(QuoteWindow()) }
            history.add(quote, of: key, from: provider)
            return .success(history.quotes[key]?[provider] ?? QuoteWindow())
        } catch {
            guard let window = history.newestQuotes(of: key), let newest = window.newest,
                Self.isFresh(newest, at: moment)
            else { return .failure(error) }
            return .success(window)
        }
    }

    private static func isFresh(_ quote: Quote, at moment: Timestamp) -> Bool {
        Freshness.isFresh(quote.observedAt, intervalSeconds: quote.intervalSeconds, at: moment)
    }

    /// Throws where a figure lies further ahead than clocks differ: its unit or its zone was mistaken.
    static func refuseFuture(_ observedAt: Timestamp, at moment: Timestamp) throws(MarketDataError) {
        if Freshness.isAhead(observedAt, of: moment) {
            throw MarketDataError("the figure is from the future: \(observedAt.rfc3339)")
        }
    }
}

extension LiveMarket: DepthSource {
    /// Depths, as `DepthSource` says, of order books in the asset's currency, which counts as US dollars.
    /// A book that was cut off nearer to the middle than the depth is measured is refused: what rests behind
    /// the cut would be missing. Each exchange is compared with itself: where another has to stand in, its
    /// own earlier snapshots make the mean, or there is none.
    public func depths(of assets: [Asset], at moment: Timestamp) async -> [Answer<MarketDepth?>] {
        await ConcurrentMap.map(assets) { asset in
            Answer(asset, await self.depth(of: asset, at: moment))
        }
    }

    private func depth(of asset: Asset, at moment: Timestamp) async -> Result<MarketDepth?, MarketDataError> {
        let key = MarketHistory.key(of: asset)
        let interval = Freshness.interval(configuration.depthIntervalSeconds)
        do throws(MarketDataError) {
            let seen = try await fallback.first(
                "an order book", of: asset.symbol, from: order.orderBook(of: asset),
                lateness: { _, snapshot in
                    Freshness.lateness(snapshot.observedAt, intervalSeconds: interval, at: moment)
                }
            ) { book, provider throws(MarketDataError) -> (ProviderName, DepthWindow.Snapshot)? in
                try Self.refuseFuture(book.observedAt, at: moment)
                guard let depth = book.depth(withinPercent: MarketDepth.withinPercent) else {
                    throw MarketDataError("the order book lacks a side, or its sides cross")
                }
                if let levels = ProviderOrder.bookLevels[provider],
                    !book.reaches(MarketDepth.withinPercent, levels: levels)
                {
                    throw MarketDataError(
                        "the \(levels) levels of its order book end within \(MarketDepth.withinPercent) % "
                            + "of the middle")
                }
                return (
                    provider,
                    .init(observedAt: book.observedAt, depthUSD: depth, intervalSeconds: interval)
                )
            }
            guard let (provider, snapshot) = seen else { return .success(nil) }
            history.add(snapshot, of: key, at: provider)
            return .success(history.depths[key]?[provider]?.depth)
        } catch {
            guard let depth = history.freshDepth(of: key, at: moment) else { return .failure(error) }
            return .success(depth)
        }
    }
}

extension LiveMarket: FundingRateSource {
    /// Funding rates, as `FundingRateSource` says. An error only where no exchange answered.
    public func fundingRates(of assets: [Asset], at moment: Timestamp) async -> [Answer<[FundingRate]>] {
        await ConcurrentMap.map(assets) { asset in
            Answer(asset, await self.fundingRates(of: asset, at: moment))
        }
    }

    private func fundingRates(of asset: Asset, at moment: Timestamp) async -> Result<
        [FundingRate], MarketDataError
    > {
        let fallback = fallback
        let answers = await ConcurrentMap.map(order.fundingRate(of: asset)) {
            endpoint -> Result<FundingRate, MarketDataError> in
            do throws(MarketDataError) {
                let rate = try await fallback.client.ask(endpoint)
                try Self.refuseFuture(rate.knownAt, at: moment)
                return .success(rate)
            } catch {
                return .failure(MarketDataError(Fallback.reason(error, of: endpoint.provider)))
            }
        }
        var rates: [FundingRate] = []
        var reasons: [String] = []
        for answer in answers {
            switch answer {
            case .success(let rate): rates.append(rate)
            case .failure(let error): reasons.append(error.description)
            }
        }
        guard !rates.isEmpty else {
            return .failure(Fallback.failure("a funding rate", of: asset.symbol, reasons))
        }
        return .success(rates.sorted { $0.exchange < $1.exchange })
    }
}
