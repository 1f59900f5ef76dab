import Broadcast
import FIMLCore
import LinuxSystem
import Locking
import Synchronization

/// The event stream: what is submitted is stored first, then told to the loops, then answered.
///
///     a store of our own    submit ──► queue ──► writer ──► store ──► tail, loops ──► answer
///     a shared one          submit ──► queue ──► writer ──► store ··► follower ──► tail, loops ──► answer
///
/// A batch is what came while the one before was written, so that one commit serves many publishers. Where
/// the store is in trouble, publishers are refused at once; who would rather wait (`Patience.wait`) has its
/// events told without being stored, where the store can promise that nobody resumes over them, and they are
/// stored when it is well again.
public final class EventJournal: Sendable {
    /// How large it may grow.
    public struct Limits: Sendable {
        /// Events in memory.
        public var memoryEvents = 1_000
        /// Events that the store keeps.
        public var kept = 10_000
        /// How long it keeps them, in milliseconds; nil for as long as there is room.
        public var keptMilliseconds: Int64?
        /// Events beyond `kept` that may stay until the next trim.
        public var keptBeyond = 0
        /// Events that may wait for the store, and as many that may be told without it.
        public var waitingEvents = 10_000

        /// The defaults.
        public init() {}
    }

    /// What who submits would have in times of trouble.
    public enum Patience: Sendable {
        /// To be refused at once.
        case refuse
        /// To wait, or to have it told now and stored later.
        case wait
    }

    /// What became of a submission.
    public enum Outcome: Sendable {
        /// Stored and told, or on their way to everybody.
        case stored([StreamPosition])
        /// Told, and to be stored when the store is well again.
        case told([StreamPosition])
        /// The lease under which it was made is somebody else's by now.
        case fenced
        /// The store is in trouble; one sentence. Nothing was told.
        case refused(String)
        /// As much waits as may be: try again in a moment.
        case overloaded
    }

    /// What it tells whom it works for, from threads of its own.
    public struct Listener: Sendable {
        /// Events for all loops, in the order of their positions. May block while loops are behind.
        public var broadcast: @Sendable ([Publication]) -> Void
        /// The stream has a hole: what lay after `from` is not to be had up to `to`.
        public var lost: @Sendable (_ from: StreamPosition, _ to: StreamPosition) -> Void
        /// A sentence for the log about what was found in the store.
        public var notice: @Sendable (String) -> Void
        /// The store is in trouble, or (nil) well again; a sentence for the log.
        public var trouble: @Sendable (String?) -> Void

        /// A listener with every part given.
        public init(
            broadcast: @escaping @Sendable ([Publication]) -> Void,
            lost: @escaping @Sendable (StreamPosition, StreamPosition) -> Void = { _, _ in },
            notice: @escaping @Sendable (String) -> Void = { _ in },
            trouble: @escaping @Sendable (String?) -> Void = { _ in }
        ) {
            self.broadcast = broadcast
            self.lost = lost
            self.notice = notice
            self.trouble = trouble
        }
    }

    /// How it is.
    public struct Status: Sendable {
        /// `memory`, `sqlite` or `redis`.
        public var kind: String
        /// Whether other gateways append to it as well.
        public var isShared: Bool
        /// What is wrong; nil where nothing is.
        public var trouble: String?
        /// Why others' events cannot be seen now; nil where they can.
        public var followTrouble: String?
        /// Since when, milliseconds since 1970.
        public var troubleSince: Int64?
        /// Events that are stored.
        public var count: Int
        /// Submitted events that wait for the store.
        public var waiting: Int
        /// Events that were told and are not stored yet.
        public var unstored: Int
        /// Events of a shared store that could not be read and were left out.
        public var unreadable: Int
    }

    /// What was kept with events, by name, as of the start.
    public let states: [String: [UInt8]]
    let store: any EventStore
    let limits: Limits
    let listener: Listener
    let tail: Locked<EventTail>
    let status: Locked<Status>
    let pages = PageCache()
    private let readers: StoreThreads
    private let readerError = Locked<StoreError?>(nil)
    /// See `remember`.
    let known = Locked<[String: [UInt8]]>([:])
    private let pageCount = Atomic<Int>(0)
    private let writer: JournalWriter
    let follower: JournalFollower?

    /// Opens the store and takes up what is there; `start` is to follow. Throws where the store cannot be
    /// used, or a thread cannot be had.
    public init(store: any EventStore, limits: Limits, listener: Listener) throws {
        self.store = store
        self.limits = limits
        self.listener = listener
        let contents = try store.open(now: wallMilliseconds())
        states = contents.states
        Self.tellNotices(of: store, listener)
        tail = Locked(
            EventTail(
                capacity: limits.memoryEvents, earliest: contents.earliest, last: contents.last,
                firing: contents.firing.compactMap { Publication($0) }))
        status = Locked(
            Status(
                kind: store.kind, isShared: store is any SharedEventStore, trouble: nil, followTrouble: nil,
                troubleSince: nil, count: contents.count,
                waiting: 0,
                unstored: 0, unreadable: 0))
        readers = try StoreThreads(name: "store-reader", count: 2)
        writer = JournalWriter(stored: contents.last)
        follower = (store as? any SharedEventStore).map { JournalFollower($0) }
    }

    /// Starts its threads. Submissions made before are not lost.
    public func start() throws(SystemCallError) {
        try writer.start(self)
        try follower?.start(self)
    }

    /// Stores what waits, as far as the store takes it, and ends. Whoever is not answered by then is refused.
    public func stop() {
        writer.stop()
        follower?.stop()
        readers.stop()
        store.close()
    }

    // MARK: - Writing

    /// Submits events; `answer` is called once, from any thread, and must be quick.
    public func submit(
        _ submission: Submission, _ patience: Patience, _ answer: @escaping @Sendable (Outcome) -> Void
    ) {
        writer.submit([(submission, answer)], patience, self)
    }

    /// Submits what came together, so that it is stored and told together; as `submit` for each.
    public func submit(
        _ submissions: [(Submission, answer: @Sendable (Outcome) -> Void)], _ patience: Patience
    ) {
        writer.submit(submissions, patience, self)
    }

    /// Submits events and waits for the outcome.
    public func submit(_ submission: Submission, _ patience: Patience) async -> Outcome {
        await withCheckedContinuation { continuation in
            submit(submission, patience) { continuation.resume(returning: $0) }
        }
    }

    /// What is kept with events by name, as a shared store has it now, or why it cannot be read.
    public func storedStates() async -> Result<[String: [UInt8]], StoreError> {
        guard let store = store as? any SharedEventStore else { return .success(states) }
        return await withCheckedContinuation { continuation in
            let isTaken = onReader { _ in
                do throws(StoreError) {
                    continuation.resume(returning: .success(try store.contents().states))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !isTaken {
                continuation.resume(returning: .failure(.unavailable("too much waits for the event store")))
            }
        }
    }

    /// What is kept by a name was last known to be that, or (nil) is somebody else's by now. Where a shared
    /// store loses all that it has, it is given back what is known.
    public func remember(_ state: [UInt8]?, _ name: String) {
        known.withLock { $0[name] = state }
    }

    // MARK: - Telling

    /// Takes up events, which can be read from then on, and gives back what is to be broadcast: a round's
    /// worth together, so that a subscriber that wants several is written to once.
    func take(_ news: [NewEvent], stored: StreamPosition) -> [[Publication]] {
        stride(from: 0, to: news.count, by: Hub.roundCapacity).map { first in
            let round = news[first..<min(first + Hub.roundCapacity, news.count)].map {
                Publication($0.event, at: $0.position, publishedAt: $0.submittedAt)
            }
            take(round, stored: stored)
            return round
        }
    }

    /// Takes up events.
    func take(_ publications: [Publication], stored: StreamPosition) {
        tail.withLock { tail in
            for publication in publications { tail.append(publication, stored: stored) }
        }
    }

    private static func tellNotices(of store: any EventStore, _ listener: Listener) {
        for notice in (store as? any LocalEventStore)?.takeNotices() ?? [] { listener.notice(notice) }
    }

    /// The store was opened anew: what it no longer has cannot be resumed from.
    func reopened(_ contents: StoreContents) {
        pages.clear()
        tail.withLock { $0.trimmed(to: contents.earliest) }
        status.withLock { $0.count = contents.count }
        Self.tellNotices(of: store, listener)
    }

    /// Why the store could not be read, where it must be opened anew; once.
    func takeReaderError() -> StoreError? {
        readerError.withLock { error in
            defer { error = nil }
            return error
        }
    }

    /// A shared store could not be followed, or (nil) can be again.
    func followed(_ error: StoreError?) {
        let isNews = status.withLock { status in
            defer { status.followTrouble = error?.description }
            return (status.followTrouble == nil) != (error == nil)
        }
        if isNews { listener.trouble(error?.description) }
    }

    /// A shared store has lost events: everything up to `floor` counts as gone. What fires is what the store
    /// has been told again.
    func lost(before floor: StreamPosition, _ contents: StoreContents) {
        pages.clear()
        let firing = contents.firing.compactMap { Publication($0) }
        let last = tail.withLock { tail in
            defer {
                tail = EventTail(
                    capacity: limits.memoryEvents, earliest: floor, last: max(floor, tail.last),
                    firing: firing)
            }
            return tail.last
        }
        listener.lost(last, floor)
    }

    // MARK: - Reading

    /// The newest position, and the earliest that can be resumed from.
    public var range: (earliest: StreamPosition, last: StreamPosition) {
        tail.withLock { ($0.earliest, $0.last) }
    }

    /// The last event of each condition that fires.
    public func firing() -> [Publication] {
        tail.withLock { $0.firing }
    }

    /// How the store is.
    public func currentStatus() -> Status {
        status.withLock { $0 }
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
        let page = try reading { () throws(StoreError) in
            try store.read(after: position, limit: EventPage.limit)
        }
        let events = page.events.compactMap { Publication($0) }
        // What somebody else put there and is no event is passed over; a page of nothing else ends nothing.
        guard let lastRead = page.events.last?.position else {
            // All that is stored lies before what is in memory.
            let begin = tail.withLock { $0.begin }
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
        tail.withLock { tail in tail.position(beforeLast: count) { filter.matches($0.event) } }
    }

    /// The most events that a search for the last ones looks at in the store.
    public static let searchedEvents = 100_000

    /// The same, wherever they are; may wait for the store. Looks at `searchedEvents` at most.
    public func findPosition(
        beforeLast count: Int, matching filter: EventFilter
    ) throws(StoreError) -> StreamPosition {
        if let position = position(beforeLast: count, matching: filter) { return position }
        var search = BackwardSearch(count)
        let range = range
        var cursor = StreamPosition(milliseconds: .max, sequence: .max)
        for _ in 0..<(Self.searchedEvents / EventPage.limit) {
            let events = try reading { () throws(StoreError) in
                try store.read(before: cursor, limit: EventPage.limit)
            }
            guard let oldest = events.last else { break }
            for event in events.compactMap({ Publication($0) })
            where search.isOver(event, { filter.matches($0.event) }) {
                return search.end ?? range.earliest
            }
            cursor = oldest.position
        }
        if search.isOver { return cursor.predecessor }
        return search.found > 0 ? self.range.earliest : range.last
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

    /// Does something that may wait for the store on one of its reading threads; false where too much waits
    /// there.
    public func onReader(_ job: @escaping @Sendable (EventJournal) -> Void) -> Bool {
        readers.run { [self] in job(self) }
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
