import FIMLCore
import MarketData

/// Checks watchdogs, each at its own interval of the market's time, and hands on their events.
///
/// Each watchdog has a task and a queue of its own, so that one that fails, is slow or hangs holds back no
/// other. Never are two checks of one watchdog under way; when its queue is full, the oldest check is left
/// out and counted.
public actor WatchdogManager {
    /// How many due checks of one watchdog wait at most: a day of checks each minute.
    private static let queuedChecks = 1_440

    /// What the manager itself goes by.
    public struct Configuration: Sendable {
        /// `WATCHDOG_GLOBAL_ENABLED`: off, nothing is checked.
        public var isEnabled: Bool
        /// `WATCHDOG_CONSECUTIVE_FAILURE_THRESHOLD`: so many failures in a row make a watchdog unhealthy.
        public var failureThreshold: Int
        /// Without a check for so long in real time, a watchdog is stale.
        public var staleAfter: Duration

        /// FIML's defaults: on, 3 failures, 300 seconds.
        public init(isEnabled: Bool = true, failureThreshold: Int = 3, staleAfter: Duration = .seconds(300)) {
            self.isEnabled = isEnabled
            self.failureThreshold = failureThreshold
            self.staleAfter = staleAfter
        }
    }

    private let configuration: Configuration
    private let watchdogs: [any Watchdog]
    private let runners: [WatchdogRunner]
    private let clock: any MarketClock
    private var tasks: [Task<Void, Never>] = []
    private var now: Timestamp?

    /// A manager of `watchdogs` on the time of `clock`. `publish` receives the events of one check at a time,
    /// in order for each watchdog; while it takes its time, only the watchdog whose events they are waits.
    public init(
        _ configuration: Configuration = .init(), watchdogs: [any Watchdog], clock: any MarketClock,
        observer: (any WatchdogObserver)? = nil, publish: @escaping @Sendable ([WatchdogEvent]) async -> Void
    ) {
        self.configuration = configuration
        self.watchdogs = watchdogs
        self.clock = clock
        runners = watchdogs.map { WatchdogRunner($0, observer: observer, publish: publish) }
    }

    /// Starts the enabled watchdogs. Does nothing when they run already or all are switched off.
    public func start() async {
        guard tasks.isEmpty, configuration.isEnabled else { return }
        for runner in runners { await runner.started() }
        // Another start may have come in between.
        guard tasks.isEmpty else { return }
        var queues: [CheckQueue] = []
        for (watchdog, runner) in zip(watchdogs, runners) where watchdog.schedule.isEnabled {
            let queue = CheckQueue(runner, watchdog.schedule, capacity: Self.queuedChecks)
            queues.append(queue)
            tasks.append(Task { await queue.drain() })
        }
        guard !queues.isEmpty else { return }
        tasks.append(
            Task { [clock, queues] in
                var queues = queues
                for await moment in clock.moments() {
                    self.tell(moment)
                    for index in queues.indices { await queues[index].offer(moment) }
                }
                for queue in queues { queue.finish() }
            })
    }

    /// Stops all checks, and returns when the last one under way has ended.
    public func stop() async {
        let running = tasks
        tasks = []
        for task in running { task.cancel() }
        for task in running { await task.value }
    }

    /// Waits until the clock has ended and all that was due is done; for a replay that does not loop.
    func finish() async {
        for task in tasks { await task.value }
    }

    /// The health of all watchdogs.
    public func health() async -> WatchdogHealthSummary {
        var metrics: [WatchdogMetrics] = []
        for runner in runners { metrics.append(await self.metrics(of: runner)) }
        return WatchdogHealthSummary(watchdogs: metrics, timestamp: now)
    }

    /// One watchdog's figures; nil for one that is not managed here.
    public func metrics(of name: WatchdogName) async -> WatchdogMetrics? {
        guard let index = watchdogs.firstIndex(where: { $0.name == name }) else { return nil }
        return await metrics(of: runners[index])
    }

    /// The manager's state and the health of all watchdogs.
    public func status() async -> WatchdogManagerStatus {
        let isRunning = !tasks.isEmpty
        return WatchdogManagerStatus(
            running: isRunning, runningWatchdogs: isRunning ? watchdogs.count { $0.schedule.isEnabled } : 0,
            health: await health())
    }

    private func metrics(of runner: WatchdogRunner) async -> WatchdogMetrics {
        var metrics = await runner.metrics(
            failureThreshold: configuration.failureThreshold, staleAfter: configuration.staleAfter)
        if !configuration.isEnabled { metrics.status = .disabled }
        return metrics
    }

    private func tell(_ moment: MarketMoment) {
        now = moment.time
    }
}

/// The checks of one watchdog that are due and not yet made.
private struct CheckQueue: Sendable {
    private let runner: WatchdogRunner
    private let moments: AsyncStream<MarketMoment>
    private let continuation: AsyncStream<MarketMoment>.Continuation
    private var schedule: CheckSchedule

    init(_ runner: WatchdogRunner, _ schedule: WatchdogSchedule, capacity: Int) {
        self.runner = runner
        self.schedule = CheckSchedule(intervalSeconds: schedule.intervalSeconds)
        (moments, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(capacity))
    }

    /// Adds a check if one is due.
    mutating func offer(_ moment: MarketMoment) async {
        guard schedule.isDue(at: moment) else { return }
        if case .dropped = continuation.yield(moment) { await runner.countSkipped() }
    }

    /// Makes the checks, one after the other, until the queue is finished or its task cancelled.
    func drain() async {
        for await moment in moments { await runner.check(at: moment) }
    }

    /// No more checks will come.
    func finish() {
        continuation.finish()
    }
}
