import Configuration
import FIMLCore
import FIMLWatchdogs
import MarketData

/// A market made of what a test wants; each series is oldest first.
struct FixtureMarket: MarketSources.Market, ExchangeStatusSource {
    var bars: [Asset: [Bar]] = [:]
    var quotes: [Asset: [Quote]] = [:]
    var depths: [Asset: [MarketDepth]] = [:]
    var rates: [Asset: [FundingRate]] = [:]
    var reports: [Asset: [EarningsReport]] = [:]
    /// The chain of an asset that is not here cannot be seen.
    var transfers: [Asset: [Transfer]] = [:]
    var statuses: [ExchangeStatus] = []
    /// Symbols whose source fails.
    var failing: Set<String> = []
    /// Whether it breaks all promises and answers with everything, known or not, within limits or not.
    var isCareless = false

    /// All assets of each need, in the order of the alphabet; each two that have bars are a pair.
    var assets: WatchedAssets {
        var assets = WatchedAssets()
        assets.earnings = sorted(reports)
        assets.volume = sorted(bars)
        assets.transfers = sorted(transfers)
        assets.funding = sorted(rates)
        assets.depth = sorted(depths)
        assets.pairs = sorted(bars).flatMap { first in
            sorted(bars).filter { $0.symbol > first.symbol }.map { AssetPair(first, $0) }
        }
        assets.prices = sorted(quotes)
        return assets
    }

    func bars(of assets: [Asset], closedBy moment: Timestamp, limit: Int, unfinished: Bool) async
        -> [Answer<[Bar]>]
    {
        answers(of: assets) { asset in
            let all = bars[asset] ?? []
            if isCareless { return all }
            let over = all.prefix(until: { $0.closesAt > moment })
            let begun = all[over.endIndex...].first { $0.opensAt < moment }
            return over.suffix(limit) + (unfinished ? begun.map { [$0] } ?? [] : [])
        }
    }

    func quotes(of assets: [Asset], at moment: Timestamp, covering seconds: Int64) async
        -> [Answer<[Quote]>]
    {
        answers(of: assets) { asset in
            let all = quotes[asset] ?? []
            if isCareless { return all }
            let known = all.prefix(until: { $0.observedAt > moment })
            guard let newest = known.last else { return [] }
            let start = newest.observedAt.milliseconds - seconds * 1_000
            let covered = known.reversed().prefix { $0.observedAt.milliseconds >= start }
            return Array(known.suffix(max(2, covered.count)))
        }
    }

    func depths(of assets: [Asset], at moment: Timestamp) async -> [Answer<MarketDepth?>] {
        answers(of: assets) { newest(depths[$0]) { $0.observedAt <= moment } }
    }

    func fundingRates(of assets: [Asset], at moment: Timestamp) async -> [Answer<[FundingRate]>] {
        answers(of: assets) { (rates[$0] ?? []).filter { isCareless || $0.knownAt <= moment } }
    }

    func earnings(of assets: [Asset], at moment: Timestamp) async -> [Answer<EarningsReport?>] {
        answers(of: assets) { newest(reports[$0]) { $0.reportedAt ?? $0.quarterEnd <= moment } }
    }

    func transfers(of assets: [Asset], at moment: Timestamp, within seconds: Int64, minUSD: Double) async
        -> [Answer<[Transfer]?>]
    {
        answers(of: assets) { asset in
            transfers[asset]?.filter { transfer in
                isCareless
                    || transfer.usdValue >= minUSD
                        && moment.milliseconds - transfer.observedAt.milliseconds <= seconds * 1_000
            }
        }
    }

    func exchangeStatuses(of exchanges: [String], at moment: Timestamp) async -> [[ExchangeStatus]] {
        let asked = statuses.filter {
            isCareless || ($0.observedAt <= moment && exchanges.contains($0.exchange))
        }
        return Dictionary(grouping: asked, by: \.exchange)
            .sorted { $0.key < $1.key }
            .map { isCareless ? $0.value : $0.value.suffix(2) }
    }

    /// All needs, met by it.
    var sources: MarketSources { MarketSources(self, exchanges: self) }

    private func answers<Figures>(of assets: [Asset], _ figures: (Asset) -> Figures) -> [Answer<Figures>] {
        assets.map { asset in
            Answer(
                asset,
                failing.contains(asset.symbol)
                    ? .failure(MarketDataError("no answer")) : .success(figures(asset)))
        }
    }

    private func newest<Figure>(_ series: [Figure]?, where isKnown: (Figure) -> Bool) -> Figure? {
        isCareless ? series?.last : series?.last(where: isKnown)
    }

    private func sorted<Figures>(_ series: [Asset: Figures]) -> [Asset] {
        series.keys.sorted { $0.symbol < $1.symbol }
    }
}

extension Array {
    /// All before the first for which `isLater` holds, which holds for all after it: by halving.
    fileprivate func prefix(until isLater: (Element) -> Bool) -> ArraySlice<Element> {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isLater(self[middle]) { high = middle } else { low = middle + 1 }
        }
        return self[..<low]
    }
}

/// The default settings, changed as told.
func settings<Part>(
    _ path: WritableKeyPath<Settings.Watchdogs, Part>, _ change: (inout Part) -> Void = { _ in }
) -> Part {
    var settings = Settings().watchdogs
    change(&settings[keyPath: path])
    return settings[keyPath: path]
}

func equity(_ symbol: String) -> Asset {
    Asset(symbol: symbol, assetType: .equity)
}

func at(_ seconds: Int64) -> Timestamp {
    Timestamp(milliseconds: seconds * 1_000)
}

/// A bar that opens at a second, all its prices being `close`.
func bar(_ opensAt: Int64, every interval: Int64 = 60, close: Double = 100, volume: Double? = 1) -> Bar {
    Bar(
        opensAt: at(opensAt), intervalSeconds: interval, open: close, high: close, low: close, close: close,
        volume: volume)
}

/// A quote of a second.
func quote(_ second: Int64, _ price: Double = 100, every interval: Int64 = 60) -> Quote {
    Quote(observedAt: at(second), price: price, intervalSeconds: interval)
}
