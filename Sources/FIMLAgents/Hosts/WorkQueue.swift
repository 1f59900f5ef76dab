import LinuxSystem
import Locking

/// What waits for one thread: a bounded list, and what wakes the thread.
final class WorkQueue<Work: Sendable>: Sendable {
    private struct State {
        var waiting: [Work] = []
        var isClosed = false
    }

    private let limit: Int
    private let state = Locked(State())
    private let wake: WakeUp

    init(limit: Int) throws(SystemCallError) {
        self.limit = limit
        wake = try WakeUp()
    }

    /// False where it is full or closed.
    func add(_ work: Work) -> Bool {
        let hasRoom = state.withLock { state in
            guard !state.isClosed, state.waiting.count < limit else { return false }
            state.waiting.append(work)
            return true
        }
        if hasRoom { wake.signal() }
        return hasRoom
    }

    /// Ends the thread once it has done what it took.
    func close() {
        state.withLock { state in
            state.isClosed = true
            state.waiting = []
        }
        wake.signal()
    }

    /// On the thread: all that waits, as soon as there is something; nil once closed.
    func takeAll() -> [Work]? {
        wake.sleep()
        return state.withLock { state in
            defer { state.waiting = [] }
            return state.isClosed ? nil : state.waiting
        }
    }
}
