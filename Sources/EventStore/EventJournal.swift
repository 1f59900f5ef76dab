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
    let readers: StoreThreads
    /// For what looks at much of the store, and must not hold up who reads page by page.
    let searchers: StoreThreads
    let readerError = Locked<StoreError?>(nil)
    let pageCount = Atomic<Int>(0)
    /// See `remember`.
    let known = Locked<[String: [UInt8]]>([:])
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
        readers = try StoreThreads(name: "store-reader", count: 2, limit: 4_096)
        searchers = try StoreThreads(name: "store-search", count: 1, limit: 64)
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
        searchers.stop()
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
        Self.tellNotices(of: store, listener)
        status.withLock { $0.count = contents.count }
        guard contents.earliest > range.earliest else { return }
        pages.clear()
        let last = tail.withLock { tail in
            defer { tail.restart(at: contents.earliest) }
            return tail.last
        }
        listener.lost(last, contents.earliest)
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

    /// A shared store was trimmed beyond what has been told here: what fires stays as it is known.
    func missed(upTo earliest: StreamPosition) {
        let last = tail.withLock { tail in
            defer { tail.restart(at: earliest) }
            return tail.last
        }
        listener.lost(last, earliest)
    }

    /// A shared store has lost events: everything up to `floor` counts as gone. What fires is what the store
    /// has been told again.
    func lost(before floor: StreamPosition, _ contents: StoreContents) {
        pages.clear()
        let firing = contents.firing.compactMap { Publication($0) }
        let last = tail.withLock { tail in
            defer { tail.restart(at: floor, firing: firing) }
            return tail.last
        }
        listener.lost(last, floor)
    }
}
