import FIMLCore
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
/// oldest check is left out and counted.
actor WatchdogRunner {
    /// How many due checks wait at most: a day of checks each minute.
    static let queuedChecks = 1_440

    private let policy: CheckPolicy
    private let observer: (any WatchdogObserver)?
    private let publish: @Sendable ([WatchdogEvent]) async -> Void
    private var watchdog: any Watchdog
    private var isEnabled: Bool
    private var schedule: CheckSchedule
    private var events: EventStream
    private var figures: WatchdogMetrics
    private var lastMoment: MarketMoment?
    private var startedAt = ContinuousClock.now
    private var lastCheckAt = ContinuousClock.now
    private var timeLimit = TimeLimit()
    private var queue = WatchdogRunner.makeQueue()

    init(
        _ watchdog: any Watchdog, policy: CheckPolicy, lifeCycle: LifeCycle, conditions: [Condition],
        observer: (any WatchdogObserver)?, publish: @escaping @Sendable ([WatchdogEvent]) async -> Void
    ) {
        self.watchdog = watchdog
        self.policy = policy
        self.observer = observer
        self.publish = publish
        isEnabled = watchdog.schedule.isEnabled
        schedule = CheckSchedule(intervalSeconds: watchdog.schedule.intervalSeconds)
        events = EventStream(watchdog: watchdog.name, lifeCycle: lifeCycle, conditions: conditions)
        figures = WatchdogMetrics(name: watchdog.name, status: .stale)
    }

    // MARK: - Control

    /// Begins anew with an empty queue; the next moment is due.
    func start() {
        queue = Self.makeQueue()
        schedule = CheckSchedule(intervalSeconds: watchdog.schedule.intervalSeconds)
        markStart()
    }

    /// Switches it on, or off: then it is not checked and what fires ends.
    func enable(_ isOn: Bool) async {
        guard isEnabled != isOn else { return }
        isEnabled = isOn
        markStart()
        guard !isOn else { return restart() }
        let moment = lastMoment?.time ?? Timestamp(milliseconds: 0)
        await deliver(counted(events.resolveAll(at: moment, reason: "watchdog_disabled")))
    }

    /// Forgets failures and a check that hangs; the next moment is due. Conditions stay.
    func restart() {
        timeLimit = TimeLimit()
        schedule = CheckSchedule(intervalSeconds: watchdog.schedule.intervalSeconds)
        figures.consecutiveFailures = 0
        figures.lastError = nil
        markStart()
    }

    /// Goes on with another watchdog of the same name, as after a change of its settings.
    func use(_ watchdog: any Watchdog) async {
        self.watchdog = watchdog
        restart()
        await enable(watchdog.schedule.isEnabled)
    }

    /// Adds a check if one is due.
    func offer(_ moment: MarketMoment) {
        guard isEnabled, schedule.isDue(at: moment) else { return }
        if case .dropped = queue.continuation.yield(moment) { figures.checksSkipped += 1 }
    }

    /// Makes the checks, one after the other, until the task is cancelled or `finish` was called.
    func drain() async {
        for await moment in queue.stream where isEnabled { await check(at: moment) }
    }

    /// No more checks will come.
    func finish() {
        queue.continuation.finish()
    }

    private func markStart() {
        startedAt = .now
        lastCheckAt = .now
    }

    private static func makeQueue() -> CheckQueue {
        AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(queuedChecks))
    }

    private typealias CheckQueue = (
        stream: AsyncStream<MarketMoment>, continuation: AsyncStream<MarketMoment>.Continuation
    )

    // MARK: - A check

    /// One check and the events that come of it. Called one at a time, moments in order.

    func check(at moment: MarketMoment) async {
        await endLap(before: moment)
        let begin = ContinuousClock.now
        var judgements: [Judgement]?
        var failure: String?
        do {
            judgements = try await answer(at: moment.time)
        } catch {
            if Task.isCancelled { return }
            failure = String(describing: error)
        }
        let seconds = begin.duration(to: .now) / .seconds(1)
        lastCheckAt = .now
        let newEvents = judgements.map { events.apply($0, at: moment.time) } ?? []
        figures.count(
            checkAt: moment.time, seconds: seconds, judged: judgements?.count, error: failure,
            events: newEvents)
        observer?.checkEnded(watchdog.name, succeeded: failure == nil, seconds: seconds)
        await deliver(newEvents)
    }

    /// The watchdog's answer, tried as often as the policy says; all tries share one time limit.
    private func answer(at moment: Timestamp) async throws -> [Judgement] {
        try await timeLimit.run(policy.timeLimit) { [policy, watchdog] in
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
        defer { lastMoment = moment }
        guard let lastMoment, lastMoment.lap != moment.lap || moment.time < lastMoment.time else { return }
        await deliver(counted(events.resolveAll(at: lastMoment.time, reason: "recording_restarted")))
    }

    private func counted(_ newEvents: [WatchdogEvent]) -> [WatchdogEvent] {
        figures.count(newEvents)
        return newEvents
    }

    private func deliver(_ newEvents: [WatchdogEvent]) async {
        guard !newEvents.isEmpty else { return }
        for event in newEvents where event.status != .resolved {
            observer?.detected(watchdog.name, severity: event.severity)
        }
        await publish(newEvents)
    }

    // MARK: - What others see

    /// The figures as of now.
    var metrics: WatchdogMetrics {
        var metrics = figures
        metrics.status = figures.status(
            isEnabled: isEnabled, failureThreshold: policy.failureThreshold,
            sinceLastCheck: lastCheckAt.duration(to: .now),
            staleAfter: max(policy.staleAfter, .seconds(2 * watchdog.schedule.intervalSeconds)))
        metrics.secondsSinceLastCheck = lastCheckAt.duration(to: .now) / .seconds(1)
        metrics.uptimeSeconds = isEnabled ? startedAt.duration(to: .now) / .seconds(1) : 0
        return metrics
    }

    /// What fires.
    var conditions: [Condition] { events.conditions }
}
