import Dispatch
import LinuxSystem
import Locking

/// Threads for what blocks: reading a store, asking a database. Swift's own threads, of which there is one a
/// core, must not wait for those.
public final class StoreThreads: Sendable {
    private struct State {
        var jobs: [@Sendable () -> Void] = []
        var begun = 0
        var isStopped = false
    }

    private let state = Locked(State())
    private let ready = DispatchSemaphore(value: 0)
    private let count: Int
    private let limit: Int

    /// Starts so many threads of that name, for which so many jobs may wait; one more is refused.
    public init(name: String, count: Int, limit: Int) throws(SystemCallError) {
        self.count = count
        self.limit = limit
        for _ in 0..<count {
            try LinuxSystem.Thread(name: name, stackBytes: 1 << 20) { [self] in work() }.detach()
        }
    }

    /// Does a job on one of the threads, in the order in which they were given; false where too many wait, or
    /// after `stop`.
    public func run(_ job: @escaping @Sendable () -> Void) -> Bool {
        let isTaken = state.withLock { state in
            guard !state.isStopped, state.jobs.count - state.begun < limit else { return false }
            state.jobs.append(job)
            return true
        }
        if isTaken { ready.signal() }
        return isTaken
    }

    /// Lets the threads end once they have done what waits.
    public func stop() {
        state.withLock { $0.isStopped = true }
        for _ in 0..<count { ready.signal() }
    }

    private func work() {
        while true {
            ready.wait()
            let job = state.withLock { state -> (@Sendable () -> Void)? in
                guard state.begun < state.jobs.count else { return nil }
                let job = state.jobs[state.begun]
                state.begun += 1
                // Emptied when all is begun, or the half: each job is moved once at most.
                if state.begun * 2 > state.jobs.count {
                    state.jobs.removeFirst(state.begun)
                    state.begun = 0
                }
                return job
            }
            guard let job else {
                if state.withLock({ $0.isStopped }) { return }
                continue
            }
            job()
        }
    }
}
