import EventStore
import Glibc
import LinuxSystem
import Locking

/// A keyed store in memory that fails, hangs and comes back as a test says.
final class ScriptedKeyedStore: KeyedStore {
    private struct State {
        var entries: [String: KeptEntry] = [:]
        var puts: [[String]] = []
        var cleaned: [String] = []
        var opened = 0
        var closed = 0
        var isOpen = false
        var failure: StoreError?
        var writeFailure: StoreError?
        var hangs = false
        var hanging = 0
    }

    let kind = "scripted"
    private let state = Locked(State())

    var entries: [String: KeptEntry] { state.withLock { $0.entries } }
    /// The keys of each batch.
    var puts: [[String]] { state.withLock { $0.puts } }
    var cleaned: [String] { state.withLock { $0.cleaned } }
    var opened: Int { state.withLock { $0.opened } }
    var closed: Int { state.withLock { $0.closed } }
    /// Calls that hang at this moment.
    var hanging: Int { state.withLock { $0.hanging } }

    /// All calls fail with this from now on; nil: none.
    func fail(_ error: StoreError?) {
        state.withLock { state in
            state.failure = error
            if error != nil { state.isOpen = false }
        }
    }

    /// Only what writes fails, as on a full disk.
    func failWrites(_ error: StoreError?) { state.withLock { $0.writeFailure = error } }

    /// All calls wait until they are let go.
    func hang(_ hangs: Bool) { state.withLock { $0.hangs = hangs } }

    private func call<Value>(
        needsOpen: Bool = true, _ body: (inout State) throws(StoreError) -> Value
    ) throws(StoreError) -> Value {
        state.withLock { $0.hanging += 1 }
        while state.withLock({ $0.hangs }) { poll(nil, 0, 1) }
        defer { state.withLock { $0.hanging -= 1 } }
        let result = state.withLock { state -> Result<Value, StoreError> in
            if let failure = state.failure { return .failure(failure) }
            guard state.isOpen || !needsOpen else { return .failure(.unavailable("it is not open")) }
            do throws(StoreError) { return .success(try body(&state)) } catch { return .failure(error) }
        }
        return try result.get()
    }

    func open() throws(StoreError) {
        try call(needsOpen: false) { state in
            state.opened += 1
            state.isOpen = true
        }
    }

    func put(_ entries: [KeptEntry]) throws(StoreError) {
        try call { state throws(StoreError) in
            if let failure = state.writeFailure { throw failure }
            for entry in entries { state.entries[entry.key] = entry }
            state.puts.append(entries.map(\.key))
        }
    }

    func get(_ key: String, now: Int64) throws(StoreError) -> KeptEntry? {
        try call { state in state.entries[key].flatMap { $0.expiresAt > now ? $0 : nil } }
    }

    func remove(_ key: String) throws(StoreError) {
        try call { $0.entries[key] = nil }
    }

    func removeExpired(now: Int64, prefix: String, limit: Int) throws(StoreError) {
        try call { $0.cleaned.append(prefix) }
    }

    func count(prefix: String) throws(StoreError) -> Int {
        try call { state in state.entries.keys.count { $0.hasPrefix(prefix) } }
    }

    func ping() throws(StoreError) -> String {
        try call { _ in "scripted 1.0" }
    }

    func close() { state.withLock { $0.closed += 1 } }
}
