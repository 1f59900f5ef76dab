import LinuxSystem
import Locking

/// Answers that come from other threads, each within a time limit.
///
/// One ticking task ends all waits that take too long: a `Task.sleep` for each would stay in memory until its
/// time has come.
final class TimelyAnswers<Answer: Sendable>: Sendable {
    private struct Waiting {
        let late: UInt64
        let otherwise: Answer
        let turn: CheckedContinuation<Answer, Never>
    }

    private struct State {
        var waiting: [UInt64: Waiting] = [:]
        var lastID: UInt64 = 0
        var isTicking = false
    }

    /// How late a limit may be.
    private static var tick: Duration { .milliseconds(50) }

    private let state = Locked(State())

    /// Waits for the answer that `resolve` gives to the number that `ask` is called with, at most that long;
    /// `otherwise` then.
    func answer(
        within milliseconds: UInt64, otherwise: Answer, _ ask: @Sendable (UInt64) -> Void
    ) async -> Answer {
        await withCheckedContinuation { turn in
            let (id, starts) = state.withLock { state in
                state.lastID += 1
                state.waiting[state.lastID] = Waiting(
                    late: monotonicMilliseconds() + milliseconds, otherwise: otherwise, turn: turn)
                defer { state.isTicking = true }
                return (state.lastID, !state.isTicking)
            }
            if starts { Task.detached { await self.run() } }
            ask(id)
        }
    }

    /// Gives the answer; nothing happens where it is too late.
    func resolve(_ id: UInt64, _ answer: Answer) {
        state.withLock { $0.waiting.removeValue(forKey: id) }?.turn.resume(returning: answer)
    }

    private func run() async {
        while true {
            // Nobody cancels it.
            try? await Task.sleep(for: Self.tick)
            let now = monotonicMilliseconds()
            let (late, isDone) = state.withLock { state in
                let late = state.waiting.filter { $0.value.late <= now }
                for id in late.keys { state.waiting[id] = nil }
                state.isTicking = !state.waiting.isEmpty
                return (Array(late.values), state.waiting.isEmpty)
            }
            for waiting in late { waiting.turn.resume(returning: waiting.otherwise) }
            if isDone { return }
        }
    }
}
