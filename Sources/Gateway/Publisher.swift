import Broadcast
import EventLoop
import EventStore
import FIMLCore
import LinuxSystem
import Locking
import Transport

/// The one way into the stream: stores events, in one order for all loops, then hands them to every loop.
public final class Publisher: Sendable {
    /// Publications that may wait for one loop. At this bound nothing is taken in, and the publisher hears of
    /// it.
    static let mailboxLimit = 16_384
    /// Events read in one go, so that the lock is never held for long.
    static let pageEvents = 256

    private let store: Locked<MemoryEventStore>
    private let mailboxes: [Mailbox<LoopMessage>]
    private let broadcasts: Bool

    /// Publishes into a store of so many events and, where `broadcasts`, to loops.
    init(capacity: Int, mailboxes: [Mailbox<LoopMessage>], broadcasts: Bool) {
        store = Locked(MemoryEventStore(capacity: capacity, now: wallMilliseconds()))
        self.mailboxes = mailboxes
        self.broadcasts = broadcasts
    }

    /// Stores all of the events, or none where the loops are too far behind; then returns their positions.
    func publish(_ events: [WatchdogEvent]) -> [StreamPosition]? {
        guard mailboxes.allSatisfy({ $0.count + events.count <= Self.mailboxLimit }) else { return nil }
        let now = wallMilliseconds()
        let publishedAt = monotonicNanoseconds()
        // Posted under the lock, so that every loop sees them in the order of their positions. A round's
        // worth goes together, so that a subscriber who wants several is written to once; more do not, so
        // that loops write while the rest is stored, and a large batch does not fill every queue at once.
        return store.withLock { store in
            var positions: [StreamPosition] = []
            for start in stride(from: 0, to: events.count, by: Hub.roundCapacity) {
                let publications = events[start..<min(start + Hub.roundCapacity, events.count)].map {
                    store.append($0, now: now, publishedAt: publishedAt)
                }
                if broadcasts {
                    for mailbox in mailboxes {
                        mailbox.post(contentsOf: publications.map { .publication($0) })
                    }
                }
                positions += publications.map(\.position)
            }
            return positions
        }
    }

    /// Takes up what fired before a restart: snapshots name it, no subscriber is told.
    func restore(_ events: [WatchdogEvent]) {
        store.withLock { store in
            for event in events { store.restore(event) }
        }
    }

    /// Sends a message to every client of the event stream, whatever it has subscribed to.
    func tellEverybody(_ type: String, _ message: [UInt8]) {
        guard broadcasts else { return }
        for mailbox in mailboxes {
            mailbox.post(.task { loop in (loop.service as? LoopService)?.tellEverybody(type, message) })
        }
    }

    /// How many events can be read.
    var count: Int { store.withLock { $0.count } }

    /// The position of the newest event, and the earliest that can be resumed from.
    var range: (earliest: StreamPosition, last: StreamPosition) {
        store.withLock { ($0.earliest, $0.last) }
    }

    /// The next page of events after a position, oldest first, and the earliest position that could have been
    /// read from at that moment.
    func page(after position: StreamPosition) -> (earliest: StreamPosition, events: [Publication]) {
        store.withLock { ($0.earliest, $0.read(after: position, limit: Self.pageEvents)) }
    }

    /// See `MemoryEventStore.position(beforeLast:where:)`.
    func position(beforeLast count: Int, matching filter: EventFilter) -> StreamPosition {
        store.withLock { store in store.position(beforeLast: count) { filter.matches($0.event) } }
    }

    /// The last event of each condition that fires.
    func firing() -> [Publication] {
        store.withLock { $0.firing }
    }
}
