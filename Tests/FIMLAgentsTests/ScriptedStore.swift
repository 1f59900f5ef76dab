import FIMLAgents
import FIMLCore
import Locking

@testable import FIMLAgents

/// What is kept, in memory, with a clock that goes on when it is told to.
final class ScriptedStore: StoredResults {
    private struct State {
        var entries: [String: StoredResult] = [:]
        var asked: [String] = []
        var now: Int64 = 1_800_000_000_000
        var isAway = false
    }

    private let state = Locked(State())

    var entries: [String: StoredResult] { state.withLock { $0.entries } }
    var asked: [String] { state.withLock { $0.asked } }
    var now: Int64 { state.withLock { $0.now } }

    func set(_ key: String, _ result: StoredResult?) { state.withLock { $0.entries[key] = result } }
    func advance(seconds: Int64) { state.withLock { $0.now += seconds * 1000 } }
    /// So many seconds after something that took place by the system's clock, however long ago that is.
    func move(to moment: Timestamp, plus seconds: Int64) {
        state.withLock { $0.now = moment.adding(seconds: seconds).milliseconds }
    }
    func goAway() { state.withLock { $0.isAway = true } }

    func value(_ key: String) async -> StoredResult? {
        state.withLock { state in
            state.asked.append(key)
            guard !state.isAway, let entry = state.entries[key], entry.expiresAt > state.now else {
                return nil
            }
            return entry
        }
    }

    func keep(_ result: StoredResult, as key: String) {
        state.withLock { state in
            if !state.isAway { state.entries[key] = result }
        }
    }

    func settled(_ key: String) async {}

    /// What a gateway of that name keeps here, in one of its lives.
    func keeping(
        _ node: String = "a", life: String = "first", basis: String = "recording",
        isAlive: @escaping @Sendable (String, String) -> Bool = { _, _ in true }
    ) -> ResultKeeping {
        var keeping = ResultKeeping(self, basis: basis, node: node, incarnation: life, isAlive: isAlive)
        keeping.now = { self.now }
        return keeping
    }
}
