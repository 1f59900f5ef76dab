import FIMLCore
import LinuxSystem
import MarketData

/// Is told of checks and events as they happen, for metrics. Must be quick.
public protocol WatchdogObserver: Sendable {
    /// A check ended after `seconds` of real time, all its tries together.
    func checkEnded(_ watchdog: WatchdogName, succeeded: Bool, seconds: Double)

    /// A condition began or rose; `resolved` events are not told.
    func detected(_ watchdog: WatchdogName, severity: Severity)

    /// A watchdog has another status than at the last look at its health.
    func statusChanged(
        _ watchdog: WatchdogName, from: WatchdogStatus, to: WatchdogStatus, reason: String)
}

/// Checks one watchdog, keeps its conditions and its figures.
///
/// It has a queue of the checks that are due. Never are two checks under way; where the queue is full, the
/// oldest check is left out and counted. It runs from when it is taken until it stands by.
actor WatchdogRunner {
    private let configuration: WatchdogManager.Configuration
    private let observer: (any WatchdogObserver)?
    private let publish: @Sendable (WatchdogNews) async -> NewsOutcome
    private var watchdog: any Watchdog
    private var isEnabled: Bool
    private var schedule: CheckSchedule
    private var events: EventStream
    private var alarm: HealthAlarm
    private var figures: WatchdogMetrics
    private var lastMoment: MarketMoment?
    private var lookedAt: Timestamp?
    private var startedAt = ContinuousClock.now
    private var lastCheckAt = ContinuousClock.now
    private var lastInputAt = ContinuousClock.now
    private var timeLimit = TimeLimit()
    private var queue: CheckQueue
    private var underWay: Task<Void, Never>?
    /// Grows when it is switched, restarted, exchanged or stands by: a check that began before counts for
    /// nothing.
    private var generation = 0

    private var isStarted = false
    /// With what it was taken; nil while it stands by.
    private var token: Int64?
    /// Grows when it is taken or stands by: news of before are not its own any more.
    private var tenure = 0
    /// Whether its conditions are those of a recording that has started over since.
    private var mustStartOver: Bool
    /// What fires once all that waits is told.
    private var handedOn: [Condition]
    private var waiting: [PendingNews] = []
    private var delivery: Task<Void, Never>?

    /// A runner in which `conditions` have been told already; one that stands by where they are nil.
    init(
        _ watchdog: any Watchdog, _ configuration: WatchdogManager.Configuration, conditions: [Condition]?,
        observer: (any WatchdogObserver)?,
        publish: @escaping @Sendable (WatchdogNews) async -> NewsOutcome
    ) {
        self.watchdog = watchdog
        self.configuration = configuration
        self.observer = observer
        self.publish = publish
        isEnabled = watchdog.schedule.isEnabled
        schedule = CheckSchedule(intervalSeconds: watchdog.schedule.intervalSeconds)
        (events, alarm) = Self.restored(conditions ?? [], of: watchdog.name, configuration)
        handedOn = events.conditions + alarm.conditions
        token = conditions == nil ? nil : 0
        mustStartOver = configuration.startsOver
        queue = Self.makeQueue(configuration.policy)
        figures = WatchdogMetrics(name: watchdog.name, status: .stale)
    }

    private static func restored(
        _ conditions: [Condition], of name: WatchdogName, _ configuration: WatchdogManager.Configuration
    ) -> (EventStream, HealthAlarm) {
        let alarms = conditions.filter { $0.event.type == .watchdogHealth }
        let events = EventStream(
            watchdog: name, lifeCycle: configuration.lifeCycle,
            conditions: conditions.filter { $0.event.type != .watchdogHealth })
        return (events, HealthAlarm(of: name, tellsStale: configuration.alarmsOnStale, conditions: alarms))
    }

    // MARK: - Life

    /// Begins anew with an empty queue; the next moment is due. What was restored and nobody will judge ends.
    func start() {
        isStarted = true
        queue = Self.makeQueue(configuration.policy)
        forget()
        endUnwatched()
    }

    /// Hands on what has changed without an event, and waits until all is told. No checks come any more.
    func stop() async {
        isStarted = false
        if token != nil, conditions != handedOn { handOn([], evenIfEmpty: true) }
        await settle()
    }

    /// Runs from now on, with `conditions` as told; the next moment is due. Does not wait for what it has to
    /// tell of them.
    func take(_ conditions: [Condition], token: Int64) {
        standBy()
        self.token = token
        (events, alarm) = Self.restored(conditions, of: watchdog.name, configuration)
        handedOn = self.conditions
        mustStartOver = configuration.startsOver
        if isStarted { endUnwatched() }
    }

    /// Stops at once and forgets all conditions, and what was not taken by the publisher yet.
    func standBy() {
        token = nil
        tenure += 1
        waiting = []
        delivery?.cancel()
        delivery = nil
        (events, alarm) = Self.restored([], of: watchdog.name, configuration)
        handedOn = []
        lastMoment = nil
        restart()
    }

    // MARK: - Control

    /// Switches it on, or off: then it is not checked and what fires ends.
    func enable(_ isOn: Bool) async {
        guard isEnabled != isOn else { return }
        isEnabled = isOn
        forget()
        endUnwatched()
        await settle()
    }

    /// Gives up the check under way, forgets failures and checks that wait; the next moment is due.
    /// Conditions stay.
    func restart() {
        forget()
        figures.consecutiveFailures = 0
        figures.lastError = nil
    }

    /// Goes on with another watchdog of the same name, as after a change of its settings: all is judged anew.
    func use(_ watchdog: any Watchdog) async {
        self.watchdog = watchdog
        isEnabled = watchdog.schedule.isEnabled
        restart()
        events.judgeAnew()
        endUnwatched()
        await settle()
    }

    /// Ends what fires and will not be judged any more.
    private func endUnwatched() {
        guard token != nil else { return }
        let moment = lastMoment?.time ?? Timestamp(milliseconds: wallMilliseconds())
        if mustStartOver {
            mustStartOver = false
            // Its own times are the only ones of the recording that are known before the first moment.
            let latest = events.conditions.map { max($0.observedAt, $0.toldAt) }.max()
            handOn(events.resolveAll(at: latest ?? moment, reason: "recording_started_over"))
        }
        if !configuration.isEnabled || !isEnabled {
            handOn(events.resolveAll(at: moment, reason: "watchdog_disabled"))
        } else if let subjects = watchdog.subjects {
            handOn(events.resolve(allBut: subjects, at: moment))
        }
        // Nobody looks at its health any more.
        if !configuration.isEnabled { handOn(alarm.look(at: metrics, moment: nextLook()).events) }
    }

    private func forget() {
        generation += 1
        underWay?.cancel()
        timeLimit = TimeLimit()
        schedule = CheckSchedule(intervalSeconds: watchdog.schedule.intervalSeconds)
        (startedAt, lastCheckAt, lastInputAt) = (.now, .now, .now)
        figures.hasJudged = false
    }

    /// Adds a check if one is due.
    func offer(_ moment: MarketMoment) {
        guard token != nil, isEnabled, schedule.isDue(at: moment) else { return }
        let check = DueCheck(moment: moment, generation: generation)
        if case .dropped = queue.continuation.yield(check) { figures.checksSkipped += 1 }
    }

    /// Makes the checks, one after the other, until the task is cancelled or `finish` was called.
    func drain() async {
        for await due in queue.stream where isEnabled && due.generation == generation {
            let task = Task { await self.check(at: due.moment) }
            underWay = task
            await withTaskCancellationHandler {
                await task.value
            } onCancel: {
                task.cancel()
            }
        }
    }

    /// No more checks will come.
    func finish() {
        queue.continuation.finish()
    }

    private struct DueCheck: Sendable {
        let moment: MarketMoment
        let generation: Int
    }

    private typealias CheckQueue = (
        stream: AsyncStream<DueCheck>, continuation: AsyncStream<DueCheck>.Continuation
    )

    private static func makeQueue(_ policy: CheckPolicy) -> CheckQueue {
        AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(max(1, policy.queuedChecks)))
    }

    // MARK: - A check

    /// One check and the events that come of it. Called one at a time, moments in order.
    func check(at moment: MarketMoment) async {
        let begun = generation
        await endLap(before: moment)
        if begun != generation { return }
        let begin = ContinuousClock.now
        var judgements: [Judgement]?
        var failure: String?
        do {
            judgements = try await answer(at: moment.time)
        } catch {
            failure = String(describing: error)
        }
        // Meanwhile it may have been stopped, switched off, restarted or exchanged, or stand by.
        if Task.isCancelled || begun != generation { return }
        let seconds = begin.duration(to: .now) / .seconds(1)
        lastCheckAt = .now
        if judgements?.isEmpty == false || failure == nil && !watchdog.expectsFigures(at: moment.time) {
            lastInputAt = .now
            figures.hasJudged = true
        }
        figures.count(checkAt: moment.time, seconds: seconds, judgements: judgements, error: failure)
        observer?.checkEnded(watchdog.name, succeeded: failure == nil, seconds: seconds)
        handOn(judgements.map { events.apply($0, at: moment.time) } ?? [])
        await settle()
    }

    /// The watchdog's answer, tried as often as the policy says; all tries share one time limit.
    private func answer(at moment: Timestamp) async throws -> [Judgement] {
        try await timeLimit.run(configuration.policy.timeLimit) { [policy = configuration.policy, watchdog] in
            for _ in 1..<policy.tries {
                do {
                    return try await watchdog.check(at: moment)
                } catch {
                    try await Task.sleep(for: policy.retryDelay)
                }
            }
            return try await watchdog.check(at: moment)
        }
    }

    /// When the market has started over, what fired in the lap before ends with it. Within a lap time only
    /// grows, so an earlier time means that the clock itself was started anew.
    private func endLap(before moment: MarketMoment) async {
        let before = lastMoment
        lastMoment = moment
        guard let before, before.lap != moment.lap || moment.time < before.time else { return }
        handOn(events.resolveAll(at: before.time, reason: "recording_jumped"))
        await settle()
    }

    // MARK: - News

    /// Queues events, and what fires after them, behind all that was handed on before. At the same moment as
    /// the conditions change, so that a state that is kept never runs ahead of its events.
    private func handOn(_ newEvents: [WatchdogEvent], evenIfEmpty: Bool = false) {
        guard !newEvents.isEmpty || evenIfEmpty else { return }
        let after = conditions
        waiting += PendingNews.pieces(newEvents, before: handedOn, after: after)
        handedOn = after
        if delivery == nil { delivery = Task { [tenure] in await self.deliver(tenure) } }
    }

    private func deliver(_ tenure: Int) async {
        while tenure == self.tenure, let token, let next = waiting.first {
            let outcome = await publish(
                WatchdogNews(
                    watchdog: watchdog.name, events: next.events, state: WatchdogState(next.conditions).bytes,
                    token: token))
            guard tenure == self.tenure else { return }
            switch outcome {
            case .taken:
                waiting.removeFirst()
                count(next.events)
            case .standDown: standBy()
            }
        }
        if tenure == self.tenure { delivery = nil }
    }

    private func count(_ told: [WatchdogEvent]) {
        let own = told.filter { $0.type != .watchdogHealth }
        figures.count(own)
        for event in own where event.isDetection {
            observer?.detected(watchdog.name, severity: event.severity)
        }
    }

    /// Waits until all that was handed on is told, or will not be.
    func settle() async {
        while let delivery { await delivery.value }
    }

    // MARK: - What others see

    /// Looks at its health and tells what has changed; while the publisher takes its time, waits for that.
    func lookAtHealth() async {
        guard token != nil else { return }
        let (change, newEvents) = alarm.look(at: metrics, moment: nextLook())
        if let change {
            observer?.statusChanged(change.watchdog, from: change.from, to: change.to, reason: change.reason)
        }
        handOn(newEvents)
        if !newEvents.isEmpty { await settle() }
    }

    /// The real time, which only grows here: a clock that is set back must not silence the alarm.
    private func nextLook() -> Timestamp {
        let wall = Timestamp(milliseconds: wallMilliseconds())
        let last = ([lookedAt] + alarm.conditions.map(\.observedAt)).compactMap(\.self).max()
        let moment = last.map { max(wall, $0.adding(seconds: 1)) } ?? wall
        lookedAt = moment
        return moment
    }

    /// The figures as of now.
    var metrics: WatchdogMetrics {
        let isOn = configuration.isEnabled && isEnabled
        var metrics = figures
        metrics.isStandingBy = token == nil
        metrics.status = figures.status(
            isEnabled: isOn, failureThreshold: configuration.policy.failureThreshold,
            sinceLastInput: lastInputAt.duration(to: .now), staleAfter: staleAfter)
        metrics.secondsSinceLastCheck = lastCheckAt.duration(to: .now) / .seconds(1)
        metrics.secondsSinceLastInput = lastInputAt.duration(to: .now) / .seconds(1)
        metrics.alarmAfterSeconds = alarmAfterSeconds
        metrics.uptimeSeconds = isOn && token != nil ? startedAt.duration(to: .now) / .seconds(1) : 0
        return metrics
    }

    /// Without input for so long it is stale.
    private var staleAfter: Duration {
        max(configuration.policy.staleAfter, .seconds(2 * watchdog.schedule.intervalSeconds))
    }

    /// From when on being stale is an alarm: while it has not judged anything yet, its warm-up counts too.
    private var alarmAfterSeconds: Double {
        let seconds = staleAfter / .seconds(1)
        return figures.hasJudged ? seconds : max(seconds, Double(watchdog.warmUpSeconds))
    }

    /// What fires, its own alarm last.
    var conditions: [Condition] { events.conditions + alarm.conditions }
}
