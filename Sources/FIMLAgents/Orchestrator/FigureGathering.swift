import Analysis
import FIMLCore
import LinuxSystem
import Locking
import MarketData

/// Gathers what the workers of one analysis need, each need once, when the first worker wants it.
final class FigureGathering: Sendable {
    /// What a need was met with, ready to be put into a worker's figures.
    private typealias Part = @Sendable (inout Figures, WorkerType) -> Void

    private static let articleLimit = 20

    private let asset: Asset
    private let market: AnalysisMarket
    private let barLimit: Int
    private let tasks = Locked<[DataNeed: Task<Part, Never>]>([:])

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
        for task in type.needs.map({ task($0, at: figures.moment) }) {
            await task.value(&figures, type)
        }
        return figures
    }

    private func task(_ need: DataNeed, at moment: Timestamp) -> Task<Part, Never> {
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
    ) async -> Part {
        do throws(MarketDataError) {
            switch need {
            case .bars:
                return await bars(of: asset, market, barLimit, moment)
            case .benchmarkBars:
                return await benchmarks(of: asset, market, moment)
            case .fundamentals:
                guard asset.assetType == .equity else {
                    throw MarketDataError(
                        "only companies report; \(asset.symbol) is \(asset.assetType.rawValue)")
                }
                let fundamentals = try await market.fundamentals.fundamentals(of: asset)
                return { figures, _ in figures.fundamentals = fundamentals }
            case .macro:
                return await observations(market)
            case .news:
                let articles = try await market.news.news(about: asset, limit: articleLimit)
                guard !articles.isEmpty else {
                    throw MarketDataError("there are no articles about \(asset.symbol)")
                }
                return { figures, _ in figures.articles = articles }
            case .optionChain:
                let chain = try await market.optionChains.optionChain(of: asset)
                return { figures, _ in figures.optionChain = chain }
            }
        } catch {
            let missing = MissingFigures(need, reason: error.description)
            return { figures, _ in figures.missing.append(missing) }
        }
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

    private static func bars(
        of asset: Asset, _ market: AnalysisMarket, _ limit: Int, _ moment: Timestamp
    ) async -> Part {
        let result = await bars(of: [asset], market, limit, moment).first
        switch result ?? .failure(MarketDataError("there are no bars of \(asset.symbol)")) {
        case .success(let bars):
            return { figures, type in figures.bars = Array(bars.suffix(type.barLimit)) }
        case .failure(let error):
            let missing = MissingFigures(.bars, reason: error.description)
            return { figures, _ in figures.missing.append(missing) }
        }
    }

    /// What an asset is compared with: the market first, which beta is against, then what usually moves
    /// apart from it.
    static func benchmarks(of asset: Asset, others: [Asset]) -> [Asset] {
        let etfs = ["SPY", "QQQ", "TLT", "GLD"].map { Asset(symbol: $0, assetType: .etf) }
        let coins = ["BTC", "ETH"].map { Asset(symbol: $0, assetType: .crypto, market: .crypto) }
        let all = asset.assetType == .crypto ? coins + [etfs[0], etfs[3]] : etfs
        var symbols: Set = [asset.symbol]
        return (all + others).filter { symbols.insert($0.symbol).inserted }
    }

    private static func benchmarks(
        of asset: Asset, _ market: AnalysisMarket, _ moment: Timestamp
    ) async -> Part {
        let assets = benchmarks(of: asset, others: market.otherBenchmarks)
        let results = await bars(of: assets, market, WorkerType.correlation.barLimit, moment)
        var found: [Figures.Benchmark] = []
        var missing: [MissingFigures] = []
        for (asset, result) in zip(assets, results) {
            switch result {
            case .success(let bars): found.append(Figures.Benchmark(asset, bars: bars))
            case .failure(let error):
                missing.append(MissingFigures(.benchmarkBars, asset.symbol, reason: error.description))
            }
        }
        let (benchmarks, lost) = (found, missing)
        return { figures, _ in
            figures.benchmarks = benchmarks
            figures.missing += lost
        }
    }

    // MARK: - The economy

    private static func observations(_ market: AnalysisMarket) async -> Part {
        let answers = await withTaskGroup(
            of: (MacroIndicator, Result<[MacroObservation], MarketDataError>).self
        ) { group in
            for indicator in MacroIndicator.allCases {
                group.addTask {
                    do throws(MarketDataError) {
                        return (indicator, .success(try await market.macro.observations(of: indicator)))
                    } catch {
                        return (indicator, .failure(error))
                    }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        return { figures, _ in
            for indicator in MacroIndicator.allCases {
                guard let result = answers[indicator] else { continue }
                switch result {
                case .success(let observations): figures.observations[indicator] = observations
                case .failure(let error):
                    figures.missing.append(
                        MissingFigures(.macro, indicator.rawValue, reason: error.description))
                }
            }
        }
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
