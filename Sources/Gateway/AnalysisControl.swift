import Analysis
import Configuration
import FIMLAgents
import FIMLCore
import LinuxSystem
import Observability
import WebClient

/// The analysis workers at work: their processes, what is asked of them, their health and figures out to
/// everybody. Whatever the gateway knows of the orchestrator is in this file.
final class AnalysisControl: Sendable {
    /// Every worker that is switched on, by type and number, and those that stand for other gateways'.
    let workerIDs: [String]

    let state: GatewayState
    let orchestrator: AgentOrchestrator
    /// The other gateways' workers, and what this one's do for them; nil without a Redis that joins them.
    let sharing: WorkerSharing?
    private let model: AzureOpenAI
    private let enabled: [WorkerType]

    /// Sets everything up, and starts the workers' processes. Throws where the kernel gives no room for what
    /// watches them; a process that cannot be started is an unhealthy worker and no reason not to serve.
    init(_ state: GatewayState, _ feed: MarketFeed, keeping: ResultKeeping? = nil) throws {
        let settings = state.settings
        self.state = state
        let enabled = WorkerType.allCases.filter { settings.workers[isEnabled: $0.rawValue] }
        self.enabled = enabled
        let sharing = try WorkerSharing(state.cluster, state.log)
        self.sharing = sharing
        workerIDs = WorkerType.allCases.flatMap { type in
            guard enabled.contains(type) else {
                return sharing == nil ? [] : [AgentOrchestrator.remoteWorkerID(of: type)]
            }
            let count = AgentOrchestrator.workerCount(of: type, settings.workers)
            return (0..<count).map { type.idPrefix + "\($0)" }
        }
        let supervisor = try HostSupervisor()
        model = AzureOpenAI(settings.azureOpenAI, client: try WebClient()) {
            Timestamp(milliseconds: wallMilliseconds())
        }
        orchestrator = AgentOrchestrator(
            settings, market: feed.analysisMarket,
            hosts: { Self.host($0, settings.workers, supervisor, state) }, others: sharing?.exchange,
            interpreter: settings.azureOpenAI.isConfigured ? model : nil, observer: Observer(state: state),
            keeping: keeping)
        registerFigures()
        try sharing?.start(enabled, settings.workers, orchestrator)
    }

    /// Lets the workers run until the task is cancelled, and shows how they are.
    func run() async {
        await orchestrator.initialize()
        while !Task.isCancelled {
            show()
            guard (try? await Task.sleep(for: .seconds(1))) != nil else { break }
        }
    }

    /// From now on nothing new is begun, and what waits for its turn is refused.
    func drain() {
        sharing?.drain()
        orchestrator.drain()
    }

    /// How long the result of a task is kept.
    var resultSeconds: Int64 { state.settings.analysis.resultTTL.components.seconds }

    /// Ends the workers' processes. Whoever waited for an analysis has been answered or has gone by then.
    func shutDown() async {
        await orchestrator.shutdown(within: .zero)
        sharing?.stop()
    }

    // MARK: - Worker hosts

    private static func host(
        _ type: WorkerType, _ workers: Settings.Workers, _ supervisor: HostSupervisor,
        _ state: GatewayState
    ) -> any WorkerHost {
        let count = AgentOrchestrator.workerCount(of: type, workers)
        let arguments = [type.rawValue, "--workers", "\(count)"]
        // The kernel's name for the program that asks (proc_pid_exe(5)): the same one also after the file was
        // replaced by another version.
        let command =
            workers.executable.map { HostCommand(executable: $0, arguments: arguments) }
            ?? HostCommand(
                executable: "/proc/self/exe", name: "fiml-gateway", arguments: ["worker"] + arguments)
        return HostProcess(
            type, workers: count, command: command,
            limits: HostLimits(memoryMB: workers.memoryLimitMB, cpu: workers.cpuLimit),
            maxHeartbeatAge: workers.maxHeartbeatAge, supervisor: supervisor,
            onChange: { say($0, state) })
    }

    @Sendable private static func say(_ host: WorkerHostStatus, _ state: GatewayState) {
        let name = host.type.rawValue
        let log = state.log
        switch host.state {
        case .starting: log.debug("the process of the \(name) workers is started")
        case .running:
            log.info(
                "the \(name) workers run",
                ["process_id": .integer(Int(host.processID ?? 0)), "restarts": .integer(host.restarts)])
        case .restarting:
            log.warning(
                "the process of the \(name) workers is started again: \(host.lastExit ?? "it has ended")")
        case .stopped where state.isDraining.load(ordering: .relaxed):
            log.debug("the process of the \(name) workers was stopped")
        case .stopped:
            log.error("the process of the \(name) workers has ended for good; start the gateway anew")
        }
    }

    // MARK: - Analyses

    /// The whole answer, where every finding of it is still good; never waits.
    func cached(_ request: AnalysisRequest) -> [UInt8]? {
        guard let answer = orchestrator.cachedAnswer(request.asset, agents: request.agents) else {
            return nil
        }
        state.metrics.analyses["cached"].increment()
        return answer
    }

    /// The analysis as JSON, once all workers have ended.
    func analyze(_ request: AnalysisRequest) async throws(AnalysisProblem) -> [UInt8] {
        try checkEnabled(request.agents)
        do throws(AnalysisRefusal) {
            let analysis = try await orchestrator.analyzeAsset(request.asset, agents: request.agents)
            state.metrics.analyses["computed"].increment()
            return analysis.json
        } catch {
            throw refused(error)
        }
    }

    /// `{"analyses":[…]}` in the order of the assets; one that was refused has an `error` in its place.
    func analyze(_ request: AnalysisBatchRequest) async throws(AnalysisProblem) -> [UInt8] {
        try checkEnabled(request.agents)
        let results = await orchestrator.analyzeMultiple(request.assets, agents: request.agents)
        var writer = JSONWriter(capacity: 8192 * results.count)
        writer.beginObject()
        writer.name("analyses")
        writer.beginArray()
        for (asset, result) in zip(request.assets, results) {
            switch result {
            case .success(let analysis):
                state.metrics.analyses["computed"].increment()
                analysis.write(to: &writer)
            case .failure(let refusal):
                writer.beginObject()
                writer.member("asset", asset.symbol)
                writer.member("asset_type", asset.assetType)
                writer.member("error", refused(refusal).json)
                writer.endObject()
            }
        }
        writer.endArray()
        writer.endObject()
        return writer.bytes
    }

    /// Begins an analysis that goes on by itself; its task's id. `told` hears of each step, then of the end,
    /// in this order, from any thread.
    func begin(
        _ request: AnalysisRequest, told: (@Sendable (AnalysisNews) -> Void)? = nil
    ) throws(AnalysisProblem) -> String {
        try checkEnabled(request.agents)
        let hear: @Sendable (TaskProgress) -> Void = { [self] progress in
            for news in news(of: progress) { told?(news) }
        }
        do throws(AnalysisRefusal) {
            return try orchestrator.begin(request.asset, agents: request.agents, told: hear)
        } catch {
            throw refused(error)
        }
    }

    private func news(of progress: TaskProgress) -> [AnalysisNews] {
        var news: [AnalysisNews] = []
        let end = end(of: progress)
        if progress.step != nil || end == nil { news.append(.update(TaskUpdate(progress))) }
        if let end { news.append(end) }
        return news
    }

    /// How a task has ended; nil while it has not.
    private func end(of progress: TaskProgress) -> AnalysisNews? {
        switch progress.status {
        case .queued, .running: return nil
        case .completed, .failed, .cancelled:
            if let analysis = progress.analysis {
                state.metrics.analyses["computed"].increment()
                return .completed(taskID: progress.taskID, result: analysis.json)
            }
            return .refused(refused(progress.refusal ?? .cancelled))
        }
    }

    /// How a task is, as JSON, also one of before a restart or of another gateway; nil for one that never
    /// was, or was forgotten. A task that has just begun or ended is told once that would outlive this
    /// process.
    func task(_ id: String) async -> [UInt8]? {
        if orchestrator.task(id) != nil { await orchestrator.settled(id) }
        if let task = orchestrator.task(id) { return task.json }
        return switch await orchestrator.keptTask(id) {
        case .ended(let json), .running(let json, _): json
        case nil: nil
        }
    }

    /// Cancels a task that has not ended; how it is then. One of another gateway goes on running.
    func cancel(_ id: String) async -> KeptTask? {
        if let task = orchestrator.cancel(id) { return .ended(task.json) }
        return await orchestrator.keptTask(id)
    }

    /// How full the cache of findings is, and how often it was of use.
    var cacheFigures: CacheFigures { orchestrator.cacheFigures }
}

// MARK: - Health and figures

extension AnalysisControl {
    /// `{"workers":[…]}`: every worker's figures.
    func workers() -> JSONValue {
        ["workers": .array(orchestrator.healthMonitor.allMetrics().map(\.json))]
    }

    /// One worker's figures; nil for one that is not there.
    func worker(_ id: String) -> JSONValue? {
        orchestrator.healthMonitor.metrics(of: id)?.json
    }

    /// How long workers may take to start before that is a fault.
    private static let startMilliseconds: UInt64 = 30_000

    private func show() {
        let metrics = orchestrator.healthMonitor.allMetrics()
        let isStarting = monotonicMilliseconds() - state.startedAt < Self.startMilliseconds
        let counts = WorkerCounts(
            total: metrics.count, healthy: metrics.count { $0.status == .healthy },
            unhealthy: metrics.count { worker in
                switch worker.status {
                case .healthy, .degraded: false
                case .unhealthy, .shutdown: true
                case .initializing: !isStarting
                }
            })
        var summary = orchestrator.healthMonitor.healthSummary().json.members ?? [:]
        summary["open_circuits"] = .array(
            metrics.filter { $0.circuit != .closed }.map {
                ["worker_id": .string($0.id), "circuit": .string($0.circuit.rawValue)]
            })
        let workers = state.settings.workers
        summary["limits"] = [
            "memory_limit_mb": .integer(Int64(workers.memoryLimitMB)), "cpu_limit": .number(workers.cpuLimit),
        ]
        summary["language_model"] = model.status()
        let health = WorkerHealth(counts: counts, summary: JSONValue.object(summary).json)
        state.workerHealth.withLock { $0 = health }
    }

    private func registerFigures() {
        guard !workerIDs.isEmpty else { return }
        let registry = state.metrics.registry
        let monitor = orchestrator.healthMonitor
        let worker = MetricLabel("worker_id", workerIDs)
        @Sendable func host(_ type: String) -> WorkerHostStatus? {
            monitor.hosts().first { $0.type.rawValue == type }
        }
        registry.gauges(
            "worker_health_status", "1 where a worker is healthy, else 0.", label: worker
        ) { monitor.metrics(of: $0).map { $0.status == .healthy ? 1 : 0 } }
        registry.gauges(
            "worker_circuit_state", "0 where a worker's circuit is closed, 1 half open, 2 open.",
            label: worker
        ) { monitor.metrics(of: $0).map { $0.circuit == .closed ? 0 : $0.circuit == .open ? 2 : 1 } }
        guard !enabled.isEmpty else { return }
        let type = MetricLabel("worker_type", enabled.map(\.rawValue))
        registry.counters(
            "worker_host_restarts_total", "Times that the process of a type's workers was started again.",
            label: type
        ) { host($0).map { Double($0.restarts) } }
        registry.gauges(
            "worker_host_memory_bytes", "Resident memory of the process of a type's workers.", label: type
        ) { host($0).map { $0.memoryMB * 1_048_576 } }
        registry.counters(
            "worker_host_cpu_seconds_total", "Processor time of the processes of a type's workers.",
            label: type
        ) { host($0)?.cpuSeconds }
    }
}

extension TaskUpdate {
    fileprivate init(_ progress: TaskProgress) {
        self.init(
            taskID: progress.taskID, symbol: progress.asset.symbol, status: progress.status.rawValue,
            progress: progress.progress, completedSteps: progress.completedSteps,
            totalSteps: progress.totalSteps,
            step: progress.step.map {
                Step(
                    worker: $0.worker, status: $0.status.rawValue, durationMilliseconds: $0.durationMS,
                    score: $0.score)
            })
    }
}

/// Hands on what the orchestrator tells: figures to the metrics, changes of status to everybody.
private struct Observer: WorkerObserver {
    let state: GatewayState

    func taskEnded(_ type: WorkerType, status: String, seconds: Double) {
        state.metrics.workerTasks[type.rawValue, status].increment()
        state.metrics.workerTime[type.rawValue].observe(.seconds(seconds))
    }

    func circuitChanged(workerID: String, from: CircuitState, to: CircuitState) {
        let sentence = "the circuit of \(workerID) is \(to.rawValue), was \(from.rawValue)"
        if to == .open { state.log.warning(sentence) } else { state.log.info(sentence) }
    }

    func workerStatusChanged(
        workerID: String, type: WorkerType, from: WorkerStatus, to: WorkerStatus, reason: String
    ) {
        let sentence = "\(workerID) is \(to.rawValue), was \(from.rawValue): \(reason)"
        // That workers begin and end with the gateway is no news.
        guard to != .shutdown, from != .initializing || to != .healthy else {
            return state.log.debug(sentence)
        }
        if to == .unhealthy { state.log.warning(sentence) } else { state.log.info(sentence) }
        state.publisher.tellEverybody(
            "status",
            ServerMessage.status(
                timestamp: state.now(), scope: "worker", name: workerID, state: to.rawValue,
                previousState: from.rawValue, reason: reason))
    }
}

extension Gateway {
    /// Runs workers of one type on standard input and output, for the gateway that has started this process.
    public static func runWorkers(_ type: WorkerType, count: Int) -> Never {
        WorkerHostProgram.run(type, workers: count) { WorkerSet.worker(type) }
    }
}
