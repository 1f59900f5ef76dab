import FIMLCore

/// Ends a subscription to a manager's events when it is cancelled. Forgetting it does not end it.
public struct EventSubscription: Sendable {
    fileprivate let id: Int
    fileprivate let subscribers: EventSubscribers

    /// No more events are delivered once this returns, but for the one that is being handled.
    public func cancel() async {
        await subscribers.remove(id)
    }
}

/// Who receives a manager's events: first the publisher, which may hold its watchdog back, then callbacks,
/// which hold up nobody.
actor EventSubscribers {
    /// Events that wait for one callback at most.
    static let queuedEvents = 1_000

    private struct Subscriber {
        let filter: EventFilter
        let events: AsyncStream<WatchdogEvent>.Continuation
        let task: Task<Void, Never>
    }

    private let publish: @Sendable (WatchdogNews) async -> NewsOutcome
    private var subscribers: [Int: Subscriber] = [:]
    private var lastID = 0

    init(_ publish: @escaping @Sendable (WatchdogNews) async -> NewsOutcome) {
        self.publish = publish
    }

    /// How many callbacks there are.
    var count: Int { subscribers.count }

    func add(
        _ filter: EventFilter, _ callback: @escaping @Sendable (WatchdogEvent) async -> Void
    ) -> EventSubscription {
        lastID += 1
        let (stream, continuation) = AsyncStream<WatchdogEvent>.makeStream(
            bufferingPolicy: .bufferingNewest(Self.queuedEvents))
        let task = Task { for await event in stream { await callback(event) } }
        subscribers[lastID] = Subscriber(filter: filter, events: continuation, task: task)
        return EventSubscription(id: lastID, subscribers: self)
    }

    func remove(_ id: Int) {
        guard let subscriber = subscribers.removeValue(forKey: id) else { return }
        subscriber.events.finish()
        subscriber.task.cancel()
    }

    /// Callbacks receive only what the publisher has taken.
    func deliver(_ news: WatchdogNews) async -> NewsOutcome {
        let outcome = await publish(news)
        guard outcome == .taken else { return outcome }
        for event in news.events {
            let matchable = MatchableEvent(event)
            for subscriber in subscribers.values where subscriber.filter.matches(matchable) {
                subscriber.events.yield(event)
            }
        }
        return outcome
    }
}
