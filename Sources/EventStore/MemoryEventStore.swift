import Broadcast
import FIMLCore

/// The last events of the stream, in memory: it assigns positions, reads ranges, and knows what is firing.
///
/// A value without lock or clock; who shares it between threads guards it.
public struct MemoryEventStore: Sendable {
    /// Conditions that may be firing at once; one more is not listed among them (its events are stored all
    /// the same).
    public static let firingLimit = 10_000

    private let capacity: Int
    /// A ring once it is full: the oldest stands at `start`.
    private var publications: [Publication] = []
    private var start = 0
    /// What fires, by fingerprint.
    private var conditions: [String: Publication] = [:]

    /// The last position assigned.
    public private(set) var last: StreamPosition
    /// Everything after this position is still here: the earliest that a reader can go on from.
    public private(set) var earliest: StreamPosition

    /// An empty store for so many events. Its positions begin at `now`, milliseconds since 1970, so that they
    /// go on growing over a restart.
    public init(capacity: Int, now: Int64) {
        precondition(capacity > 0)
        self.capacity = capacity
        last = StreamPosition(milliseconds: UInt64(clamping: now), sequence: 0)
        earliest = last
    }

    /// Events that are here.
    public var count: Int { publications.count }

    /// Stores an event at the next position. `now` as in `init`; a clock that goes back does not take
    /// positions along.
    public mutating func append(_ event: WatchdogEvent, now: Int64, publishedAt: UInt64) -> Publication {
        let now = UInt64(clamping: now)
        if now > last.milliseconds {
            last = StreamPosition(milliseconds: now, sequence: 0)
        } else {
            last.sequence += 1
        }
        let publication = Publication(
            position: last, event: MatchableEvent(event), severity: event.severity, publishedAt: publishedAt,
            message: ServerMessage.event(position: last, event: event))
        if publications.count < capacity {
            publications.append(publication)
        } else {
            earliest = publications[start].position
            publications[start] = publication
            start = (start + 1) % capacity
        }
        note(publication)
        return publication
    }

    /// Lists an event among what fires without storing it, as after a restart; it stands at the last position.
    public mutating func restore(_ event: WatchdogEvent) {
        note(
            Publication(
                position: last, event: MatchableEvent(event), severity: event.severity, publishedAt: 0,
                message: ServerMessage.event(position: last, event: event)))
    }

    private mutating func note(_ publication: Publication) {
        let event = publication.event.event
        switch event.status {
        case .firing, .updated:
            guard conditions[event.fingerprint] != nil || conditions.count < Self.firingLimit else { return }
            conditions[event.fingerprint] = publication
        case .resolved:
            conditions[event.fingerprint] = nil
        }
    }

    /// The events after a position, oldest first, at most `limit`.
    public func read(after position: StreamPosition, limit: Int) -> [Publication] {
        let first = firstIndex(after: position)
        return (first..<min(first + limit, count)).map { self[$0] }
    }

    /// The position before the oldest of the last `count` events that `isWanted`; that of the newest event
    /// where there are none, `earliest` where there are fewer.
    public func position(beforeLast count: Int, where isWanted: (Publication) -> Bool) -> StreamPosition {
        guard count > 0 else { return last }
        var found = 0
        for index in stride(from: self.count - 1, through: 0, by: -1) where isWanted(self[index]) {
            found += 1
            if found == count { return index > 0 ? self[index - 1].position : earliest }
        }
        return found > 0 ? earliest : last
    }

    /// The last event of each condition that fires, in the order of their positions.
    public var firing: [Publication] {
        conditions.values.sorted { $0.position < $1.position }
    }

    /// From old to new: 0 is the oldest.
    private subscript(index: Int) -> Publication {
        publications[(start + index) % publications.count]
    }

    /// Positions grow with the index, so it is found by halving.
    private func firstIndex(after position: StreamPosition) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].position > position { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
