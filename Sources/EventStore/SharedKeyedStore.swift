import Locking

/// A keyed store for several users within one process: each opens and closes it as if it were alone.
///
/// A store that is opened again drops what others do with it at that moment. So it is opened again only where
/// something has failed since it was opened last, and closed when its last user is gone.
public final class SharedKeyedStore: KeyedStore {
    private struct State {
        var isOpen = false
        /// Counts how often it was opened, so that a failure of before says nothing of now.
        var openings = 0
        var users: Int
    }

    private let store: any KeyedStore
    private let state: Locked<State>
    /// Held over an opening; who calls is ready to wait.
    private let opening = Locked(())

    /// A store that so many users will close.
    public init(_ store: any KeyedStore, users: Int) {
        self.store = store
        state = Locked(State(users: users))
    }

    /// That of the store.
    public var kind: String { store.kind }

    /// Opens it where that is not done, or where it has failed since.
    public func open() throws(StoreError) {
        try opening.withLock { _ throws(StoreError) in
            guard !state.withLock({ $0.isOpen }) else { return }
            try store.open()
            state.withLock { state in
                state.isOpen = true
                state.openings += 1
            }
        }
    }

    /// See `KeyedStore`.
    public func put(_ entries: [KeptEntry]) throws(StoreError) {
        try attempt { () throws(StoreError) in try store.put(entries) }
    }

    /// See `KeyedStore`.
    public func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
        try attempt { () throws(StoreError) in try store.get(key, now: now) }
    }

    /// See `KeyedStore`.
    public func remove(_ key: String) throws(StoreError) {
        try attempt { () throws(StoreError) in try store.remove(key) }
    }

    /// See `KeyedStore`.
    public func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {
        try attempt { () throws(StoreError) in
            try store.removeExpired(now: now, prefix: prefix, limit: limit)
        }
    }

    /// See `KeyedStore`.
    public func count(prefix: String) throws(StoreError) -> Int {
        try attempt { () throws(StoreError) in try store.count(prefix: prefix) }
    }

    /// See `KeyedStore`.
    public func ping() throws(StoreError) -> String {
        try attempt { () throws(StoreError) in try store.ping() }
    }

    /// One user is gone; the last closes it.
    public func close() {
        let isLast = state.withLock { state in
            state.users -= 1
            return state.users == 0
        }
        if isLast { store.close() }
    }

    private func attempt<Result>(_ body: () throws(StoreError) -> Result) throws(StoreError) -> Result {
        let openings = state.withLock { $0.openings }
        do throws(StoreError) {
            return try body()
        } catch {
            state.withLock { state in
                if state.openings == openings { state.isOpen = false }
            }
            throw error
        }
    }
}
