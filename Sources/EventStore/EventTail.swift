import Broadcast
import FIMLCore

/// The newest events of the stream, ready to be sent, and what fires. A value without lock or clock; who
/// shares it between threads guards it.
struct EventTail: Sendable {
    private let capacity: Int
    /// Those from `start` on are held; what stands before is let go of now and then.
    private var publications: [Publication] = []
    private var start = 0
    /// What fires, by fingerprint.
    private var conditions: [String: Publication] = [:]

    /// The newest position of the stream.
    private(set) var last: StreamPosition
    /// The earliest that a reader can go on from: everything after it is here or in the store.
    private(set) var earliest: StreamPosition
    /// Everything after this position is here.
    private(set) var begin: StreamPosition

    /// Holds so many events, and none at first: those up to `last` are in the store.
    init(capacity: Int, earliest: StreamPosition, last: StreamPosition, firing: [Publication]) {
        precondition(capacity > 0)
        self.capacity = capacity
        self.earliest = earliest
        self.last = last
        begin = last
        for publication in firing { note(publication) }
    }

    /// Events that are here.
    var count: Int { publications.count - start }

    /// The last event of each condition that fires, in any order.
    var firing: [Publication] { Array(conditions.values) }

    /// Takes up the next event; lets go of the oldest beyond the capacity that are stored, which is all up to
    /// `stored`.
    mutating func append(_ publication: Publication, stored: StreamPosition) {
        publications.append(publication)
        last = publication.position
        note(publication)
        shrink(stored: stored)
    }

    /// Lets go of the oldest beyond the capacity, now that all up to `stored` is stored.
    mutating func shrink(stored: StreamPosition) {
        while count > capacity, publications[start].position <= stored {
            begin = publications[start].position
            start += 1
        }
        guard start > capacity else { return }
        publications.removeFirst(start)
        start = 0
    }

    /// The store has let go of what it had up to a position.
    mutating func trimmed(to position: StreamPosition) {
        earliest = max(earliest, position)
    }

    /// The stream goes on after `floor`, and nobody from before it. What fires stays, or is `firing`.
    mutating func restart(at floor: StreamPosition, firing: [Publication]? = nil) {
        (publications, start) = ([], 0)
        earliest = floor
        last = max(last, floor)
        begin = last
        guard let firing else { return }
        conditions = [:]
        for publication in firing { note(publication) }
    }

    /// The events after a position, oldest first, at most `limit`; nil where older ones are wanted than are
    /// here.
    func read(after position: StreamPosition, limit: Int) -> [Publication]? {
        guard position >= begin else { return nil }
        let first = publications[start...].firstIndex(after: position) { $0.position }
        return Array(publications[first..<min(first + limit, publications.count)])
    }

    /// What is here at this moment, to be looked through without the tail.
    var window: EventWindow {
        EventWindow(publications: publications[start...], begin: begin, earliest: earliest, last: last)
    }

    private mutating func note(_ publication: Publication) {
        let event = publication.event.event
        switch event.status {
        case .firing, .updated:
            guard conditions[event.fingerprint] != nil || conditions.count < StoreContents.firingLimit else {
                return
            }
            conditions[event.fingerprint] = publication
        case .resolved:
            conditions[event.fingerprint] = nil
        }
    }
}

/// The newest events as they were at a moment.
struct EventWindow {
    let publications: ArraySlice<Publication>
    /// Everything after this position, up to `last`, is here.
    let begin: StreamPosition
    let earliest: StreamPosition
    let last: StreamPosition

    /// The position before the oldest of the last `count` events that `isWanted`; that of the newest event
    /// where there are none, `earliest` where there are fewer. Nil where older ones than are here would have
    /// to be looked at: then `search` has been through these.
    func position(
        beforeLast count: Int, _ search: inout BackwardSearch, where isWanted: (Publication) -> Bool
    ) -> StreamPosition? {
        guard count > 0 else { return last }
        for publication in publications.reversed() {
            if search.isOver(publication, isWanted) { return search.end }
        }
        if search.isOver { return max(begin, earliest) }
        guard begin <= earliest else { return nil }
        return search.found > 0 ? earliest : last
    }
}

/// Looks for the last so many wanted events, from the newest on.
struct BackwardSearch {
    private let wanted: Int
    /// Wanted events seen so far.
    private(set) var found = 0
    /// The first position that is not among them, once it was seen.
    private(set) var end: StreamPosition?

    init(_ wanted: Int) {
        self.wanted = wanted
    }

    /// Whether there are as many as wanted.
    var isOver: Bool { found >= wanted }

    /// Looks at the next older event; whether the one before the last wanted one was that.
    mutating func isOver(_ publication: Publication, _ isWanted: (Publication) -> Bool) -> Bool {
        if isOver {
            end = publication.position
            return true
        }
        if isWanted(publication) { found += 1 }
        return false
    }
}
