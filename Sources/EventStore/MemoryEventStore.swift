import FIMLCore
import Locking

/// The event stream in memory: it ends with the process.
public final class MemoryEventStore: EventStore {
    private struct State {
        var events: [StoredEvent] = []
        var start = 0
        var last = StreamPosition.zero
        var earliest = StreamPosition.zero
        var states: [String: [UInt8]] = [:]

        func firstIndex(after position: StreamPosition) -> Int {
            events[start...].firstIndex(after: position) { $0.position }
        }
    }

    private let capacity: Int
    private let state = Locked(State())

    /// An empty store for so many events; the oldest make room for more.
    public init(capacity: Int) {
        precondition(capacity > 0)
        self.capacity = capacity
    }

    /// `memory`.
    public var kind: String { "memory" }

    /// Nothing is there; positions begin at `now`, so that they go on growing over a restart.
    public func open(now: Int64) -> StoreContents {
        state.withLock { state in
            state.last = StreamPosition(milliseconds: UInt64(clamping: now), sequence: 0)
            state.earliest = state.last
            return StoreContents(
                earliest: state.earliest, last: state.last, count: 0, firing: [], states: [:])
        }
    }

    /// See `EventStore`. Never fails.
    public func append(_ submissions: [Submission], now: Int64) -> [Appended] {
        state.withLock { state in
            submissions.map { submission in
                state.states.merge(submission.states) { $1 }
                return .stored(
                    submission.events.map { event in
                        state.last = state.last.next(at: now)
                        state.events.append(StoredEvent(position: state.last, json: event.json))
                        return state.last
                    })
            }
        }
    }

    /// See `EventStore`.
    public func read(after position: StreamPosition, limit: Int) -> StoredPage {
        state.withLock { state in
            let first = state.firstIndex(after: position)
            return StoredPage(
                earliest: state.earliest,
                events: Array(state.events[first..<min(first + limit, state.events.count)]))
        }
    }

    /// See `EventStore`.
    public func read(before position: StreamPosition, limit: Int) -> [StoredEvent] {
        state.withLock { state in
            var end = state.firstIndex(after: position)
            if end > state.start, state.events[end - 1].position == position { end -= 1 }
            return state.events[max(state.start, end - limit)..<end].reversed()
        }
    }

    /// See `EventStore`; never more than the store's capacity.
    public func trim(toNewest count: Int, storedSince moment: Int64?) -> (
        earliest: StreamPosition, count: Int
    ) {
        state.withLock { state in
            let count = min(count, capacity)
            let oldest = moment.map { UInt64(clamping: $0) } ?? 0
            while state.start < state.events.count,
                state.events.count - state.start > count
                    || state.events[state.start].position.milliseconds < oldest
            {
                state.earliest = state.events[state.start].position
                state.start += 1
            }
            if state.start > capacity {
                state.events.removeFirst(state.start)
                state.start = 0
            }
            return (state.earliest, state.events.count - state.start)
        }
    }

    /// Nothing is left to do.
    public func close() {}
}
