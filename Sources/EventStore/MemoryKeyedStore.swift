import Locking

/// Values by key in memory, for as long as the process lives: a bounded number of entries and of bytes, of
/// which those that are over first give way.
public final class MemoryKeyedStore: KeyedStore {
    private struct State {
        var entries: [String: KeptEntry] = [:]
        var bytes = 0

        mutating func put(_ entry: KeptEntry) {
            remove(entry.key)
            entries[entry.key] = entry
            bytes += Self.size(entry)
        }

        mutating func remove(_ key: String) {
            if let old = entries.removeValue(forKey: key) { bytes -= Self.size(old) }
        }

        private static func size(_ entry: KeptEntry) -> Int {
            entry.key.utf8.count + entry.value.count
        }
    }

    private let entryLimit: Int
    private let byteLimit: Int
    private let state = Locked(State())

    /// An empty store with room for so many entries, and bytes of keys and values.
    public init(entries: Int, bytes: Int) {
        precondition(entries > 0 && bytes > 0)
        (entryLimit, byteLimit) = (entries, bytes)
    }

    /// `memory`.
    public var kind: String { "memory" }

    /// There is nothing to do.
    public func open() throws(StoreError) {}

    /// Keeps all of them; what is over first gives way where there is no room.
    public func put(_ entries: [KeptEntry]) throws(StoreError) {
        state.withLock { state in
            for entry in entries { state.put(entry) }
            if state.entries.count > entryLimit || state.bytes > byteLimit { makeRoom(&state) }
        }
    }

    /// See `KeyedStore`.
    public func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
        state.withLock { $0.entries[key].flatMap { $0.expiresAt > now ? $0 : nil } }
    }

    /// See `KeyedStore`.
    public func remove(_ key: String) throws(StoreError) {
        state.withLock { $0.remove(key) }
    }

    /// See `KeyedStore`.
    public func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {
        state.withLock { state in
            for entry in state.entries.values where entry.expiresAt <= now { state.remove(entry.key) }
            let ours = state.entries.values.filter { $0.key.hasPrefix(prefix) }
            guard ours.count > limit else { return }
            for entry in Self.overFirst(ours).prefix(ours.count - limit) { state.remove(entry.key) }
        }
    }

    /// See `KeyedStore`.
    public func count(prefix: String) throws(StoreError) -> Int {
        state.withLock { state in state.entries.keys.count { $0.hasPrefix(prefix) } }
    }

    /// Always well.
    public func ping() throws(StoreError) -> String { "in memory" }

    /// There is nothing to do.
    public func close() {}

    /// A tenth more than necessary goes, so that the next entries find room without a search.
    private func makeRoom(_ state: inout State) {
        for entry in Self.overFirst(Array(state.entries.values)) {
            guard state.entries.count > entryLimit * 9 / 10 || state.bytes > byteLimit / 10 * 9 else {
                return
            }
            state.remove(entry.key)
        }
    }

    private static func overFirst(_ entries: [KeptEntry]) -> [KeptEntry] {
        entries.sorted { ($0.expiresAt, $0.key) < ($1.expiresAt, $1.key) }
    }
}
