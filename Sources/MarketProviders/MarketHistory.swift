import FIMLCore
import MarketData

/// What a live market remembers: for as many assets as are watched their daily bars, quotes and depths.
///
/// A pure value. Tables are bounded: where one is full, the asset that was not heard of for longest goes.
struct MarketHistory: Hashable, Sendable {
    /// Assets of one kind of figure: as many as the gateway is measured with.
    static let assetLimit = 1_000

    /// Daily bars, by `key`.
    private(set) var bars: [String: BarWindow] = [:]
    /// Quotes, by `key` and who gave them: a dollar and a token that stands for it, or two venues, differ in
    /// price, and no movement may be read from that.
    private(set) var quotes: [String: [ProviderName: QuoteWindow]] = [:]
    /// Depths, by `key` and exchange: what rests at one exchange says nothing about another.
    private(set) var depths: [String: [ProviderName: DepthWindow]] = [:]

    /// What an asset is called here: two kinds of instrument may share a symbol.
    static func key(of asset: Asset) -> String {
        "\(asset.assetType.rawValue)/\(asset.symbol)"
    }

    /// Takes in bars unless newer ones are there already.
    mutating func add(_ window: BarWindow, of key: String) {
        if let held = bars[key], !window.isNewer(than: held) { return }
        Self.insert(window, for: key, into: &bars) { $0.newest.opensAt }
    }

    /// Takes in a quote unless it is not later than the newest of that provider.
    mutating func add(_ quote: Quote, of key: String, from provider: ProviderName) {
        // Taken out, so that the array is not copied.
        var window = quotes[key]?.removeValue(forKey: provider) ?? QuoteWindow()
        window.add(quote)
        add(window, of: key, from: provider)
    }

    /// Takes in the quotes of an asset from one provider.
    mutating func add(_ window: QuoteWindow, of key: String, from provider: ProviderName) {
        guard window.newest != nil else { return }
        var windows = quotes[key] ?? [:]
        windows[provider] = window
        // Who has not been asked for a day has nothing left to say.
        let newest = windows.values.compactMap(\.newest?.observedAt.milliseconds).max() ?? 0
        windows = windows.filter { _, other in
            other.newest.map { newest - $0.observedAt.milliseconds <= QuoteWindow.keptSeconds * 1_000 }
                ?? false
        }
        Self.insert(windows, for: key, into: &quotes) { $0.values.compactMap(\.newest?.observedAt).max() }
    }

    /// The quotes of an asset from whoever gave the newest one.
    func newestQuotes(of key: String) -> QuoteWindow? {
        quotes[key]?.values.max {
            ($0.newest?.observedAt.milliseconds ?? .min) < ($1.newest?.observedAt.milliseconds ?? .min)
        }
    }

    /// Takes in a snapshot unless it is not later than the newest of that exchange.
    mutating func add(_ snapshot: DepthWindow.Snapshot, of key: String, at provider: ProviderName) {
        var window = depths[key]?[provider] ?? DepthWindow()
        window.add(snapshot)
        add(window, of: key, at: provider)
    }

    /// Takes in the depths of an asset at one exchange.
    mutating func add(_ window: DepthWindow, of key: String, at provider: ProviderName) {
        guard window.newest != nil else { return }
        var windows = depths[key] ?? [:]
        windows[provider] = window
        // An exchange that has not been asked for a week has nothing left to say.
        let newest = windows.values.compactMap(\.newest?.observedAt.milliseconds).max() ?? 0
        windows = windows.filter { _, other in
            other.newest.map { newest - $0.observedAt.milliseconds < MarketDepth.meanSeconds * 1_000 }
                ?? false
        }
        Self.insert(windows, for: key, into: &depths) { $0.values.compactMap(\.newest?.observedAt).max() }
    }

    /// The newest depth of an asset at any exchange, if it is young enough to stand in.
    func freshDepth(of key: String, at moment: Timestamp) -> MarketDepth? {
        (depths[key] ?? [:]).values.compactMap(\.depth)
            .filter { Freshness.isFresh($0.observedAt, intervalSeconds: $0.intervalSeconds, at: moment) }
            .max { $0.observedAt < $1.observedAt }
    }

    private static func insert<Window>(
        _ window: Window, for key: String, into table: inout [String: Window],
        age: (Window) -> Timestamp?
    ) {
        if table[key] == nil, table.count >= assetLimit,
            let oldest = table.min(by: { (age($0.value), $0.key) < (age($1.value), $1.key) })?.key
        {
            table[oldest] = nil
        }
        table[key] = window
    }
}

/// No moment is before every moment.
private func < (left: (Timestamp?, String), right: (Timestamp?, String)) -> Bool {
    let (first, second) = (left.0?.milliseconds ?? .min, right.0?.milliseconds ?? .min)
    return (first, left.1) < (second, right.1)
}
