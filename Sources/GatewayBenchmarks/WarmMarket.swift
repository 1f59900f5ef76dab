import FIMLCore
import FIMLWatchdogs
import MarketData

/// A market of which everything is known already, so that a check costs what the watchdogs cost: no provider
/// is asked, and what each need is answered with lies ready.
///
/// Figures come by chance from a seed, most of them as they should be.
struct WarmMarket: MarketSources.Market, ExchangeStatusSource {
    /// What is known of one asset; each series is oldest first.
    struct Figures: Hashable {
        var closedBars: [Bar]
        var unfinishedBar: Bar
        var quotes: [Quote]
        var depth: MarketDepth
        var rates: [FundingRate]
        var report: EarningsReport
        var transfers: [Transfer]
    }

    /// The moment as of which the market is: 2026-11-24 12:00 UTC.
    static let moment = Timestamp(milliseconds: today.milliseconds + 43_200_000)
    /// The beginning of that day.
    private static let today = Timestamp(milliseconds: 20_781 * 86_400_000)
    /// The unfinished one among them: some more than correlations need.
    private static let dailyBars = 130
    /// One each 30 seconds.
    private static let quotes = 10
    private static let fundingExchanges = ["binance", "bybit", "okx"]

    /// All there are, in order.
    let assets: [Asset]
    private let figures: [Asset: Figures]

    /// A market of so many assets.
    init(assets count: Int, seed: UInt64) {
        var chance = SplitMix64(seed: seed)
        assets = (0..<count).map { Asset(symbol: "A\($0)", assetType: .crypto, market: .crypto) }
        figures = Dictionary(uniqueKeysWithValues: assets.map { ($0, Self.figures(of: $0, &chance)) })
    }

    /// All assets for each watchdog, and as many pairs: each asset and the next.
    var watched: WatchedAssets {
        var watched = WatchedAssets()
        watched.earnings = assets
        watched.volume = assets
        watched.transfers = assets
        watched.funding = assets
        watched.depth = assets
        watched.prices = assets
        watched.pairs = zip(assets, assets.dropFirst() + assets.prefix(1)).map { AssetPair($0, $1) }
        return watched
    }

    /// What is known of an asset of this market.
    subscript(_ asset: Asset) -> Figures? { figures[asset] }

    private func answers<Value>(_ assets: [Asset], _ value: (Figures) -> Value) -> [Answer<Value>] {
        assets.map { asset in
            guard let known = figures[asset] else {
                return Answer(asset, .failure(MarketDataError("\(asset.symbol) is not of this market")))
            }
            return Answer(asset, .success(value(known)))
        }
    }

    // MARK: What watchdogs ask for

    func bars(of assets: [Asset], closedBy moment: Timestamp, limit: Int, unfinished: Bool) async
        -> [Answer<[Bar]>]
    {
        answers(assets) { known in
            let closed = known.closedBars
            if !unfinished { return limit < closed.count ? closed.suffix(limit) : closed }
            return closed.suffix(limit - 1) + [known.unfinishedBar]
        }
    }

    func quotes(of assets: [Asset], at moment: Timestamp, covering seconds: Int64) async
        -> [Answer<[Quote]>]
    {
        let start = moment.adding(seconds: -seconds)
        return answers(assets) { known in
            known.quotes.suffix(max(2, known.quotes.reversed().prefix { $0.observedAt >= start }.count))
        }
    }

    func depths(of assets: [Asset], at moment: Timestamp) async -> [Answer<MarketDepth?>] {
        answers(assets, \.depth)
    }

    func fundingRates(of assets: [Asset], at moment: Timestamp) async -> [Answer<[FundingRate]>] {
        answers(assets, \.rates)
    }

    func earnings(of assets: [Asset], at moment: Timestamp) async -> [Answer<EarningsReport?>] {
        answers(assets, \.report)
    }

    func transfers(of assets: [Asset], at moment: Timestamp, within seconds: Int64, minUSD: Double) async
        -> [Answer<[Transfer]?>]
    {
        answers(assets) { known in known.transfers.filter { $0.usdValue >= minUSD } }
    }

    func exchangeStatuses(of exchanges: [String], at moment: Timestamp) async -> [[ExchangeStatus]] {
        exchanges.sorted().map { exchange in
            [60, 0].map { age in
                ExchangeStatus(
                    exchange: exchange, observedAt: moment.adding(seconds: -age), intervalSeconds: 60,
                    statusCode: 200, responseMilliseconds: 80)
            }
        }
    }

    // MARK: Figures by chance

    private static func figures(of asset: Asset, _ chance: inout SplitMix64) -> Figures {
        var price = Double.random(in: 1...1_000, using: &chance)
        var bars = (0..<dailyBars).map { index in
            let open = price
            price *= 1 + Double.random(in: -0.03...0.03, using: &chance)
            return Bar(
                opensAt: today.adding(seconds: Int64(index + 1 - dailyBars) * 86_400),
                intervalSeconds: 86_400,
                open: open, high: max(open, price), low: min(open, price), close: price,
                volume: Double.random(in: 1e5...4e5, using: &chance))
        }
        let unfinished = bars.removeLast()
        let quotes = (0..<quotes).map { index in
            Quote(
                observedAt: moment.adding(seconds: Int64(index + 1 - Self.quotes) * 30),
                price: price * Double.random(in: 0.97...1.03, using: &chance), intervalSeconds: 30)
        }
        let depth = Double.random(in: 5e6...5e7, using: &chance)
        return Figures(
            closedBars: bars, unfinishedBar: unfinished, quotes: quotes,
            depth: MarketDepth(
                observedAt: moment.adding(seconds: -60),
                depthUSD: depth * Double.random(in: 0.4...1.6, using: &chance), intervalSeconds: 180,
                meanUSD: depth, snapshots: 3_360),
            rates: fundingExchanges.map { exchange in
                FundingRate(
                    exchange: exchange, rate: Double.random(in: -0.0008...0.0008, using: &chance),
                    knownAt: moment.adding(seconds: -14_400), intervalSeconds: 28_800)
            },
            report: EarningsReport(
                quarterEnd: today.adding(seconds: -55 * 86_400),
                reportedAt: today.adding(seconds: -20 * 86_400),
                actualEPS: Double.random(in: 0.85...1.15, using: &chance), estimatedEPS: 1),
            transfers: transfers(of: asset, &chance))
    }

    /// None to four in the last hour, half of them large.
    private static func transfers(of asset: Asset, _ chance: inout SplitMix64) -> [Transfer] {
        (0..<Int.random(in: 0...4, using: &chance)).map { index in
            Transfer(
                hash: "\(asset.symbol)-\(index)",
                observedAt: moment.adding(seconds: Int64(index * 600 - 3_000)),
                from: "exchange", to: nil, amount: 10,
                usdValue: Double.random(in: 0...2e6, using: &chance))
        }
    }
}

/// Steele, Lea and Flood's generator ("Fast splittable pseudorandom number generators", 2014): the same
/// figures for the same seed everywhere.
struct SplitMix64: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
