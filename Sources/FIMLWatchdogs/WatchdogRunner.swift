import FIMLCore
import MarketData

/// Is told of checks and events as they happen, for metrics. Must be quick.
public protocol WatchdogObserver: Sendable {
    /// A check ended after `seconds` of real time.
    func checkEnded(_ watchdog: WatchdogName, succeeded: Bool, seconds: Double)

    /// A condition began or rose; `resolved` events are not told.
    func detected(_ watchdog: WatchdogName, severity: Severity)
}

/// Checks one watchdog, keeps its conditions and its figures.
actor WatchdogRunner {
    private let watchdog: any Watchdog
    private let observer: (any WatchdogObserver)?
    private let publish: @Sendable ([WatchdogEvent]) async -> Void
    private var events: EventStream
    private var figures: WatchdogMetrics
    private var lastMoment: MarketMoment?
    private var startedAt = ContinuousClock.now
    private var lastCheckAt = ContinuousClock.now

    init(
        _ watchdog: any Watchdog, observer: (any WatchdogObserver)?,
        publish: @escaping @Sendable ([WatchdogEvent]) async -> Void
    ) {
        self.watchdog = watchdog
        self.observer = observer
        self.publish = publish
        events = EventStream(watchdog: watchdog.name)
        figures = WatchdogMetrics(name: watchdog.name, status: .stale)
    }

    /// Marks the beginning of its uptime.
    func started() {
        startedAt = .now
        lastCheckAt = .now
    }

    /// One check and the events that come of it. Called one at a time, moments in order.
    func check(at moment: MarketMoment) async {
        await endLap(before: moment)
        let begin = ContinuousClock.now
        var judgements: [Judgement]?
        var failure: String?
        do {
            judgements = try await watchdog.check(at: moment.time)
        } catch {
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

    /// Counts a check that was due and had to be left out.
    func countSkipped() {
        figures.checksSkipped += 1
    }

    /// The figures as of now.
    func metrics(failureThreshold: Int, staleAfter: Duration) -> WatchdogMetrics {
        var metrics = figures
        metrics.status = figures.status(
            isEnabled: watchdog.schedule.isEnabled, failureThreshold: failureThreshold,
            sinceLastCheck: lastCheckAt.duration(to: .now), staleAfter: staleAfter)
        metrics.uptimeSeconds = watchdog.schedule.isEnabled ? startedAt.duration(to: .now) / .seconds(1) : 0
        return metrics
    }

    /// When the market has started over, what fired in the lap before ends with it. Within a lap time only
    /// grows, so an earlier time means that the clock itself was started anew.
    private func endLap(before moment: MarketMoment) async {
        defer { lastMoment = moment }
        guard let lastMoment, lastMoment.lap != moment.lap || moment.time < lastMoment.time else { return }
        let resolved = events.resolveAll(at: lastMoment.time, reason: "recording_restarted")
        figures.count(resolved)
        await deliver(resolved)
    }

    private func deliver(_ newEvents: [WatchdogEvent]) async {
        guard !newEvents.isEmpty else { return }
        for event in newEvents where event.status != .resolved {
            observer?.detected(watchdog.name, severity: event.severity)
        }
        await publish(newEvents)
    }
}
