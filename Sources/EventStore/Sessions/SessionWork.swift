import FIMLCore

/// What the keeper's one thread does: answers who waits, writes what is not written yet, and forgets what is
/// over. All that blocks is here.
struct SessionWork {
    /// How often changes are written that are not urgent.
    static let writeMilliseconds = 1_000
    /// How often what is over is forgotten, and what has a connection is kept alive.
    static let sweepMilliseconds: UInt64 = 60_000
    /// Sessions written together.
    static let batch = 256
    /// For how long a store that failed is left alone: the longer the more often it failed in a row. One that
    /// hangs would keep everybody waiting, one after the other.
    static let pauses: (shortest: UInt64, longest: UInt64) = (1_000, 30_000)

    private let keeper: SessionKeeper
    /// Milliseconds of a clock that only grows.
    private let ticks: @Sendable () -> UInt64
    private var writtenAt: UInt64 = 0
    private var sweptAt: UInt64 = 0
    private var isOpen = false
    /// Until then nothing is asked of the store.
    private var retryAt: UInt64 = 0
    private var failures: UInt64 = 0

    /// The work of a keeper. `ticks`: milliseconds of a clock that only grows.
    init(keeper: SessionKeeper, ticks: @escaping @Sendable () -> UInt64) {
        (self.keeper, self.ticks) = (keeper, ticks)
    }

    /// One turn. `isLast`: everything is written now.
    mutating func turn(isLast: Bool = false) {
        let monotonic = ticks()
        if isLast { retryAt = 0 }
        let (requests, isUrgent) = keeper.state.withLock { state in
            defer {
                state.requests = []
                state.isUrgent = false
            }
            return (state.requests, state.isUrgent)
        }
        let gone = Set(
            requests.compactMap { request -> SessionOwner? in
                if case .detach(_, let owner) = request { owner } else { nil }
            })
        for request in requests {
            if case .attach(_, let owner, _, let answer) = request, gone.contains(owner) {
                answer(.unavailable("the connection has ended"))
            } else {
                serve(request)
            }
        }
        if isUrgent || isLast || monotonic >= writtenAt + UInt64(Self.writeMilliseconds) {
            write()
            writtenAt = monotonic
        }
        guard monotonic >= sweptAt + Self.sweepMilliseconds else { return }
        sweptAt = monotonic
        let now = keeper.clock()
        let limit = keeper.limits.storedSessions
        keeper.state.withLock { $0.table.renew(now: now) }
        attempt { store throws(StoreError) in
            try store.removeExpired(now: now, prefix: Self.prefix, limit: limit)
        }
    }

    private mutating func serve(_ request: SessionKeeper.Request) {
        switch request {
        case .attach(let name, let owner, let ttlSeconds, let answer):
            let (attachment, former) = attach(name, owner, ttlSeconds)
            if let former { keeper.listener.taken(name, former) }
            if case .attached(let record, _, _) = attachment {
                keeper.listener.attached(SessionDigest(name), record.generation)
            }
            answer(attachment)
        case .detach(let name, let owner):
            let now = keeper.clock()
            keeper.state.withLock { $0.table.leave(name, owner, now: now) }
        case .end(let name, let owner, let answer):
            answer(end(name, owner))
        }
    }

    // MARK: - Coming and going

    /// What is known of a session.
    private enum Known {
        case nothing
        case record(SessionRecord, [SessionRecord.Dropped])
        case unavailable(String)
    }

    private mutating func attach(
        _ name: SessionName, _ owner: SessionOwner, _ ttlSeconds: Int64?
    ) -> (SessionKeeper.Attachment, former: SessionOwner?) {
        let now = keeper.clock()
        // From here on nothing that the former connection says changes the record.
        let (held, former, hasRoom) = keeper.state.withLock { state in
            let former = state.table.release(name)
            let held = state.table[name]
            return (held, former, held != nil || state.table.makeRoom())
        }
        guard hasRoom else { return (.unavailable("there are too many sessions"), former) }
        let limits = keeper.limits
        var record: SessionRecord
        var dropped: [SessionRecord.Dropped] = []
        var resumed = true
        switch known(name, held, wasOwned: former != nil, now: now) {
        case .unavailable(let sentence):
            return (.unavailable(sentence), former)
        case .record(let kept, let unread):
            (record, dropped) = (kept, unread)
            record.generation += 1
        case .nothing:
            record = SessionRecord(generation: 1, ttlSeconds: limits.defaultTTLSeconds, usedAt: now)
            resumed = false
        }
        record.usedAt = now
        record.ttlSeconds = min(ttlSeconds ?? record.ttlSeconds, limits.maxTTLSeconds)
        let isWritten = put([(name, record)])
        // Who is not known and cannot be written would be forgotten without a word.
        guard isWritten || resumed else { return (.unavailable(Self.away), former) }
        let final = record
        keeper.state.withLock { $0.table.own(name, final, owner, isWritten: isWritten) }
        return (.attached(record, resumed: resumed, dropped: dropped), former)
    }

    /// The newest that is known: memory's, where this process has had the session last, else the store's.
    private mutating func known(
        _ name: SessionName, _ held: SessionTable.Entry?, wasOwned: Bool, now: Int64
    ) -> Known {
        let held = held.flatMap { wasOwned || $0.record.expiresAt > now ? $0 : nil }
        var stored: KeptEntry?
        let isRead = attempt { store throws(StoreError) in stored = try store.get(Self.key(name), now: now) }
        guard isRead else {
            // Nobody else can have changed what is only ours, or what we had until now.
            guard let held, wasOwned || !held.isWritten || !keeper.isShared else {
                return .unavailable(Self.away)
            }
            return .record(held.record, [])
        }
        guard let stored else { return held.map { .record($0.record, []) } ?? .nothing }
        do throws(SessionRecord.ReadingError) {
            let (record, dropped) = try SessionRecord.read(stored.value)
            if let held, held.record.generation >= record.generation { return .record(held.record, []) }
            return .record(record, dropped)
        } catch {
            if let held { return .record(held.record, []) }
            switch error {
            case .otherVersion(let version):
                return .unavailable("it was kept by a gateway of another version (form \(version))")
            case .invalid(let sentence):
                // Told to the client as a session that is not known.
                keeper.listener.trouble("session \(name) cannot be read and is forgotten: \(sentence)")
                return .nothing
            }
        }
    }

    private mutating func end(_ name: SessionName, _ owner: SessionOwner) -> String? {
        guard keeper.state.withLock({ $0.table[name]?.owner == owner }) else { return nil }
        let isRemoved = attempt { store throws(StoreError) in try store.remove(Self.key(name)) }
        guard isRemoved else { return Self.away }
        keeper.state.withLock { $0.table.forget(name) }
        return nil
    }

    // MARK: - Writing

    /// Writes what is not written by now, up to the first failure: the rest waits for a later turn.
    private mutating func write() {
        var left = keeper.state.withLock { $0.table.unwrittenCount }
        while left > 0, !isResting {
            let entries = keeper.state.withLock { $0.table.toWrite(limit: Self.batch) }
            left -= Self.batch
            var ours: [(name: SessionName, entry: SessionTable.Entry)] = []
            for (name, entry) in entries {
                switch standing(name, entry) {
                case .ours: ours.append((name, entry))
                case .taken: break
                case .unreadable: return
                }
            }
            guard put(ours.map { ($0.name, $0.entry.record) }) else { return }
            keeper.state.withLock { state in
                for (name, entry) in ours {
                    state.table.wrote(name, entry.changes)
                    // Of what others may change nothing is remembered.
                    if keeper.isShared, let entry = state.table[name], entry.owner == nil, entry.isWritten {
                        state.table.forget(name)
                    }
                }
            }
        }
    }

    /// Whose a session is, as far as the store can tell now.
    private enum Standing {
        case ours, taken, unreadable
    }

    /// Whether no other node has had the session since; where one has, its connection here is told.
    private mutating func standing(_ name: SessionName, _ entry: SessionTable.Entry) -> Standing {
        guard keeper.isShared else { return .ours }
        var stored: KeptEntry?
        let now = keeper.clock()
        let isRead = attempt { store throws(StoreError) in stored = try store.get(Self.key(name), now: now) }
        guard isRead else { return .unreadable }
        guard let stored, let newer = try? SessionRecord.read(stored.value).record,
            newer.generation > entry.record.generation
        else { return .ours }
        keeper.takenOver(SessionDigest(name), generation: newer.generation)
        return .taken
    }

    /// Whether all of them are written.
    private mutating func put(_ records: [(name: SessionName, record: SessionRecord)]) -> Bool {
        guard !records.isEmpty else { return true }
        let entries = records.map { name, record in
            KeptEntry(key: Self.key(name), value: record.json, expiresAt: record.expiresAt)
        }
        return attempt { store throws(StoreError) in try store.put(entries) }
    }

    // MARK: - The store

    private static let prefix = "session:"
    /// What a client is told; the store's own words are for the log.
    private static let away = "sessions cannot be read or kept now"

    private static func key(_ name: SessionName) -> String { prefix + SessionDigest(name).text }

    private var isResting: Bool { ticks() < retryAt }

    /// Whether the store did it; while it rests after a failure nobody tries. Its trouble is told once, and
    /// once when it is over.
    @discardableResult
    private mutating func attempt(_ body: (any KeyedStore) throws(StoreError) -> Void) -> Bool {
        guard !isResting else { return false }
        do throws(StoreError) {
            if !isOpen { try keeper.store.open() }
            isOpen = true
            try body(keeper.store)
            failures = 0
            tell(nil)
            return true
        } catch {
            isOpen = false
            retryAt = ticks() + min(Self.pauses.shortest << min(failures, 16), Self.pauses.longest)
            failures += 1
            tell("sessions: \(error)")
            return false
        }
    }

    private func tell(_ trouble: String?) {
        let isNews = keeper.state.withLock { state in
            defer { state.trouble = trouble }
            return (state.trouble == nil) != (trouble == nil)
        }
        if isNews { keeper.listener.trouble(trouble) }
    }
}
