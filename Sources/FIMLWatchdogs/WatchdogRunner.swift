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
/// oldest check is left out and counted.
actor WatchdogRunner {
    /// Events handed on in one go.
    private static let deliveredEvents = 256

    private let policy: CheckPolicy
    private let observer: (any WatchdogObserver)?
    private let publish: @Sendable ([WatchdogEvent]) async -> Void
    private let didTell: @Sendable () async -> Void
    private var watchdog: any Watchdog
    private var isEnabled: Bool
    private var schedule: CheckSchedule
    private var events: EventStream
    private var figures: WatchdogMetrics
    private var lastMoment: MarketMoment?
    private var startedAt = ContinuousClock.now
    private var lastCheckAt = ContinuousClock.now
    private var lastInputAt = ContinuousClock.now
    private var timeLimit = TimeLimit()
    /// Grows when it is switched, restarted or exchanged: a check that began before counts for nothing.
    private var generation = 0
    private var underWay: Task<Void, Never>?
    private var delivery: Task<Void, Never>?
    /// What fires and has been told: what is kept over a restart.
    private(set) var told: [Condition]
    private var queue: CheckQueue

    init(
        _ watchdog: any Watchdog, policy: CheckPolicy, lifeCycle: LifeCycle, conditions: [Condition],
        observer: (any WatchdogObserver)?, didTell: @escaping @Sendable () async -> Void = {},
        publish: @escaping @Sendable ([WatchdogEvent]) async -> Void
    ) {
        self.watchdog = watchdog
        self.policy = policy
        self.observer = observer
        self.publish = publish
        self.didTell = didTell
        isEnabled = watchdog.schedule.isEnabled
        schedule = CheckSchedule(intervalSeconds: watchdog.schedule.intervalSeconds)
        events = EventStream(watchdog: watchdog.name, lifeCycle: lifeCycle, conditions: conditions)
        told = conditions
        queue = Self.makeQueue(policy)
        figures = WatchdogMetrics(name: watchdog.name, status: .stale)
    }

    // MARK: - Control

    /// Begins anew with an empty queue; the next moment is due. What was restored and nobody will judge ends.
    func start() async {
        queue = Self.makeQueue(policy)
        forget()
        await endUnwatched()
    }

    /// Switches it on, or off: then it is not checked and what fires ends.
    func enable(_ isOn: Bool) async {
        guard isEnabled != isOn else { return }
        isEnabled = isOn
        forget()
        await endUnwatched()
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
        await endUnwatched()
    }

    /// Ends what fires and will not be judged any more.
    func endUnwatched(isOff: Bool = false) async {
        let moment = lastMoment?.time ?? Timestamp(milliseconds: wallMilliseconds())
        if isOff || !isEnabled {
            await deliver(counted(events.resolveAll(at: moment, reason: "watchdog_disabled")))
        } else if let subjects = watchdog.subjects {
            await deliver(counted(events.resolve(allBut: subjects, at: moment)))
        }
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
        guard isEnabled, schedule.isDue(at: moment) else { return }
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
        let begin = ContinuousClock.now
        var judgements: [Judgement]?
        var failure: String?
        do {
            judgements = try await answer(at: moment.time)
        } catch {
            failure = String(describing: error)
        }
        // Meanwhile it may have been stopped, switched off, restarted or exchanged.
        if Task.isCancelled || begun != generation { return }
        let seconds = begin.duration(to: .now) / .seconds(1)
        lastCheckAt = .now
        if judgements?.isEmpty == false || failure == nil && !watchdog.expectsFigures(at: moment.time) {
            lastInputAt = .now
            figures.hasJudged = true
        }
        let newEvents = judgements.map { events.apply($0, at: moment.time) } ?? []
        figures.count(
            checkAt: moment.time, seconds: seconds, judgements: judgements, error: failure, events: newEvents)
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
        await deliver(counted(events.resolveAll(at: lastMoment.time, reason: "recording_jumped")))
    }

    private func counted(_ newEvents: [WatchdogEvent]) -> [WatchdogEvent] {
        figures.count(newEvents)
        return newEvents
    }

    /// Hands events on, after all that were handed on before; then what fires counts as told.
    private func deliver(_ newEvents: [WatchdogEvent]) async {
        guard !newEvents.isEmpty else { return }
        for event in newEvents where event.isDetection {
            observer?.detected(watchdog.name, severity: event.severity)
        }
        let conditions = events.conditions
        let task = Task { [publish, didTell, previous = delivery] in
            await previous?.value
            for start in stride(from: 0, to: newEvents.count, by: Self.deliveredEvents) {
                await publish(Array(newEvents[start..<min(start + Self.deliveredEvents, newEvents.count)]))
            }
            self.told = conditions
            await didTell()
        }
        delivery = task
        await task.value
    }

    // MARK: - What others see

    /// The figures as of now.
    var metrics: WatchdogMetrics {
        var metrics = figures
        metrics.status = figures.status(
            isEnabled: isEnabled, failureThreshold: policy.failureThreshold,
            sinceLastInput: lastInputAt.duration(to: .now), staleAfter: staleAfter)
        metrics.secondsSinceLastCheck = lastCheckAt.duration(to: .now) / .seconds(1)
        metrics.secondsSinceLastInput = lastInputAt.duration(to: .now) / .seconds(1)
        metrics.alarmAfterSeconds = alarmAfterSeconds
        metrics.uptimeSeconds = isEnabled ? startedAt.duration(to: .now) / .seconds(1) : 0
        return metrics
    }

    /// Without input for so long it is stale.
    private var staleAfter: Duration {
        max(policy.staleAfter, .seconds(2 * watchdog.schedule.intervalSeconds))
    }

    /// From when on being stale is an alarm: while it has not judged anything yet, its warm-up counts too.
    private var alarmAfterSeconds: Double {
        let seconds = staleAfter / .seconds(1)
        return figures.hasJudged ? seconds : max(seconds, Double(watchdog.warmUpSeconds))
    }

    /// What fires.
    var conditions: [Condition] { events.conditions }
}
