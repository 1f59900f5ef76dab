import LinuxSystem
import Locking

/// Ends waits that take too long, all by one timer.
///
/// A `Task.sleep` that is cancelled stays in memory until its time has come; of a thousand analyses a second,
/// each with minutes to go, that would be some hundred megabytes.
final class TimeLimits: Sendable {
    private struct Waiter {
        let end: UInt64
        let turn: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var waiting: [UInt64: Waiter] = [:]
        var lastID: UInt64 = 0
        var isTicking = false
    }

    /// How late a limit may be.
    private static let tick = Duration.milliseconds(100)

    private let state = Locked(State())

    /// Waits for that long; false where the task is cancelled before.
    func pass(_ limit: Duration) async -> Bool {
        let milliseconds = UInt64(max(0, min(limit, .seconds(31_536_000)) / .milliseconds(1)))
        let end = monotonicMilliseconds() + milliseconds
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        return await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let (isCancelled, starts) = state.withLock { state in
                    if Task.isCancelled { return (true, false) }
                    state.waiting[id] = Waiter(end: end, turn: turn)
                    defer { state.isTicking = true }
                    return (false, !state.isTicking)
                }
                if isCancelled { turn.resume(returning: false) }
                if starts { Task.detached { await self.run() } }
            }
        } onCancel: {
            let waiter = state.withLock { $0.waiting.removeValue(forKey: id) }
            waiter?.turn.resume(returning: false)
        }
    }

    /// Looks each tenth of a second, for as long as anybody waits.
    private func run() async {
        while true {
            // Nobody cancels it.
            try? await Task.sleep(for: Self.tick)
            let now = monotonicMilliseconds()
            let (late, isDone) = state.withLock { state in
                let late = state.waiting.filter { $0.value.end <= now }
                for id in late.keys { state.waiting[id] = nil }
                state.isTicking = !state.waiting.isEmpty
                return (late.values.map(\.turn), state.waiting.isEmpty)
            }
            for turn in late { turn.resume(returning: true) }
            if isDone { return }
        }
    }
}
