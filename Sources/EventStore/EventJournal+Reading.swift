import Broadcast
import FIMLCore
import LinuxSystem

// What was stored, read back: from memory where it is there, else from the store.
extension EventJournal {
    /// Whether other gateways write to the stream as well.
    public var isShared: Bool { store is any SharedEventStore }

    /// The newest position, and the earliest that can be resumed from.
    public var range: (earliest: StreamPosition, last: StreamPosition) {
        tail.withLock { ($0.earliest, $0.last) }
    }

    /// The last event of each condition that fires, in the order of their positions.
    public func firing() -> [Publication] {
        tail.withLock { $0.firing }.sorted { $0.position < $1.position }
    }

    /// How the store is.
    public func currentStatus() -> Status {
        var status = status.withLock { $0 }
        status.unreadable = (store as? any SharedEventStore)?.unreadableEntries ?? 0
        return status
    }

    /// How many pages were read back from the store.
    public var pagesRead: Int { pageCount.load(ordering: .relaxed) }

    /// The next events after a position; nil where they must be read from the store. Never waits.
    public func page(after position: StreamPosition) -> EventPage? {
        tail.withLock { tail in
            tail.read(after: position, limit: EventPage.limit).map {
                EventPage(earliest: tail.earliest, events: $0)
            }
        }
    }

    /// The same, wherever they are; may wait for the store, so it is for threads that may
    /// (`onReader`). Throws where the store cannot be read.
    public func readPage(after position: StreamPosition) throws(StoreError) -> EventPage {
        if let page = page(after: position) { return page }
        let earliest = range.earliest
        guard position >= earliest else {
            return EventPage(earliest: earliest, events: [])
        }
        if let events = pages.page(after: position) {
            return EventPage(earliest: earliest, events: events)
        }
        pageCount.add(1, ordering: .relaxed)
        // As it was before: what the store does not have behind the position is not there up to here.
        let begin = tail.withLock { $0.begin }
        let page = try reading { () throws(StoreError) in
            try store.read(after: position, limit: EventPage.limit)
        }
        let events = page.events.compactMap { Publication($0) }
        // What somebody else put there and is no event is passed over; a page of nothing else ends nothing.
        guard let lastRead = page.events.last?.position else {
            // All that is stored lies before what is in memory.
            return EventPage(
                earliest: max(earliest, page.earliest), events: [], cursor: max(begin, position))
        }
        pages.keep(events, after: position, upTo: lastRead)
        return EventPage(
            earliest: max(earliest, page.earliest), events: events, cursor: lastRead)
    }

    /// The position before the oldest of the last `count` events that a filter passes; that of the newest
    /// event where there are none, the earliest where there are fewer. Nil where the store must be looked at.
    public func position(beforeLast count: Int, matching filter: EventFilter) -> StreamPosition? {
        var search = BackwardSearch(count)
        return tail.withLock { $0.window }.position(beforeLast: count, &search) { filter.matches($0.event) }
    }

    /// The most events that a search for the last ones looks at in the store.
    public static let searchedEvents = 100_000

    /// The same, wherever they are; may wait for the store (`onSearcher`). Where `searchedEvents` do not hold
    /// as many, the position before those.
    public func findPosition(
        beforeLast count: Int, matching filter: EventFilter
    ) throws(StoreError) -> StreamPosition {
        var search = BackwardSearch(count)
        let window = tail.withLock { $0.window }
        let isWanted: (Publication) -> Bool = { filter.matches($0.event) }
        if let known = window.position(beforeLast: count, &search, where: isWanted) { return known }
        var cursor = window.begin.successor
        for _ in 0..<(Self.searchedEvents / EventPage.limit) {
            let events = try reading { () throws(StoreError) in
                try store.read(before: cursor, limit: EventPage.limit)
            }
            guard let oldest = events.last else {
                if search.isOver { return cursor.predecessor }
                return search.found > 0 ? range.earliest : window.last
            }
            for event in events.compactMap({ Publication($0) }) where search.isOver(event, isWanted) {
                return search.end ?? range.earliest
            }
            cursor = oldest.position
        }
        return cursor.predecessor
    }

    /// Lets the writer know of a store that must be opened anew.
    private func reading<Result>(_ read: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        do throws(StoreError) {
            return try read()
        } catch {
            if case .unusable = error { readerError.withLock { $0 = error } }
            throw error
        }
    }

    /// Does something that reads a page or so on one of the store's reading threads; false where too much
    /// waits there.
    public func onReader(_ job: @escaping @Sendable (EventJournal) -> Void) -> Bool {
        readers.run { [self] in job(self) }
    }

    /// Does something that may look at much of the store, on a thread for that; false where too much waits.
    public func onSearcher(_ job: @escaping @Sendable (EventJournal) -> Void) -> Bool {
        searchers.run { [self] in job(self) }
    }
}

/// Some events of the stream that follow each other.
public struct EventPage: Sendable {
    /// Events read in one go.
    public static let limit = 256

    /// Everything after this position could be read then.
    public var earliest: StreamPosition
    /// Oldest first.
    public var events: [Publication]
    /// Up to where the stream was looked through, where that is not the last of the events. A page without
    /// events and without this is the end of the stream.
    public var cursor: StreamPosition?
}
