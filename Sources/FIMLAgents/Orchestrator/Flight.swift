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
        let isAbandoned = state.withLock { state in
            if state.value == nil { state.work = work }
            return state.isAbandoned
        }
        if isAbandoned { work.cancel() }
    }

    /// The value; nil where the task that waits was cancelled, or nobody computes it any more because all who
    /// waited before have gone.
    func value() async -> Value? {
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { waiter in
                let (answer, work): (Value??, Task<Void, Never>?) = state.withLock { state in
                    if let value = state.value { return (.some(value), nil) }
                    // Cancelled before it waited: nobody else may be there to end the work.
                    if Task.isCancelled { return (.some(nil), Self.abandon(&state)) }
                    if state.isAbandoned { return (.some(nil), nil) }
                    state.waiting[id] = waiter
                    return (nil, nil)
                }
                work?.cancel()
                if let answer { waiter.resume(returning: answer) }
            }
        } onCancel: {
            let (waiter, work) = state.withLock { state in
                let waiter = state.waiting.removeValue(forKey: id)
                return (waiter, waiter == nil ? nil : Self.abandon(&state))
            }
            work?.cancel()
            waiter?.resume(returning: nil)
        }
    }

    /// What is to be cancelled now that one who waited has gone: nil while others wait.
    private static func abandon(_ state: inout State) -> Task<Void, Never>? {
        guard state.waiting.isEmpty, state.value == nil else { return nil }
        state.isAbandoned = true
        return state.work
    }

    /// How many wait for it.
    var waitingCount: Int { state.withLock { $0.waiting.count } }

    /// Whether it is no use to wait for it.
    var isAbandoned: Bool { state.withLock { $0.isAbandoned } }
}
