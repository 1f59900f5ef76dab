import Dispatch
import EventStore
import LinuxSystem
import Locking
import Synchronization

/// Keeps results (and whatever else has a key) in a store, behind everybody's back: who keeps something goes
/// on at once, who reads waits a moment at most, and a store that is away costs nobody anything but what it
/// holds.
///
/// One thread writes what has gathered, in batches, and looks after the store; others read.
final class ResultsKeeper: Sendable {
    /// Bounds and intervals, in milliseconds where they are times.
    struct Limits: Sendable {
        /// Of what waits to be written.
        var pending = PendingEntries.Limits()
        /// Of what is written together.
        var batchEntries = 500
        var batchBytes = 4 << 20
        /// How long findings are gathered: a commit for each would cost as much as the finding.
        var gather: UInt64 = 100
        /// Threads that read, and how many may wait for them.
        var readers = 2
        var reading = 1_000
        /// How long a reader waits.
        var read: UInt64 = 500
        /// How often the store is asked whether it is there.
        var ping: UInt64 = 5_000
        /// A store that has answered nothing for so long is not there, whatever it said last.
        var silence: UInt64 = 15_000
        /// How often what is over is cleared away; after so many writes in any case.
        var clean: UInt64 = 60_000
        var cleanAfter = 5_000
        /// How many entries there may be of which kind, by the beginning of their keys; nil where they are
        /// only counted, since somebody else looks after them: `SessionKeeper` after sessions.
        var kinds: [(prefix: String, limit: Int?)] = [
            ("finding:", 20_000), ("task:", 20_000), ("session:", nil),
        ]
    }

    struct State {
        var pending: PendingEntries
        var standing = StoreStanding()
        /// In the order in which they were asked for.
        var reads: [Read] = []
        /// Since when each reader has been at it; nil where it waits.
        var readingSince: [UInt64?]
        /// Until when what waits has time, by the clock that only grows; nil where nothing waits.
        var gathersUntil: UInt64?
        /// Who waits until a key is written: the numbers of `settling`.
        var settlers: [String: [UInt64]] = [:]
        /// When it is pinged and cleaned next, by the clock that only grows.
        var pingAt: UInt64 = 0
        var cleanAt: UInt64 = 0
        var putSinceCleaning = 0
        /// When it last answered anything, by the clock that only grows.
        var answeredAt: UInt64
        var last = LastPing()
        /// How many entries there were of which kind.
        var counts: [String: Int] = [:]
        /// Entries that had to go since trouble began.
        var droppedInTrouble = 0
        /// Whether the writer sleeps, and new entries are to wake it.
        var isResting = false
        var isClosed = false
    }

    struct Read {
        let id: UInt64
        let key: String
    }

    /// What the store last said of itself.
    struct LastPing {
        var version: String?
        var milliseconds: Double?
        var at: Int64?
    }

    let store: any KeyedStore
    let limits: Limits
    /// Where the store is, for people, without a password.
    let place: String
    /// Whether other gateways may use it as well.
    let isShared: Bool
    let say: @Sendable (StoreStanding.Change, _ dropped: Int) -> Void
    let state: Locked<State>
    let answers = TimelyAnswers<Result<KeptEntry?, StoreError>>()
    let settling = TimelyAnswers<Void>()
    /// Wakes the writer; that it is woken without need does no harm.
    let writerWake = DispatchSemaphore(value: 0)
    /// Signalled once for each read, and for each reader at the end.
    let readerWake = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    let kept = Atomic<Int>(0)
    let dropped = Atomic<Int>(0)
    let hits = Atomic<Int>(0)
    let misses = Atomic<Int>(0)

    /// A keeper that does nothing yet. `say` is told of changes, from the writer's thread, and how many
    /// entries were not kept since trouble began.
    init(
        _ store: any KeyedStore, place: String, isShared: Bool = false, limits: Limits = Limits(),
        say: @escaping @Sendable (StoreStanding.Change, _ dropped: Int) -> Void
    ) {
        self.store = store
        self.place = place
        self.isShared = isShared
        self.limits = limits
        self.say = say
        state = Locked(
            State(
                pending: PendingEntries(limits.pending),
                readingSince: Array(repeating: nil, count: limits.readers),
                answeredAt: monotonicMilliseconds()))
    }

    /// Starts the threads. Throws where the kernel has no room for them.
    func start() throws(SystemCallError) {
        let ended = ended
        try Thread(name: "results-write") { [self] in
            write()
            ended.signal()
        }.detach()
        for reader in 0..<limits.readers {
            try Thread(name: "results-read-\(reader)") { [self] in
                read(as: reader)
                ended.signal()
            }.detach()
        }
    }

    /// Writes what waits, where the store is there, and ends; after that long in any case. Called once; how
    /// many entries could not be written.
    func close(within limit: DispatchTimeInterval) -> Int {
        state.withLock { $0.isClosed = true }
        writerWake.signal()
        for _ in 0..<limits.readers { readerWake.signal() }
        let end = DispatchTime.now() + limit
        for _ in 0...limits.readers {
            // A thread that hangs in the store still uses it.
            guard ended.wait(timeout: end) == .success else { return state.withLock { $0.pending.count } }
        }
        store.close()
        return state.withLock { $0.pending.count }
    }

    // MARK: - For everybody

    /// Keeps entries soon, each in the place of what has its key; never waits. One that is over already
    /// forgets its key.
    func put(_ entries: [KeptEntry]) {
        let (gone, wakes) = state.withLock { state in
            guard !state.isClosed else { return (entries.count, false) }
            let gone = entries.reduce(0) { $0 + state.pending.put($1) }
            state.droppedInTrouble += gone
            let isFirst = state.gathersUntil == nil
            if isFirst { state.gathersUntil = monotonicMilliseconds() + limits.gather }
            let wakes =
                state.isResting && state.standing.isReady && (isFirst || isPressing(state.pending))
            if wakes { state.isResting = false }
            return (gone, wakes)
        }
        if gone > 0 { dropped.add(gone, ordering: .relaxed) }
        if wakes { writerWake.signal() }
    }

    /// Whether what waits is to be written at once.
    func isPressing(_ pending: PendingEntries) -> Bool {
        pending.isUrgent || pending.count >= limits.batchEntries
    }

    /// The value of a key that is still good; what is to be kept counts as kept. Throws where the store is
    /// away, or does not answer in a moment.
    func get(_ key: String) async throws(StoreError) -> KeptEntry? {
        let now = wallMilliseconds()
        let pending = state.withLock { $0.pending.entry(key) }
        if let pending { return pending.expiresAt > now ? pending : nil }
        let slow = StoreError.unavailable("it did not answer within \(limits.read) ms")
        let answer = await answers.answer(within: limits.read, otherwise: .failure(slow)) { id in
            if let refusal = ask(Read(id: id, key: key)) { answers.resolve(id, .failure(refusal)) }
        }
        return try answer.get()
    }

    /// Returns once no value of the key waits to be written; where the store is away at once, where it is
    /// slow after a moment.
    func settled(_ key: String) async {
        await settling.answer(within: limits.read, otherwise: ()) { id in
            let waits = state.withLock { state in
                guard state.pending.entry(key) != nil, !state.standing.isInTrouble else { return false }
                state.settlers[key, default: []].append(id)
                return true
            }
            if !waits { settling.resolve(id, ()) }
        }
    }

    /// Those who wait for a key that waits no more; called under the lock.
    static func takeSettlers(_ state: inout State) -> [UInt64] {
        let over = state.settlers.filter { key, _ in
            state.pending.entry(key) == nil || state.standing.isInTrouble
        }
        for key in over.keys { state.settlers[key] = nil }
        return over.values.flatMap(\.self)
    }
}

extension StoreStanding {
    /// Whether it is known not to work.
    var isInTrouble: Bool {
        switch state {
        case .trouble: true
        case .starting, .ready: false
        }
    }
}
