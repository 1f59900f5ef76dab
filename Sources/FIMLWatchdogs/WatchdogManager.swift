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
        /// Whether what fired when a watchdog ran last ends as soon as it is taken up: of a recording, which
        /// is at another place then. Such events say `recording_started_over` in their metadata.
        public var startsOver = false
        /// Whether all watchdogs wait until they are taken, as where one of several nodes runs each.
        public var startsStandingBy = false

        /// FIML's values.
        public init() {}

        /// As configured.
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
    private let subscribers: EventSubscribers
    private var tasks: [Task<Void, Never>] = []
    private var healthTasks: [Task<Void, Never>] = []
    private var now: Timestamp?
    private var isStarting = false
    private var problems: [WatchdogName: String] = [:]

    /// A manager of `watchdogs` on the time of `clock`, all of which it runs unless they start standing by.
    ///
    /// `states` is what was kept of earlier news, under any name; only those of `WatchdogNews.stateName` are
    /// read. `publish` receives one piece of news at a time, in order for each watchdog, and returns once
    /// they are kept with their state; while it takes its time, only the watchdog whose news they are waits.
    /// When its task is cancelled, since the watchdog stands by, it must give up soon; what it returns then
    /// counts for nothing.
    public init(
        _ configuration: Configuration = .init(), watchdogs: [any Watchdog], clock: any MarketClock,
        observer: (any WatchdogObserver)? = nil, states: [String: [UInt8]] = [:],
        publish: @escaping @Sendable (WatchdogNews) async -> NewsOutcome = { _ in .taken }
    ) {
        self.configuration = configuration
        self.clock = clock
        let subscribers = EventSubscribers(publish)
        self.subscribers = subscribers
        names = watchdogs.map(\.name)
        var problems: [WatchdogName: String] = [:]
        runners = watchdogs.map { watchdog in
            let name = watchdog.name
            var conditions: [Condition]?
            if !configuration.startsStandingBy {
                let state = WatchdogState(states[WatchdogNews.stateName(of: name)], of: name)
                problems[name] = state.problem
                conditions = state.conditions
            }
            return WatchdogRunner(
                watchdog, configuration, conditions: conditions, observer: observer,
                publish: { await subscribers.deliver($0) })
        }
        self.problems = problems
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

    /// Starts the enabled watchdogs that do not stand by. Does nothing when they run already; when all are
    /// switched off, ends what was kept of them. Does not wait for what there is to tell at once.
    public func start() async {
        guard tasks.isEmpty, !isStarting else { return }
        isStarting = true
        defer { isStarting = false }
        for runner in runners { await runner.start() }
        guard configuration.isEnabled else { return }
        tasks = runners.map { runner in Task { await runner.drain() } }
        tasks.append(
            Task { [clock, runners] in
                for await moment in clock.moments() {
                    self.tell(moment)
                    for runner in runners { await runner.offer(moment) }
                }
                for runner in runners { await runner.finish() }
            })
        // One each, so that news that cannot be kept hold up the look at no other.
        healthTasks = runners.map { [interval = configuration.healthCheckInterval] runner in
            Task {
                while (try? await Task.sleep(for: interval)) != nil { await runner.lookAtHealth() }
            }
        }
    }

    /// Stops all checks; those under way are given up. Returns once all that was found is published, and the
    /// newest state too where it changed since.
    public func stop() async {
        let running = tasks + healthTasks
        (tasks, healthTasks) = ([], [])
        for task in running { task.cancel() }
        await withTaskGroup { group in
            for runner in runners { group.addTask { await runner.stop() } }
        }
        for task in running { await task.value }
    }

    /// Waits until the clock has ended and all that was due is done and told; for a replay that does not
    /// loop.
    func finish() async {
        for task in tasks { await task.value }
        for runner in runners { await runner.settle() }
    }

    // MARK: - Who runs

    /// Runs a watchdog from now on, from the state that was kept last: nil where there is none. What was kept
    /// and will not be judged again is ended; the next moment of the clock is due. Settings that were changed
    /// while it stood by apply. False for one that is not managed here.
    ///
    /// `token` goes into its news, so that who keeps them can tell news of this lease from those of another.
    /// The state must have been read after the lease was given: nobody else can have changed it since.
    @discardableResult
    public func take(_ name: WatchdogName, state bytes: [UInt8]?, token: Int64 = 0) async -> Bool {
        guard let runner = runner(of: name) else { return false }
        let state = WatchdogState(bytes, of: name)
        problems[name] = state.problem
        await runner.take(state.conditions, token: token)
        return true
    }

    /// Stops a watchdog at once: a check under way counts for nothing, what was found and not yet published
    /// is dropped, and its conditions are forgotten, for whoever takes it next has them from what was kept.
    /// False for one that is not managed here.
    @discardableResult
    public func standBy(_ name: WatchdogName) async -> Bool {
        guard let runner = runner(of: name) else { return false }
        await runner.standBy()
        return true
    }

    // MARK: - Control

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

    /// The newest event of each condition that fires, of the watchdogs that run here.
    public func firing() async -> [WatchdogEvent] {
        var events: [WatchdogEvent] = []
        for runner in runners { events += await runner.conditions.map(\.event) }
        return events
    }

    /// Why the states of watchdogs could not be read when they were taken up, or not all of them: what they
    /// named is not known to fire. One line; nil where all could.
    public var persistenceProblem: String? {
        problems.isEmpty
            ? nil : names.compactMap { problems[$0] }.joined(separator: "; ")
    }

    /// The same of one watchdog.
    public func persistenceProblem(of name: WatchdogName) -> String? {
        problems[name]
    }

    // MARK: - Health

    /// The health of all watchdogs.
    public func health() async -> WatchdogHealthSummary {
        var metrics: [WatchdogMetrics] = []
        for runner in runners { metrics.append(await runner.metrics) }
        return WatchdogHealthSummary(watchdogs: metrics, timestamp: now)
    }

    /// One watchdog's figures; nil for one that is not managed here.
    public func metrics(of name: WatchdogName) async -> WatchdogMetrics? {
        guard let runner = runner(of: name) else { return nil }
        return await runner.metrics
    }

    /// The manager's state and the health of all watchdogs.
    public func status() async -> WatchdogManagerStatus {
        let health = await health()
        return WatchdogManagerStatus(
            running: !tasks.isEmpty, health: health, activeSubscribers: await subscribers.count)
    }

    private func runner(of name: WatchdogName) -> WatchdogRunner? {
        names.firstIndex(of: name).map { runners[$0] }
    }

    private func tell(_ moment: MarketMoment) {
        now = moment.time
    }
}
