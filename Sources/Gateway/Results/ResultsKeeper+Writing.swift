import Dispatch
import EventStore
import LinuxSystem

// What the writer does.
extension ResultsKeeper {
    private enum Step {
        /// It is opened, asked, and given one entry where some wait: only what can write is there again.
        case open([KeptEntry])
        case put([KeptEntry])
        case ping
        case clean
        case rest(milliseconds: UInt64)
        case end
    }

    /// Runs on the writer's thread until the end.
    func write() {
        while true {
            let step = state.withLock { state in
                let step = nextStep(&state, monotonicMilliseconds())
                if case .rest = step { state.isResting = true } else { state.isResting = false }
                return step
            }
            do throws(StoreError) {
                switch step {
                case .end: return
                case .rest(let milliseconds):
                    _ = writerWake.wait(timeout: .now() + .milliseconds(Int(clamping: milliseconds)))
                    continue
                case .open(let entries):
                    try store.open()
                    try ping()
                    if !entries.isEmpty { try store.put(entries) }
                    wrote(entries.count)
                case .put(let entries):
                    try store.put(entries)
                    wrote(entries.count)
                case .ping: try ping()
                case .clean: try clean()
                }
                succeeded()
            } catch {
                failed(error.description)
            }
        }
    }

    private func nextStep(_ state: inout State, _ ticks: UInt64) -> Step {
        let now = wallMilliseconds()
        if state.isClosed {
            guard state.standing.isReady, !state.pending.isEmpty else { return .end }
            return .put(state.pending.take(limits.batchEntries, bytes: limits.batchBytes, now: now))
        }
        guard state.standing.isReady else {
            guard ticks >= state.standing.retryAt else {
                return .rest(milliseconds: state.standing.retryAt - ticks)
            }
            return .open(state.pending.take(1, bytes: .max, now: now))
        }
        // Before what waits, so that a store under full load is asked, too.
        if ticks >= state.pingAt { return .ping }
        if ticks >= state.cleanAt || state.putSinceCleaning >= limits.cleanAfter { return .clean }
        let next = min(state.pingAt, state.cleanAt)
        guard !state.pending.isEmpty else {
            state.gathersUntil = nil
            return .rest(milliseconds: next - ticks)
        }
        if let end = state.gathersUntil, ticks < end, !isPressing(state.pending) {
            return .rest(milliseconds: min(next, end) - ticks)
        }
        let batch = state.pending.take(limits.batchEntries, bytes: limits.batchBytes, now: now)
        state.gathersUntil = state.pending.isEmpty ? nil : ticks
        return .put(batch)
    }

    private func ping() throws(StoreError) {
        let begun = monotonicNanoseconds()
        let version = try store.ping()
        let milliseconds = Double(monotonicNanoseconds() - begun) / 1e6
        state.withLock { state in
            state.last = LastPing(version: version, milliseconds: milliseconds, at: wallMilliseconds())
            state.pingAt = monotonicMilliseconds() + limits.ping
        }
    }

    private func clean() throws(StoreError) {
        let now = wallMilliseconds()
        for (prefix, limit) in limits.kinds {
            if let limit { try store.removeExpired(now: now, prefix: prefix, limit: limit) }
            let count = try store.count(prefix: prefix)
            state.withLock { $0.counts[prefix] = count }
        }
        state.withLock { state in
            state.cleanAt = monotonicMilliseconds() + limits.clean
            state.putSinceCleaning = 0
        }
    }

    private func wrote(_ count: Int) {
        let settled = state.withLock { state in
            state.pending.written()
            state.putSinceCleaning += count
            return Self.takeSettlers(&state)
        }
        kept.add(count, ordering: .relaxed)
        for id in settled { settling.resolve(id, ()) }
    }

    private func succeeded() {
        let (change, waiting, dropped) = state.withLock { state in
            state.answeredAt = monotonicMilliseconds()
            let change = state.standing.succeeded(at: wallMilliseconds())
            let dropped = state.droppedInTrouble
            if change != nil { state.droppedInTrouble = 0 }
            return (change, change == nil ? 0 : state.reads.count, dropped)
        }
        guard let change else { return }
        for _ in 0..<waiting { readerWake.signal() }
        say(change, dropped)
    }

    private func failed(_ reason: String) {
        let (change, gone, settled, refused) = state.withLock { state in
            let change = state.standing.failed(
                reason, at: wallMilliseconds(), ticks: monotonicMilliseconds())
            if change != nil { state.droppedInTrouble = 0 }
            let gone = state.pending.putBack()
            state.droppedInTrouble += gone
            defer { state.reads = [] }
            return (change, gone, Self.takeSettlers(&state), state.reads)
        }
        dropped.add(gone, ordering: .relaxed)
        for id in settled { settling.resolve(id, ()) }
        for read in refused { answers.resolve(read.id, .failure(.unavailable(reason))) }
        if let change { say(change, 0) }
    }
}
