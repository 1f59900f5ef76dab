import Dispatch
import FIMLCore
import LinuxSystem
import Locking

/// The sessions of this gateway's clients: which connection has which, and what is kept of them.
///
/// What a client confirms costs its loop no write: changes gather in memory, and one thread writes them to a
/// `KeyedStore`, at most once a second (new and ended subscriptions at once). A session has one connection:
/// whoever comes last has it, on whatever node, and who had it before is told. That a newer one has come is
/// seen by its number in the store before anything of an older one is written there, and sooner where a
/// cluster says so (`takenOver`).
public final class SessionKeeper: Sendable {
    /// How large it may grow, and how long sessions are kept.
    public struct Limits: Sendable {
        /// Sessions in memory: those with a connection, those not written yet, and, where the store is this
        /// process's own, those used last.
        public var sessions = 100_000
        /// Bytes of them.
        public var bytes = 256 << 20
        /// Sessions in the store.
        public var storedSessions = 1_000_000
        /// Clients that may wait to be told what is kept of them.
        public var waiting = 10_000
        /// How long a session is kept unused whose client does not say, and at most, in seconds.
        public var defaultTTLSeconds: Int64 = 24 * 3600
        /// At most so long, in seconds.
        public var maxTTLSeconds: Int64 = 168 * 3600

        /// The defaults.
        public init() {}
    }

    /// What it tells whom it works for, from its own thread and from callers'.
    public struct Listener: Sendable {
        /// A connection has lost its session to a newer one, and nothing that it says is kept any more.
        public var taken: @Sendable (SessionName, SessionOwner) -> Void
        /// A connection of this process has a session now, by that number; for other nodes to hear.
        public var attached: @Sendable (SessionDigest, _ generation: Int64) -> Void
        /// The store is in trouble, or (nil) well again; or something was not readable. A sentence for a log.
        public var trouble: @Sendable (String?) -> Void

        /// A listener with every part given.
        public init(
            taken: @escaping @Sendable (SessionName, SessionOwner) -> Void,
            attached: @escaping @Sendable (SessionDigest, Int64) -> Void = { _, _ in },
            trouble: @escaping @Sendable (String?) -> Void = { _ in }
        ) {
            (self.taken, self.attached, self.trouble) = (taken, attached, trouble)
        }
    }

    /// The answer to a client that named a session.
    public enum Attachment: Sendable {
        /// It is the connection's: as it was kept, where it was known. What could not be read back is named.
        case attached(SessionRecord, resumed: Bool, dropped: [SessionRecord.Dropped])
        /// What is kept of it cannot be read now; it is as if nothing had been asked. One sentence.
        case unavailable(String)
    }

    /// What became of a change.
    public enum Outcome: Hashable, Sendable {
        /// It is kept.
        case kept
        /// The session is full: 64 subscriptions, or 64 KiB of filters.
        case noRoom
        /// The session is somebody else's by now.
        case taken
    }

    /// Where it is kept is what health names.
    public var kind: String { store.kind }
    /// How many sessions have a connection, are not written yet or are remembered; how many of them are not
    /// written yet; and what is wrong with the store, nil where nothing is.
    public var status: (sessions: Int, unwritten: Int, trouble: String?) {
        state.withLock { ($0.table.entries.count, $0.table.unwrittenCount, $0.trouble) }
    }

    enum Request: Sendable {
        case attach(SessionName, SessionOwner, ttlSeconds: Int64?, @Sendable (Attachment) -> Void)
        case detach(SessionName, SessionOwner)
        case end(SessionName, SessionOwner, @Sendable (String?) -> Void)
    }

    struct State {
        var table: SessionTable
        var requests: [Request] = []
        /// Whether something is to be written without waiting for the second to pass.
        var isUrgent = false
        var isStopped = false
        var trouble: String?
    }

    let store: any KeyedStore
    let isShared: Bool
    let limits: Limits
    let listener: Listener
    let clock: @Sendable () -> Int64
    let state: Locked<State>
    private let ready = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    /// A keeper without sessions; `start` is to follow.
    ///
    /// - Parameters:
    ///   - store: where sessions are kept.
    ///   - isShared: whether other gateways keep theirs in the same store, so that what is in memory may be
    ///     out of date.
    ///   - clock: milliseconds since 1970.
    public init(
        store: any KeyedStore, isShared: Bool, limits: Limits, listener: Listener,
        clock: @escaping @Sendable () -> Int64 = { wallMilliseconds() }
    ) {
        (self.store, self.isShared, self.limits) = (store, isShared, limits)
        (self.listener, self.clock) = (listener, clock)
        state = Locked(State(table: SessionTable(sessions: limits.sessions, bytes: limits.bytes)))
    }

    /// Starts its thread.
    public func start() throws(SystemCallError) {
        try LinuxSystem.Thread(name: "sessions", stackBytes: 1 << 20) { [self] in
            var work = SessionWork(keeper: self, ticks: { monotonicMilliseconds() })
            var isOver = false
            while !isOver {
                _ = ready.wait(timeout: .now() + .milliseconds(SessionWork.writeMilliseconds))
                isOver = state.withLock { $0.isStopped }
                work.turn(isLast: isOver)
            }
            ended.signal()
        }.detach()
    }

    /// Writes what is not written yet, as far as the store takes it, closes the store, and ends; waits for
    /// that some seconds at most. Called once. Who lets others use the store gives each their share of it
    /// (`SharedKeyedStore`).
    public func stop() {
        state.withLock { $0.isStopped = true }
        ready.signal()
        // A thread that hangs in the store still uses it.
        guard ended.wait(timeout: .now() + .seconds(8)) == .success else { return }
        store.close()
    }

    /// Gives a session to a connection, and takes it from whoever has it. `answer` is called once, from
    /// another thread or at once.
    public func attach(
        _ name: SessionName, _ owner: SessionOwner, ttlHours: Int?,
        _ answer: @escaping @Sendable (Attachment) -> Void
    ) {
        let ttl = ttlHours.map { min(Int64($0) * 3600, limits.maxTTLSeconds) }
        let isTaken = state.withLock { state in
            guard !state.isStopped, state.requests.count < limits.waiting else { return false }
            state.requests.append(.attach(name, owner, ttlSeconds: ttl, answer))
            return true
        }
        guard isTaken else { return answer(.unavailable("too many sessions are asked for at once")) }
        ready.signal()
    }

    /// A connection has ended, or wants its session no more; in order behind its `attach`.
    public func detach(_ name: SessionName, _ owner: SessionOwner) {
        state.withLock { $0.requests.append(.detach(name, owner)) }
        ready.signal()
    }

    /// Forgets a session. `answer` is called once, from another thread: nil, or a sentence where it cannot be
    /// done now and the session stays.
    public func end(
        _ name: SessionName, _ owner: SessionOwner, _ answer: @escaping @Sendable (String?) -> Void
    ) {
        state.withLock { $0.requests.append(.end(name, owner, answer)) }
        ready.signal()
    }

    /// Changes a session on behalf of the connection that has it. Does not block.
    public func change(_ name: SessionName, _ owner: SessionOwner, _ change: SessionChange) -> Outcome {
        let now = clock()
        let (outcome, isUrgent) = state.withLock { state -> (SessionTable.Outcome, Bool) in
            let outcome = state.table.change(name, owner, change, now: now)
            guard case .changed = outcome else { return (outcome, false) }
            switch change {
            case .put, .update, .remove:
                defer { state.isUrgent = true }
                return (outcome, !state.isUrgent)
            case .confirm:
                return (outcome, false)
            }
        }
        if isUrgent { ready.signal() }
        switch outcome {
        case .changed, .unchanged: return .kept
        case .noRoom: return .noRoom
        case .notOwner: return .taken
        }
    }

    /// Another node says that a connection of its own has a session now, by that number.
    public func takenOver(_ digest: SessionDigest, generation: Int64) {
        let former = state.withLock { state -> (SessionName, SessionOwner?)? in
            guard let name = state.table.name(of: digest), let entry = state.table[name],
                entry.record.generation < generation
            else { return nil }
            state.table.forget(name)
            return (name, entry.owner)
        }
        if let (name, owner) = former, let owner { listener.taken(name, owner) }
    }
}
