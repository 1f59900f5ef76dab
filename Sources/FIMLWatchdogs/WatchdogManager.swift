import Configuration
import FIMLCore
import LinuxSystem
import MarketData

/// Checks watchdogs, each at its own interval of the market's time, and hands on their events.
///
/// Each watchdog has a task and a queue of its own, so that one that fails, is slow or hangs holds back no
/// other.
///
///     let manager = WatchdogManager(settings, assets: assets, market: sources, clock: clock)
///     await manager.start()
///     let critical = try EventFilter.parse(["severities": ["critical"]])
///     await manager.subscribe(to: critical) { print($0.description) }
///     print(await manager.health().unhealthy)
///     await manager.stop()
public actor WatchdogManager {
    /// How the manager itself goes about it.
    public struct Configuration: Sendable {
        /// `WATCHDOG_GLOBAL_ENABLED`: off, nothing is checked.
        public var isEnabled = true
        /// How hard a check is tried, and when a watchdog counts as unwell.
        public var policy = CheckPolicy()
        /// When a condition begins, is told again and ends.
        public var lifeCycle = LifeCycle()
        /// How often all are looked at, to tell of those that are not well.
        public var healthCheckInterval = Duration.seconds(60)
        /// Whether a stale watchdog is an event: of a live market. A recording has no figures for most of its
        /// time.
        public var alarmsOnStale = true
        /// Where what fires is kept over a restart; nil keeps nothing, as for a recording, which starts over.
        public var conditionFile: ConditionFile?

        /// FIML's values; nothing is kept.
        public init() {}

        /// As configured; nothing is kept.
        public init(_ settings: Settings.Watchdogs) {
            isEnabled = settings.isEnabled
            policy = CheckPolicy(settings)
            lifeCycle.renotifySeconds = settings.renotifyAfter.components.seconds
            lifeCycle.flapCount = settings.flapCount
            healthCheckInterval = settings.healthCheckInterval
        }
    }

    private let configuration: Configuration
    private let names: [WatchdogName]
    private let runners: [WatchdogRunner]
    private let clock: any MarketClock
    private let observer: (any WatchdogObserver)?
    private let subscribers: EventSubscribers
    private var tasks: [Task<Void, Never>] = []
    private var healthTask: Task<Void, Never>?
    private var alarm: HealthAlarm
    private var lookedAt: Timestamp?
    private var now: Timestamp?
    private var isKeeping = false
    private var mustKeepAgain = false
    private var isStarting = false
    /// Why what fires could not be read or kept the last time; nil where it could.
    public private(set) var persistenceProblem: String?

    /// A manager of `watchdogs` on the time of `clock`. `publish` receives the events of one check at a time,
    /// in order for each watchdog; while it takes its time, only the watchdog whose events they are waits.
    public init(
        _ configuration: Configuration = .init(), watchdogs: [any Watchdog], clock: any MarketClock,
        observer: (any WatchdogObserver)? = nil,
        publish: @escaping @Sendable ([WatchdogEvent]) async -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.clock = clock
        self.observer = observer
        var conditions: [WatchdogName: [Condition]] = [:]
        var alarms: [Condition] = []
        do {
            let kept = try configuration.conditionFile?.load() ?? (conditions: [], refused: 0)
            if kept.refused > 0 { persistenceProblem = "\(kept.refused) conditions could not be read" }
            alarms = kept.conditions.filter { $0.event.type == .watchdogHealth }
            conditions = Dictionary(grouping: kept.conditions, by: \.event.watchdog)
                .mapValues { $0.filter { $0.event.type != .watchdogHealth } }
        } catch {
            persistenceProblem = "\(error)"
        }
        alarm = HealthAlarm(tellsStale: configuration.alarmsOnStale, conditions: alarms)
        let subscribers = EventSubscribers(publish)
        self.subscribers = subscribers
        names = watchdogs.map(\.name)
        runners = watchdogs.map { watchdog in
            WatchdogRunner(
                watchdog, policy: configuration.policy, lifeCycle: configuration.lifeCycle,
                conditions: conditions[watchdog.name] ?? [], observer: observer,
                didTell: { await subscribers.told() }, publish: { await subscribers.deliver($0) })
        }
    }

    /// A manager of all eight watchdogs, as set, on `market` and the time of `clock`; nothing is kept over a
    /// restart. Their events go to who subscribes.
    public init(
        _ settings: Settings.Watchdogs, assets: WatchedAssets, market: MarketSources, clock: any MarketClock
    ) {
        self.init(
            Configuration(settings),
            watchdogs: WatchdogSet.all(settings, assets: assets, market: market), clock: clock)
    }

    // MARK: - Life

    /// Starts the enabled watchdogs. Does nothing when they run already; when all are switched off, ends what
    /// was kept of them.
    public func start() async {
        guard tasks.isEmpty, !isStarting else { return }
        isStarting = true
        defer { isStarting = false }
        await subscribers.afterTelling { [weak self] in await self?.keepConditions() }
        guard configuration.isEnabled else {
            for runner in runners { await runner.endUnwatched(isOff: true) }
            return
        }
        for runner in runners { await runner.start() }
        tasks = runners.map { runner in Task { await runner.drain() } }
        tasks.append(
            Task { [clock, runners] in
                for await moment in clock.moments() {
                    self.tell(moment)
                    for runner in runners { await runner.offer(moment) }
                }
                for runner in runners { await runner.finish() }
            })
        healthTask = Task { [interval = configuration.healthCheckInterval] in
            while (try? await Task.sleep(for: interval)) != nil { await self.lookAtHealth() }
        }
    }

    /// Stops all checks; those under way are given up.
    public func stop() async {
        let running = tasks + [healthTask].compactMap(\.self)
        (tasks, healthTask) = ([], nil)
        for task in running { task.cancel() }
        for task in running { await task.value }
        await keepConditions()
    }

    /// Waits until the clock has ended and all that was due is done; for a replay that does not loop.
    func finish() async {
        for task in tasks { await task.value }
    }

    /// Switches a watchdog on or off; false for one that is not managed here. What fires of one that is
    /// switched off ends.
    public func enable(_ name: WatchdogName, _ isOn: Bool) async -> Bool {
        guard let runner = runner(of: name) else { return false }
        await runner.enable(isOn)
        return true
    }

    /// Lets a watchdog start over: failures and a check that hangs are forgotten, the next moment is due,
    /// what fires stays. False for one that is not managed here.
    public func restart(_ name: WatchdogName) async -> Bool {
        guard let runner = runner(of: name) else { return false }
        await runner.restart()
        return true
    }

    /// Goes on with what `make` gives in the place of the watchdog of that name, as after a change of its
    /// settings; false where there is none. Made here, so that of two changes at once the later one stays.
    public func use(_ name: WatchdogName, _ make: @Sendable () -> any Watchdog) async -> Bool {
        guard let runner = runner(of: name) else { return false }
        await runner.use(make())
        return true
    }

    // MARK: - Events

    /// Calls `callback` with each event that passes `filter`, one after the other, until the subscription is
    /// cancelled. One that is slow holds nobody up: of more than 1,000 events that wait for it the oldest are
    /// left out.
    @discardableResult
    public func subscribe(
        to filter: EventFilter = .everything, _ callback: @escaping @Sendable (WatchdogEvent) async -> Void
    ) async -> EventSubscription {
        await subscribers.add(filter, callback)
    }

    /// The newest event of each condition that fires.
    public func firing() async -> [WatchdogEvent] {
        var events: [WatchdogEvent] = []
        for runner in runners { events += await runner.conditions.map(\.event) }
        return events + alarm.conditions.map(\.event)
    }

    // MARK: - Health

    /// The health of all watchdogs.
    public func health() async -> WatchdogHealthSummary {
        var metrics: [WatchdogMetrics] = []
        for runner in runners { metrics.append(await self.metrics(of: runner)) }
        return WatchdogHealthSummary(watchdogs: metrics, timestamp: now)
    }

    /// One watchdog's figures; nil for one that is not managed here.
    public func metrics(of name: WatchdogName) async -> WatchdogMetrics? {
        guard let runner = runner(of: name) else { return nil }
        return await metrics(of: runner)
    }

    /// The manager's state and the health of all watchdogs.
    public func status() async -> WatchdogManagerStatus {
        let health = await health()
        return WatchdogManagerStatus(
            running: !tasks.isEmpty, runningWatchdogs: tasks.isEmpty ? 0 : health.enabledWatchdogs,
            health: health, activeSubscribers: await subscribers.count)
    }

    private func runner(of name: WatchdogName) -> WatchdogRunner? {
        names.firstIndex(of: name).map { runners[$0] }
    }

    private func metrics(of runner: WatchdogRunner) async -> WatchdogMetrics {
        var metrics = await runner.metrics
        if !configuration.isEnabled { metrics.status = .disabled }
        return metrics
    }

    private func lookAtHealth() async {
        let metrics = await health().watchdogs
        let wall = Timestamp(milliseconds: wallMilliseconds())
        // A clock that is set back must not silence the alarm.
        let moment = lookedAt.map { max(wall, $0.adding(seconds: 1)) } ?? wall
        lookedAt = moment
        let (changes, events) = alarm.look(at: metrics, moment: moment)
        for change in changes {
            observer?.statusChanged(change.watchdog, from: change.from, to: change.to, reason: change.reason)
        }
        guard !events.isEmpty else { return }
        await subscribers.deliver(events)
        await subscribers.told()
    }

    private func tell(_ moment: MarketMoment) {
        now = moment.time
    }

    /// Writes what fires and has been told. Who comes while that is under way has it written once more.
    private func keepConditions() async {
        guard let file = configuration.conditionFile else { return }
        guard !isKeeping else {
            mustKeepAgain = true
            return
        }
        isKeeping = true
        repeat {
            mustKeepAgain = false
            var conditions = alarm.conditions
            for runner in runners { conditions += await runner.told }
            // The disk may be slow, and the manager is asked for health meanwhile.
            let writing = Task.detached { [conditions] in Result { try file.save(conditions) } }
            switch await writing.value {
            case .success: persistenceProblem = nil
            case .failure(let error): persistenceProblem = "\(error)"
            }
        } while mustKeepAgain
        isKeeping = false
    }
}
