import FIMLCore

/// Which connection of this process has a session.
public struct SessionOwner: Hashable, Sendable {
    /// The event loop.
    public let loop: Int
    /// The connection there, by a number that is not used again.
    public let connection: UInt64

    /// A connection of a loop.
    public init(loop: Int, connection: UInt64) {
        (self.loop, self.connection) = (loop, connection)
    }
}

/// What a client changes of its session.
public enum SessionChange: Sendable {
    /// A subscription is made.
    case put(SessionRecord.Subscription)
    /// A subscription gets another filter.
    case update(subscriptionID: String, EventFilter)
    /// A subscription ends.
    case remove(subscriptionID: String)
    /// The client needs nothing more of these subscriptions up to these positions.
    case confirm([String: StreamPosition])
}

/// The sessions that this process has in memory: whose they are, and what is not written yet. Pure: times
/// come in, who shares it between threads guards it.
struct SessionTable {
    struct Entry {
        var record: SessionRecord
        /// nil: nobody of this process.
        var owner: SessionOwner?
        /// Counts what was changed, and up to where that is written.
        var changes: UInt64 = 1
        var written: UInt64 = 0
        /// The number of its last use, counted over all sessions.
        var usedLast: UInt64 = 0

        var isWritten: Bool { changes == written }
    }

    private let sessionLimit: Int
    private let byteLimit: Int
    private(set) var entries: [SessionName: Entry] = [:]
    /// The names of all entries, by what other nodes call them.
    private var names: [SessionDigest: SessionName] = [:]
    private(set) var bytes = 0
    private var uses: UInt64 = 0
    /// What is not written yet, so that it is found without a search.
    private var unwritten: Set<SessionName> = []

    /// An empty table for so many sessions and bytes.
    init(sessions: Int, bytes: Int) {
        (sessionLimit, byteLimit) = (sessions, bytes)
    }

    subscript(name: SessionName) -> Entry? { entries[name] }

    /// The name of a session in memory that is called so between nodes.
    func name(of digest: SessionDigest) -> SessionName? { names[digest] }

    /// Whether one more session can be taken up, once those that are written and nobody's are forgotten.
    mutating func makeRoom() -> Bool {
        guard entries.count >= sessionLimit || bytes >= byteLimit else { return true }
        // Uses are counted one by one, so at most so many are younger: no sort while others wait.
        let keptUses = UInt64(sessionLimit / 10 * 9)
        let idle = entries.filter { $0.value.owner == nil && $0.value.isWritten }
        for (name, entry) in idle where entry.usedLast + keptUses <= uses { forget(name) }
        if bytes >= byteLimit / 10 * 9 {
            for name in idle.keys { forget(name) }
        }
        return entries.count < sessionLimit && bytes < byteLimit
    }

    /// A connection has a session now, as this record. It is written already, or still to be.
    mutating func own(_ name: SessionName, _ record: SessionRecord, _ owner: SessionOwner, isWritten: Bool) {
        uses += 1
        var entry = Entry(record: record, owner: owner, usedLast: uses)
        if isWritten { entry.written = entry.changes }
        put(name, entry)
    }

    /// Makes a session nobody's, and says whose it was; what was not written stays to be.
    mutating func release(_ name: SessionName) -> SessionOwner? {
        guard let owner = entries[name]?.owner else { return nil }
        entries[name]?.owner = nil
        return owner
    }

    /// A session's connection has ended: from now on it is kept for as long as it was asked for.
    mutating func leave(_ name: SessionName, _ owner: SessionOwner, now: Int64) {
        guard var entry = entries[name], entry.owner == owner else { return }
        entry.owner = nil
        entry.record.usedAt = now
        entry.changes += 1
        put(name, entry)
    }

    /// What became of a change.
    enum Outcome {
        case changed, unchanged, noRoom, notOwner
    }

    /// Changes a session on behalf of the connection that has it.
    mutating func change(
        _ name: SessionName, _ owner: SessionOwner, _ change: SessionChange, now: Int64
    ) -> Outcome {
        guard var entry = entries[name], entry.owner == owner else { return .notOwner }
        switch change {
        case .put(let subscription):
            guard entry.record.put(subscription) else { return .noRoom }
        case .update(let subscriptionID, let filter):
            guard entry.record.update(subscriptionID, filter) else { return .noRoom }
        case .remove(let subscriptionID):
            entry.record.remove(subscriptionID)
        case .confirm(let positions):
            var hasMoved = false
            for (subscriptionID, position) in positions
            where entry.record.confirm(subscriptionID, position) { hasMoved = true }
            guard hasMoved else { return .unchanged }
        }
        entry.record.usedAt = now
        entry.changes += 1
        put(name, entry)
        return .changed
    }

    /// Keeps those alive whose connections are there but say nothing.
    mutating func renew(now: Int64) {
        for (name, entry) in entries where entry.owner != nil {
            guard now - entry.record.usedAt >= entry.record.ttlSeconds * 1000 / 4 else { continue }
            var renewed = entry
            renewed.record.usedAt = now
            renewed.changes += 1
            put(name, renewed)
        }
    }

    /// Some of what is not written yet.
    func toWrite(limit: Int) -> [(name: SessionName, entry: Entry)] {
        unwritten.prefix(limit).compactMap { name in entries[name].map { (name, $0) } }
    }

    /// How many sessions are not written yet.
    var unwrittenCount: Int { unwritten.count }

    /// A session is written as it was after so many changes.
    mutating func wrote(_ name: SessionName, _ changes: UInt64) {
        guard var entry = entries[name], entry.written < changes else { return }
        entry.written = min(changes, entry.changes)
        put(name, entry)
    }

    /// Forgets a session, written or not.
    mutating func forget(_ name: SessionName) {
        guard let entry = entries.removeValue(forKey: name) else { return }
        bytes -= entry.record.size
        unwritten.remove(name)
        names[SessionDigest(name)] = nil
    }

    private mutating func put(_ name: SessionName, _ entry: Entry) {
        if entries[name] == nil { names[SessionDigest(name)] = name }
        bytes += entry.record.size - (entries[name]?.record.size ?? 0)
        entries[name] = entry
        if entry.isWritten { unwritten.remove(name) } else { unwritten.insert(name) }
    }
}
