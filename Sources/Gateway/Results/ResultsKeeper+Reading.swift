import EventStore
import LinuxSystem

// What the readers do.
extension ResultsKeeper {
    /// Lets a reader have it; why it cannot be read now, else nil. While the store is being opened it waits.
    func ask(_ read: Read) -> StoreError? {
        let now = monotonicMilliseconds()
        let (refusal, wakes) = state.withLock { state -> (StoreError?, Bool) in
            guard !state.isClosed else { return (.unavailable("the gateway is shutting down"), false) }
            if case .trouble(let reason, _) = state.standing.state { return (.unavailable(reason), false) }
            let areStuck = state.readingSince.allSatisfy { since in
                since.map { now >= $0 + limits.read } ?? false
            }
            guard !areStuck, state.reads.count < limits.reading else {
                return (.unavailable("it is too slow"), false)
            }
            state.reads.append(read)
            return (nil, state.standing.isReady)
        }
        if wakes { readerWake.signal() }
        return refusal
    }

    /// Runs on a reader's thread until the end.
    func read(as reader: Int) {
        while true {
            readerWake.wait()
            let (next, isClosed) = state.withLock { state -> (Read?, Bool) in
                guard !state.isClosed, !state.reads.isEmpty else { return (nil, state.isClosed) }
                state.readingSince[reader] = monotonicMilliseconds()
                return (state.reads.removeFirst(), false)
            }
            if isClosed { return }
            guard let next else { continue }
            do throws(StoreError) {
                let entry = try store.get(next.key, now: wallMilliseconds())
                state.withLock { state in
                    state.readingSince[reader] = nil
                    state.answeredAt = monotonicMilliseconds()
                }
                answers.resolve(next.id, .success(entry))
            } catch {
                state.withLock { state in
                    state.readingSince[reader] = nil
                    // Whether the store is away, or only this entry is, its next answer tells.
                    state.pingAt = 0
                }
                writerWake.signal()
                answers.resolve(next.id, .failure(error))
            }
        }
    }
}
