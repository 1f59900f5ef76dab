import FIMLCore
import LinuxSystem
import Locking
import MarketData

/// A market that answers as it is told, and writes down what it was asked.
final class ScriptedMarket: BarSource, FundamentalsSource, MacroSource, NewsSource, OptionChainSource {
    struct Script: Sendable {
        /// Needs that are not met, by their names: why.
        var refused: [String: String] = [:]
        /// Assets without bars, by their symbols: why.
        var withoutBars: [String: String] = [:]
        /// How long ago the newest bar ended.
        var barAgeSeconds: Int64 = 3_600
        var barCount = 300
        var articleCount = 1
        /// Nothing is answered before it is open.
        var latch: Latch?
    }

    private let script: Script
    private let questions = Locked<[String]>([])

    init(_ change: (inout Script) -> Void = { _ in }) {
        var script = Script()
        change(&script)
        self.script = script
    }

    var asked: [String] { questions.withLock { $0 } }

    private func ask(_ question: String, _ need: String) async throws(MarketDataError) {
        questions.withLock { $0.append(question) }
        if let latch = script.latch { _ = await latch.pass() }
        if let reason = script.refused[need] { throw MarketDataError(reason) }
    }

    func bars(
        of assets: [Asset], closedBy moment: Timestamp, limit: Int, unfinished: Bool
    ) async -> [Answer<[Bar]>] {
        let end = moment == .last ? "all" : "closed"
        let symbols = assets.map(\.symbol).joined(separator: ",")
        do throws(MarketDataError) {
            try await ask("bars \(symbols) \(end) \(limit)", "bars")
        } catch {
            return assets.map { Answer($0, .failure(error)) }
        }
        let newest = wallMilliseconds() - script.barAgeSeconds * 1000
        let bars = (0..<min(limit, script.barCount)).reversed().map { day in
            Bar(
                opensAt: Timestamp(milliseconds: newest - Int64(day + 1) * 86_400_000),
                intervalSeconds: 86_400, open: 100, high: 102, low: 99, close: 101, volume: 1_000)
        }
        return assets.map { asset in
            let reason = script.withoutBars[asset.symbol]
            return Answer(asset, reason.map { .failure(MarketDataError($0)) } ?? .success(bars))
        }
    }

    func fundamentals(of asset: Asset) async throws(MarketDataError) -> Fundamentals {
        try await ask("fundamentals \(asset.symbol)", "fundamentals")
        return Fundamentals()
    }

    func observations(of indicator: MacroIndicator) async throws(MarketDataError) -> [MacroObservation] {
        try await ask("macro \(indicator.rawValue)", indicator.rawValue)
        return [MacroObservation(period: Timestamp(milliseconds: 0), value: 4)]
    }

    func news(about asset: Asset, limit: Int) async throws(MarketDataError) -> [NewsArticle] {
        try await ask("news \(asset.symbol)", "news")
        return (0..<script.articleCount).map { number in
            NewsArticle(
                title: "Article \(number)", summary: nil, publisher: nil, url: nil,
                publishedAt: Timestamp(milliseconds: 0), symbols: [asset.symbol])
        }
    }

    func optionChain(of asset: Asset) async throws(MarketDataError) -> OptionChain {
        try await ask("options \(asset.symbol)", "option_chain")
        return OptionChain(observedAt: Timestamp(milliseconds: 0), underlyingPrice: nil, contracts: [])
    }
}
