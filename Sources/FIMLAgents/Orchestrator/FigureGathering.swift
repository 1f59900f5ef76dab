import Analysis
import FIMLCore
import LinuxSystem
import Locking
import MarketData

/// Gathers what the workers of one analysis need, each need once, when the first worker wants it.
final class FigureGathering: Sendable {
    private static let articleLimit = 20
    private static let benchmarkLimit = 16

    private let asset: Asset
    private let market: AnalysisMarket
    private let barLimit: Int
    /// Each gives figures that hold what meets that need, or say why nothing does.
    private let tasks = Locked<[DataNeed: Task<Figures, Never>]>([:])

    /// For workers of these types.
    init(_ asset: Asset, _ market: AnalysisMarket, for types: [WorkerType]) {
        self.asset = asset
        self.market = market
        barLimit = types.map(\.barLimit).max() ?? 0
    }

    deinit {
        tasks.withLock { tasks in
            for task in tasks.values { task.cancel() }
        }
    }

    /// What a worker of the type is given.
    func figures(for type: WorkerType) async -> Figures {
        var figures = Figures(asset, at: Timestamp(milliseconds: wallMilliseconds()))
        for (need, task) in type.needs.map({ ($0, task($0, at: figures.moment)) }) {
            let part = await task.value
            figures.missing += part.missing
            switch need {
            case .bars: figures.bars = Array(part.bars.suffix(type.barLimit))
            case .benchmarkBars: figures.benchmarks = part.benchmarks
            case .fundamentals: figures.fundamentals = part.fundamentals
            case .macro: figures.observations = part.observations
            case .news: figures.articles = part.articles
            case .optionChain: figures.optionChain = part.optionChain
            }
        }
        return figures
    }

    private func task(_ need: DataNeed, at moment: Timestamp) -> Task<Figures, Never> {
        tasks.withLock { tasks in
            if let task = tasks[need] { return task }
            let task = Task { [asset, market, barLimit] in
                await Self.part(need, asset, market, barLimit, moment)
            }
            tasks[need] = task
            return task
        }
    }

    private static func part(
        _ need: DataNeed, _ asset: Asset, _ market: AnalysisMarket, _ barLimit: Int, _ moment: Timestamp
    ) async -> Figures {
        var part = Figures(asset, at: moment)
        do throws(MarketDataError) {
            switch need {
            case .bars:
                part.bars = try await bars(of: [asset], market, barLimit, moment).first?.get() ?? []
            case .benchmarkBars:
                await benchmarks(of: asset, market, moment, into: &part)
            case .fundamentals:
                guard asset.assetType == .equity else {
                    throw MarketDataError(
                        "only companies report, and \(asset.symbol) is \(asset.assetType.rawValue)")
                }
                part.fundamentals = try await market.fundamentals.fundamentals(of: asset)
            case .macro:
                await observations(market, into: &part)
            case .news:
                part.articles = try await market.news.news(about: asset, limit: articleLimit)
                guard !part.articles.isEmpty else {
                    throw MarketDataError("there are no articles about \(asset.symbol)")
                }
            case .optionChain:
                part.optionChain = try await market.optionChains.optionChain(of: asset)
            }
        } catch {
            part.missing.append(MissingFigures(need, reason: error.description))
        }
        return part
    }

    // MARK: - Bars

    /// Bars up to now of a live market; all that there are of a recorded one.
    private static func bars(
        of assets: [Asset], _ market: AnalysisMarket, _ limit: Int, _ moment: Timestamp
    ) async -> [Result<[Bar], MarketDataError>] {
        let answers = await market.bars.bars(
            of: assets, closedBy: market.isLive ? moment : .last, limit: limit, unfinished: false)
        return answers.map { answer in
            answer.result.flatMap { bars in
                guard let newest = bars.last else {
                    return .failure(MarketDataError("there are no bars of \(answer.asset.symbol)"))
                }
                let isOld = Freshness.isStale(
                    newest.closesAt, intervalSeconds: newest.intervalSeconds, at: moment)
                guard market.isLive, isOld else { return .success(bars) }
                return .failure(
                    MarketDataError(
                        "the newest bar of \(answer.asset.symbol) is of \(newest.closesAt.rfc3339)"))
            }
        }
    }

    /// What an asset is compared with: the market first, which beta is against, then what usually moves
    /// apart from it.
    static func benchmarks(of asset: Asset, others: [Asset]) -> [Asset] {
        let etfs = ["SPY", "QQQ", "TLT", "GLD"].map { Asset(symbol: $0, assetType: .etf) }
        let coins = ["BTC", "ETH"].map { Asset(symbol: $0, assetType: .crypto, market: .crypto) }
        let all = asset.assetType == .crypto ? coins + [etfs[0], etfs[3]] : etfs
        var symbols: Set = [asset.symbol]
        return Array((all + others).filter { symbols.insert($0.symbol).inserted }.prefix(benchmarkLimit))
    }

    private static func benchmarks(
        of asset: Asset, _ market: AnalysisMarket, _ moment: Timestamp, into part: inout Figures
    ) async {
        let assets = benchmarks(of: asset, others: market.otherBenchmarks)
        let results = await bars(of: assets, market, WorkerType.correlation.barLimit, moment)
        let own = market.otherBenchmarks.isEmpty ? [] : await ownBars(of: asset, market, moment)
        for (asset, result) in zip(assets, results) {
            switch result {
            // What was recorded of another time is no benchmark.
            case .success(let bars) where market.otherBenchmarks.contains(asset) && !bars.overlap(own):
                continue
            case .success(let bars): part.benchmarks.append(Figures.Benchmark(asset, bars: bars))
            case .failure(let error):
                // The first is the market: without it there is no beta, rather than one against another.
                if part.benchmarks.isEmpty { part.benchmarks.append(Figures.Benchmark(asset, bars: [])) }
                part.missing.append(
                    MissingFigures(.benchmarkBars, asset.symbol, reason: error.description))
            }
        }
    }

    private static func ownBars(
        of asset: Asset, _ market: AnalysisMarket, _ moment: Timestamp
    ) async -> [Bar] {
        let result = await bars(of: [asset], market, WorkerType.correlation.barLimit, moment).first
        return (try? result?.get()) ?? []
    }

    // MARK: - The economy

    private static func observations(_ market: AnalysisMarket, into part: inout Figures) async {
        // All at once; a provider's own rate bounds how many it is asked at a time.
        let tasks = MacroIndicator.allCases.map { indicator in
            Task { () -> (observations: [MacroObservation], reason: String?) in
                do throws(MarketDataError) {
                    return (try await market.macro.observations(of: indicator), nil)
                } catch {
                    return ([], error.description)
                }
            }
        }
        for (indicator, task) in zip(MacroIndicator.allCases, tasks) {
            let answer = await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
            if let reason = answer.reason {
                part.missing.append(MissingFigures(.macro, indicator.rawValue, reason: reason))
            } else {
                part.observations[indicator] = answer.observations
            }
        }
    }
}

extension [Bar] {
    /// Whether both have bars of some time in common.
    fileprivate func overlap(_ other: [Bar]) -> Bool {
        guard let first, let last, let otherFirst = other.first, let otherLast = other.last else {
            return false
        }
        return first.opensAt < otherLast.closesAt && otherFirst.opensAt < last.closesAt
    }
}

extension Figures {
    /// Whether a worker of the type has anything to judge by.
    func suffice(for type: WorkerType) -> Bool {
        switch type {
        case .fundamentals: fundamentals != nil
        case .technical, .risk: !bars.isEmpty
        case .correlation: !bars.isEmpty && !benchmarks.isEmpty
        case .macro: !observations.isEmpty
        case .sentiment, .news: !articles.isEmpty
        case .options: optionChain != nil
        }
    }
}
