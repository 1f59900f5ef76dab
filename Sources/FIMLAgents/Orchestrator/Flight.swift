import Locking

/// One computation that several wait for. It ends early when nobody waits for it any more.
final class Flight<Value: Sendable>: Sendable {
    private struct State {
        var value: Value?
        var waiting: [UInt64: CheckedContinuation<Value?, Never>] = [:]
        var lastID: UInt64 = 0
        var work: Task<Void, Never>?
        var isAbandoned = false
    }

    private let state = Locked(State())

    /// Begins; `land` is called with the value before those who wait get it.
    func begin(_ compute: @escaping @Sendable () async -> Value, land: @escaping @Sendable (Value) -> Void) {
        let work = Task {
            let value = await compute()
            land(value)
            let waiting = self.state.withLock { state in
                state.value = value
                state.work = nil
                defer { state.waiting = [:] }
                return Array(state.waiting.values)
            }
            for waiter in waiting { waiter.resume(returning: value) }
        }
        state.withLock { if $0.value == nil { $0.work = work } }
    }

    /// The value; nil where the task that waits was cancelled, or nobody computes it any more.
    func value() async -> Value? {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let answer: Value?? = state.withLock { state in
                    if let value = state.value { return .some(value) }
                    if Task.isCancelled || state.isAbandoned { return .some(nil) }
                    state.waiting[id] = waiter
                    return nil
                }
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            let (waiter, work) = state.withLock { state in
                let waiter = state.waiting.removeValue(forKey: id)
                guard waiter != nil, state.waiting.isEmpty, state.value == nil else {
                    return (waiter, Task<Void, Never>?.none)
                }
                state.isAbandoned = true
                return (waiter, state.work)
            }
            work?.cancel()
            waiter?.resume(returning: nil)
        }
    }

    /// Whether it is no use to wait for it.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }
}
