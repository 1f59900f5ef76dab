import Analysis
import Configuration
import FIMLCore
import Foundation
import LinuxSystem
import Locking

/// Has the workers judge assets: gathers what they need, gives each type's task to a worker, tries again
/// where one fails, and puts the findings together.
///
/// What is under way and what waits is bounded; the same asset asked twice at once is judged once; findings
/// count for a while, by their type.
public final class AgentOrchestrator: Sendable {
    /// How long a shutdown waits for the workers' ends.
    private static let endLimit = Duration.seconds(5)

    /// How the workers are.
    public let healthMonitor: WorkerHealthMonitor
    /// The types that are switched on, here.
    public let enabledTypes: [WorkerType]

    let settings: Settings
    let market: AnalysisMarket
    let interpreter: (any Interpreter)?
    let cache: ResultCache
    let keptFindings: KeptFindings?
    private let keptTasks: KeptTasks?
    let now: @Sendable () -> UInt64
    private let others: (any OtherGateways)?
    private let pools: [WorkerType: WorkerPool]
    private let line: AnalysisLine
    private let board: TaskBoard
    private let timeLimits = TimeLimits()
    let flights = Locked<[FlightKey: Flight<WorkerResult>]>([:])
    private let checking = Locked<Task<Void, Never>?>(nil)

    struct FlightKey: Hashable {
        let type: WorkerType
        let asset: Asset
    }

    /// An orchestrator as it is set, on a market, whose workers run in this process. Rules decide what
    /// figures mean.
    public convenience init(_ settings: Settings, market: AnalysisMarket) {
        self.init(
            settings, market: market,
            hosts: { type in
                let count = WorkerPool.size(of: type, settings.workers)
                return InProcessHost(type, workers: count) { WorkerSet.worker(type) }
            })
    }

    /// An orchestrator as it is set, on a market. `hosts` makes the place where the workers of a type run;
    /// those that are switched off may be at `others`. Without an interpreter rules decide what figures mean;
    /// without `keeping` results end with the process.
    public convenience init(
        _ settings: Settings, market: AnalysisMarket,
        hosts: @escaping @Sendable (WorkerType) -> any WorkerHost, others: (any OtherGateways)? = nil,
        interpreter: (any Interpreter)? = nil, observer: (any WorkerObserver)? = nil,
        keeping: ResultKeeping? = nil
    ) {
        self.init(
            settings, market: market, hosts: hosts, others: others, interpreter: interpreter,
            observer: observer, keeping: keeping, now: { monotonicMilliseconds() })
    }

    init(
        _ settings: Settings, market: AnalysisMarket, hosts: @Sendable (WorkerType) -> any WorkerHost,
        others: (any OtherGateways)? = nil, interpreter: (any Interpreter)?, observer: (any WorkerObserver)?,
        keeping: ResultKeeping? = nil,
        now: @escaping @Sendable () -> UInt64
    ) {
        self.settings = settings
        self.market = market
        self.interpreter = interpreter
        self.now = now
        enabledTypes = WorkerType.allCases.filter { settings.workers[isEnabled: $0.rawValue] }
        self.others = others
        let enabled = Set(enabledTypes)
        let pools = WorkerType.allCases.compactMap { type -> WorkerPool? in
            let elsewhere = others.map { RemoteHost(type: type, others: $0) }
            let host: (any WorkerHost)? = enabled.contains(type) ? hosts(type) : elsewhere
            guard let host else { return nil }
            return WorkerPool(
                type, settings.workers, host: host, elsewhere: elsewhere, observer: observer, now: now)
        }
        self.pools = Dictionary(pools.map { ($0.type, $0) }) { first, _ in first }
        healthMonitor = WorkerHealthMonitor(pools)
        cache = ResultCache(settings.analysis, now: now)
        line = AnalysisLine(places: settings.analysis.maxConcurrent, waiting: settings.analysis.maxQueued)
        keptFindings = keeping.map(KeptFindings.init)
        keptTasks = keeping.map {
            KeptTasks($0, limit: settings.analysis.timeout, ttl: settings.analysis.resultTTL)
        }
        board = TaskBoard(ttl: settings.analysis.resultTTL, now: now)
    }

    deinit {
        checking.withLock { $0 }?.cancel()
    }

    /// How many workers of a type there are, as it is set: half as many of those that are asked for more
    /// rarely.
    public static func workerCount(of type: WorkerType, _ settings: Settings.Workers) -> Int {
        WorkerPool.size(of: type, settings)
    }

    // MARK: - A life

    /// Begins to look at the workers' health each WORKER_HEALTH_CHECK_INTERVAL.
    public func initialize() async {
        let pools = healthMonitor.pools
        let interval = settings.workers.healthCheckInterval
        let task = Task {
            repeat {
                for pool in pools { pool.check() }
            } while (try? await Task.sleep(for: interval)) != nil
        }
        checking.withLock { before in
            before?.cancel()
            before = task
        }
    }

    /// From now on what is asked for is refused, and what waits for its turn is too.
    public func drain() {
        line.close()
    }

    /// Drains, waits for what is running, at most that long, and ends the workers, in five seconds more.
    public func shutdown(within limit: Duration = .seconds(5)) async {
        drain()
        checking.withLock { $0 }?.cancel()
        await wait(limit) { self.line.underWay == 0 }
        // Not children of this task, which would have to wait for one that hangs.
        let running = Locked(pools.count)
        for pool in pools.values {
            Task {
                await pool.shutDown()
                running.withLock { $0 -= 1 }
            }
        }
        await wait(Self.endLimit) { running.withLock { $0 } == 0 }
    }

    private func wait(_ limit: Duration, until isMet: () -> Bool) async {
        let end = ContinuousClock.now + limit
        while !isMet(), ContinuousClock.now < end {
            guard (try? await Task.sleep(for: .milliseconds(10))) != nil else { return }
        }
    }

    // MARK: - Analyses

    /// What the workers make of an asset: all that are switched on, or those of `agents`.
    public func analyzeAsset(
        _ asset: Asset, agents: [WorkerType]? = nil
    ) async throws(AnalysisRefusal) -> AssetAnalysis {
        let types = try types(agents)
        let ticket = try line.book()
        let progress = TaskProgress(taskID: "", asset: asset, totalSteps: types.count)
        let ended = await run(progress, types, ticket) { _ in }
        if let analysis = ended.analysis { return analysis }
        throw ended.refusal ?? .cancelled
    }

    /// Several assets at once, each within the same bounds; the answers in the order of the assets.
    public func analyzeMultiple(
        _ assets: [Asset], agents: [WorkerType]? = nil
    ) async -> [Result<AssetAnalysis, AnalysisRefusal>] {
        await withTaskGroup(of: (Int, Result<AssetAnalysis, AnalysisRefusal>).self) { group in
            for (index, asset) in assets.enumerated() {
                group.addTask { (index, await self.outcome(of: asset, agents)) }
            }
            let answers = await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
            return assets.indices.map { answers[$0] ?? .failure(.cancelled) }
        }
    }

    // By itself: what was written of a tuple before a wait for the rest of it is lost in optimised code
    // (Swift 6.3.1).
    private func outcome(
        of asset: Asset, _ agents: [WorkerType]?
    ) async -> Result<AssetAnalysis, AnalysisRefusal> {
        do throws(AnalysisRefusal) {
            return .success(try await analyzeAsset(asset, agents: agents))
        } catch {
            return .failure(error)
        }
    }

    /// The whole answer as JSON text, where everything that it is made of still counts; at once.
    public func cachedAnswer(_ asset: Asset, agents: [WorkerType]? = nil) -> [UInt8]? {
        guard let types = try? types(agents), !line.isClosed else { return nil }
        return cache.answer(asset, types)
    }

    /// Begins an analysis that can be asked after: its id. `told` hears of each worker that ends, and of the
    /// end, in order, from any thread.
    public func begin(
        _ asset: Asset, agents: [WorkerType]? = nil, told: (@Sendable (TaskProgress) -> Void)? = nil
    ) throws(AnalysisRefusal) -> String {
        let types = try types(agents)
        let ticket = try line.book()
        let id = "task_" + UUID().uuidString.lowercased()
        let progress = TaskProgress(taskID: id, asset: asset, totalSteps: types.count)
        let (board, keptTasks) = (board, keptTasks)
        let task = board.add(progress)
        keptTasks?.begun(task)
        let work = Task {
            let last = await run(progress, types, ticket) { progress in
                board.update(progress)
                told?(progress)
            }
            let ended = board.end(last)
            if let task = board.task(id) { keptTasks?.ended(task) }
            told?(ended)
        }
        board.started(id, work)
        return id
    }

    /// A task as it is; nil where there is none of that id, or its result is older than TASK_RESULT_TTL.
    public func task(_ id: String) -> AnalysisTask? {
        board.task(id)
    }

    /// Ends a task that has not ended, and gives it as it is then; nil where there is none.
    public func cancel(_ id: String) -> AnalysisTask? {
        board.cancel(id)
        return board.task(id)
    }

    /// A task that this process does not know, as the store has it; nil where there is none, or no store.
    public func keptTask(_ id: String) async -> KeptTask? {
        await keptTasks?.task(id)
    }

    /// Returns once what was said last of a task would outlive this process; after a moment also where that
    /// cannot be.
    public func settled(_ id: String) async {
        await keptTasks?.settled(id)
    }

    /// How full the cache of findings is, and how often it was of use.
    public var cacheFigures: CacheFigures { cache.figures() }

    private func types(_ agents: [WorkerType]?) throws(AnalysisRefusal) -> [WorkerType] {
        let available = availableTypes
        guard let agents else {
            if others != nil, available.isEmpty { throw .cutOff }
            return available
        }
        let off = agents.filter { !available.contains($0) }
        guard off.isEmpty else { throw .switchedOff(off) }
        return available.filter(agents.contains)
    }

    /// The types that can be asked for at this moment: those that are switched on, and those that other
    /// gateways offer.
    public var availableTypes: [WorkerType] {
        guard let others else { return enabledTypes }
        let offered = others.offeredTypes() ?? []
        return WorkerType.allCases.filter { enabledTypes.contains($0) || offered.contains($0) }
    }

    // MARK: - One analysis

    private func run(
        _ progress: TaskProgress, _ types: [WorkerType], _ ticket: AnalysisLine.Ticket,
        _ told: @escaping @Sendable (TaskProgress) -> Void
    ) async -> TaskProgress {
        var progress = progress
        let begun = now()
        let limit = settings.analysis.timeout
        guard await turn(of: ticket, within: limit) else {
            progress.refusal = Task.isCancelled ? .cancelled : line.isClosed ? .shuttingDown : .timedOut
            progress.status = progress.refusal == .cancelled ? .cancelled : .failed
            return progress
        }
        let entered = now()
        defer { line.leave(after: now() - min(entered, now())) }
        progress.status = .running
        told(progress)
        let left = limit - .milliseconds(Int64(clamping: now() - min(begun, now())))
        let results = await results(progress, types, within: left, told)
        guard !Task.isCancelled else {
            progress.status = .cancelled
            progress.refusal = .cancelled
            return progress
        }
        if !results.isEmpty, results.allSatisfy(isCutOff) {
            progress.status = .failed
            progress.refusal = .cutOff
            return progress
        }
        let analysis = AssetAnalysis(progress.asset, results, at: Timestamp(milliseconds: wallMilliseconds()))
        cache.keep(analysis, types)
        progress.completedSteps = types.count
        progress.status = .completed
        progress.analysis = analysis
        return progress
    }

    private func turn(of ticket: AnalysisLine.Ticket, within limit: Duration) async -> Bool {
        if line.isGranted(ticket) { return true }
        return await withTaskGroup(of: Bool?.self) { group in
            group.addTask { await self.line.turn(of: ticket) }
            group.addTask {
                _ = await self.timeLimits.pass(limit)
                return nil
            }
            let first = await group.next() ?? false
            group.cancelAll()
            if let first { return first }
            // Time is up, unless the turn came in the same moment.
            return await group.next().flatMap(\.self) ?? false
        }
    }

    /// One result a type; those that did not come in time are `timed_out`.
    private func results(
        _ start: TaskProgress, _ types: [WorkerType], within limit: Duration,
        _ told: @Sendable (TaskProgress) -> Void
    ) async -> [WorkerResult] {
        let asset = start.asset
        let gathering = FigureGathering(asset, market, for: types)
        return await withTaskGroup(of: WorkerResult?.self) { group in
            for type in types {
                group.addTask { await self.result(type, asset, gathering) }
            }
            group.addTask {
                _ = await self.timeLimits.pass(limit)
                return nil
            }
            var progress = start
            var results: [WorkerResult] = []
            var isLate = false
            while results.count < types.count, let next = await group.next() {
                guard var result = next else {
                    // Of the timer: those that still run say so at once.
                    isLate = !Task.isCancelled
                    group.cancelAll()
                    continue
                }
                if isLate, result.status == .cancelled { result = result.late(limit) }
                results.append(result)
                progress.completedSteps = results.count
                progress.step = TaskProgress.Step(
                    worker: result.type, status: result.status, durationMS: result.durationMS,
                    score: result.finding?.score)
                if !Task.isCancelled { told(progress) }
            }
            group.cancelAll()
            return results
        }
    }

    /// Whether there is no result because other gateways have the type's workers, and went.
    private func isCutOff(_ result: WorkerResult) -> Bool {
        guard result.status == .failed, let pool = pools[result.type] else { return false }
        return pool.isRemote && pool.hostStatus().state != .running
    }

    func pool(_ type: WorkerType) -> WorkerPool? { pools[type] }

    /// How many analyses are under way.
    var underWay: Int { line.underWay }
    /// How many wait for their turn.
    var waiting: Int { line.waiting }
}

extension WorkerResult {
    /// The same for who could not wait longer.
    fileprivate func late(_ limit: Duration) -> WorkerResult {
        var result = WorkerResult(type, asset, .timedOut, at: timestamp)
        result.error = "not there when the analysis had to end, after \(limit.components.seconds) s"
        result.durationMS = durationMS
        return result
    }
}
