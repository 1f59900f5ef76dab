import FIMLCore

/// Gathers the rows of several files into series, then finds the interval of each.
struct RecordingBuilder {
    /// What one recording may hold: bars of one minute for ten symbols over a year.
    static let maxRows = 5_000_000

    /// Figures of one kind, by symbol. The first row of a symbol says what kind of asset it is.
    private typealias Gathered<Figure: Sendable> = [String: (asset: Asset, figures: [Figure])]

    var refused = RefusedRows()
    private var rows = 0
    private var bars: Gathered<Bar> = [:]
    private var barsOfDays: Set<String> = []
    private var fundingRates: [String: (asset: Asset, byExchange: [String: [FundingRate]])] = [:]
    private var depths: Gathered<MarketDepth> = [:]
    private var depthExchanges: [String: String] = [:]
    private var earnings: Gathered<EarningsReport> = [:]
    private var transfers: Gathered<Transfer> = [:]
    /// Of each symbol the hashes of the transfers at its newest time.
    private var newestHashes: [String: Set<String>] = [:]
    private var fundamentals: [String: (asset: Asset, knownAt: Timestamp, figures: [Fundamentals])] = [:]
    private var observations: [MacroIndicator: [MacroObservation]] = [:]
    private var news: Gathered<NewsArticle> = [:]
    /// Of each symbol the headlines at its newest time.
    private var newestTitles: [String: Set<String>] = [:]
    private var optionChains: Gathered<OptionChain> = [:]
    /// Of each symbol the names of the contracts of its newest chain.
    private var newestContracts: [String: Set<String>] = [:]
    private var exchangeScript: [String: [ExchangeScriptEntry]] = [:]
    private var episodes: [Episode] = []

    /// Whether one more row fits.
    var hasRoom: Bool { rows < Self.maxRows }

    /// Takes a bar; false when it is not newer than the symbol's bar before.
    mutating func add(_ bar: Bar, isDay: Bool, of asset: Asset) -> Bool {
        if isDay, bars[asset.symbol] == nil { barsOfDays.insert(asset.symbol) }
        return add(bar, of: asset, to: \.bars) { $0.opensAt < bar.opensAt }
    }

    /// Takes a funding rate; false when it is not newer than the one before of the same symbol and exchange.
    mutating func add(_ rate: FundingRate, of asset: Asset) -> Bool {
        if let last = fundingRates[asset.symbol]?.byExchange[rate.exchange]?.last,
            last.knownAt >= rate.knownAt
        {
            return false
        }
        fundingRates[asset.symbol, default: (asset, [:])].byExchange[rate.exchange, default: []].append(rate)
        rows += 1
        return true
    }

    /// Of which exchange a symbol's depth is; nil before its first row.
    func exchangeOfDepth(_ symbol: String) -> String? { depthExchanges[symbol] }

    /// Takes a snapshot of depth; false when it is not newer than the symbol's before.
    mutating func add(_ depth: MarketDepth, of asset: Asset, at exchange: String) -> Bool {
        depthExchanges[asset.symbol] = exchange
        return add(depth, of: asset, to: \.depths) { $0.observedAt < depth.observedAt }
    }

    /// Takes a report; false when it did not become known after the company's report before.
    mutating func add(_ report: EarningsReport, knownAt: Timestamp, of asset: Asset) -> Bool {
        add(report, of: asset, to: \.earnings) { last in last.reportedAt.map { $0 < knownAt } ?? true }
    }

    /// Takes a transfer; false when it is older than the symbol's before, or was taken already. Those of one
    /// block have one time.
    mutating func add(_ transfer: Transfer, of asset: Asset) -> Bool {
        let newest = transfers[asset.symbol]?.figures.last?.observedAt
        if let newest, newest > transfer.observedAt { return false }
        if newest != transfer.observedAt { newestHashes[asset.symbol] = [] }
        guard newestHashes[asset.symbol, default: []].insert(transfer.hash).inserted else { return false }
        return add(transfer, of: asset, to: \.transfers) { _ in true }
    }

    /// Takes an entry of the script; false when it is not later than the exchange's before.
    mutating func add(_ entry: ExchangeScriptEntry) -> Bool {
        if let last = exchangeScript[entry.exchange]?.last, last.time >= entry.time { return false }
        exchangeScript[entry.exchange, default: []].append(entry)
        rows += 1
        return true
    }

    /// Takes an episode; false when it does not begin after the end of the one before.
    mutating func add(_ episode: Episode) -> Bool {
        if let last = episodes.last, last.to >= episode.from { return false }
        episodes.append(episode)
        rows += 1
        return true
    }

    /// Takes a company's figures; false when they did not become known after those before.
    mutating func add(_ figures: Fundamentals, knownAt: Timestamp, of asset: Asset) -> Bool {
        if let last = fundamentals[asset.symbol]?.knownAt, last >= knownAt { return false }
        fundamentals[asset.symbol, default: (asset, knownAt, [])].figures.append(figures)
        fundamentals[asset.symbol]?.knownAt = knownAt
        rows += 1
        return true
    }

    /// Takes an observation; false when it is not of a later period than the indicator's before.
    mutating func add(_ observation: MacroObservation, of indicator: MacroIndicator) -> Bool {
        if let last = observations[indicator]?.last, last.period >= observation.period { return false }
        observations[indicator, default: []].append(observation)
        rows += 1
        return true
    }

    /// How many articles of a symbol there are.
    func articles(of symbol: String) -> Int { news[symbol]?.figures.count ?? 0 }

    /// Takes an article; false when it is older than the symbol's before, or was taken already.
    mutating func add(_ article: NewsArticle, of asset: Asset) -> Bool {
        let newest = news[asset.symbol]?.figures.last?.publishedAt
        if let newest, newest > article.publishedAt { return false }
        if newest != article.publishedAt { newestTitles[asset.symbol] = [] }
        guard newestTitles[asset.symbol, default: []].insert(article.title).inserted else { return false }
        return add(article, of: asset, to: \.news) { _ in true }
    }

    /// When the newest chain of a symbol was observed, what the asset was worth then, and how many contracts
    /// it has; nil before its first row.
    func newestChain(of symbol: String) -> (observedAt: Timestamp, underlyingPrice: Double?, contracts: Int)?
    {
        optionChains[symbol]?.figures.last.map { ($0.observedAt, $0.underlyingPrice, $0.contracts.count) }
    }

    /// Takes a contract into the chain of its moment, the symbol's newest or a new one; false when it is
    /// older, or was taken already.
    mutating func add(
        _ contract: OptionContract, observedAt: Timestamp, underlyingPrice: Double?, of asset: Asset
    ) -> Bool {
        let newest = newestChain(of: asset.symbol)?.observedAt
        if let newest, newest > observedAt { return false }
        if newest != observedAt { newestContracts[asset.symbol] = [] }
        guard newestContracts[asset.symbol, default: []].insert(contract.symbol).inserted else {
            return false
        }
        guard newest == observedAt, let last = optionChains[asset.symbol]?.figures.indices.last else {
            let chain = OptionChain(
                observedAt: observedAt, underlyingPrice: underlyingPrice, contracts: [contract])
            return add(chain, of: asset, to: \.optionChains) { _ in true }
        }
        optionChains[asset.symbol]?.figures[last].contracts.append(contract)
        rows += 1
        return true
    }

    private mutating func add<Figure>(
        _ figure: Figure, of asset: Asset, to gathered: WritableKeyPath<Self, Gathered<Figure>>,
        after isAfter: (Figure) -> Bool
    ) -> Bool {
        if let last = self[keyPath: gathered][asset.symbol]?.figures.last, !isAfter(last) { return false }
        self[keyPath: gathered][asset.symbol, default: (asset, [])].figures.append(figure)
        rows += 1
        return true
    }

    /// The series with their intervals; nil when no row was taken.
    func recording() -> Recording? {
        guard rows > 0 else { return nil }
        return Recording(
            bars: series(bars) { symbol, bars in
                let fallback: Int64 = barsOfDays.contains(symbol) ? 86_400 : 60
                let interval = Self.intervalSeconds(bars.map(\.opensAt)) ?? fallback
                for index in bars.indices { bars[index].intervalSeconds = interval }
            },
            fundingRates: fundingRateSeries(),
            depths: series(depths) { _, depths in
                let interval = Self.intervalSeconds(depths.map(\.observedAt)) ?? 60
                for index in depths.indices { depths[index].intervalSeconds = interval }
                DepthMeans.fill(&depths)
            },
            earnings: series(earnings), transfers: series(transfers),
            fundamentals: fundamentals.sorted { $0.key < $1.key }.map { _, series in
                Series(asset: series.asset, figures: series.figures)
            },
            observations: observations, news: series(news), optionChains: series(optionChains),
            exchangeScript: exchangeScript.values.joined().sorted {
                ($0.time, $0.exchange) < ($1.time, $1.exchange)
            },
            episodes: episodes, refused: refused)
    }

    private func series<Figure>(
        _ gathered: Gathered<Figure>, finish: (String, inout [Figure]) -> Void = { _, _ in }
    ) -> [Series<Figure>] {
        gathered.sorted { $0.key < $1.key }.map { symbol, series in
            var figures = series.figures
            finish(symbol, &figures)
            return Series(asset: series.asset, figures: figures)
        }
    }

    private func fundingRateSeries() -> [Series<[FundingRate]>] {
        fundingRates.sorted { $0.key < $1.key }.map { _, series in
            Series(
                asset: series.asset,
                figures: series.byExchange.sorted { $0.key < $1.key }.map { _, rates in
                    let interval = Self.intervalSeconds(rates.map(\.knownAt)) ?? 28_800
                    return rates.map { rate in
                        var rate = rate
                        rate.intervalSeconds = interval
                        return rate
                    }
                })
        }
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
