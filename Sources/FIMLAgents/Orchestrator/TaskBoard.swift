import FIMLCore
import LinuxSystem
import Locking

/// The analyses that can be asked after: those under way, and the newest that have ended.
final class TaskBoard: Sendable {
    private struct Entry {
        var task: AnalysisTask
        var work: Task<Void, Never>?
        var isCancelled = false
        /// When it is forgotten, by a clock that only grows; nil while it is under way.
        var expires: UInt64?
        var bytes = 0
    }

    private struct State {
        var entries: [String: Entry] = [:]
        /// Those that have ended, oldest first.
        var ended: [String] = []
        var bytes = 0
    }

    private static let endedLimit = 2_000
    private static let byteLimit = 64 << 20

    private let ttlMilliseconds: UInt64
    private let now: @Sendable () -> UInt64
    private let state = Locked(State())

    init(ttl: Duration, now: @escaping @Sendable () -> UInt64) {
        ttlMilliseconds = UInt64(clamping: ttl.components.seconds) * 1000
        self.now = now
    }

    /// A new task, waiting.
    func add(_ progress: TaskProgress) -> AnalysisTask {
        let task = AnalysisTask(
            progress: progress, createdAt: Timestamp(milliseconds: wallMilliseconds()), finishedAt: nil)
        state.withLock { $0.entries[progress.taskID] = Entry(task: task) }
        return task
    }

    /// What can be cancelled of it.
    func started(_ id: String, _ work: Task<Void, Never>) {
        let isCancelled = state.withLock { state in
            guard state.entries[id]?.expires == nil else { return false }
            state.entries[id]?.work = work
            return state.entries[id]?.isCancelled ?? false
        }
        if isCancelled { work.cancel() }
    }

    /// A task has come so far.
    func update(_ progress: TaskProgress) {
        state.withLock { state in
            guard state.entries[progress.taskID]?.isCancelled == false else { return }
            state.entries[progress.taskID]?.task.progress = progress
        }
    }

    /// A task has ended; how it counts: one that was cancelled in its last moment is cancelled, as whoever
    /// did it was told.
    func end(_ progress: TaskProgress) -> TaskProgress {
        // Kept for who asks after it, so counted by what it will be as text.
        let bytes = 512 + (progress.analysis?.results.count ?? 0) * 2_048
        let now = now()
        return state.withLock { state in
            let id = progress.taskID
            guard var entry = state.entries[id] else { return progress }
            var progress = progress
            progress.step = nil
            if entry.isCancelled {
                (progress.status, progress.refusal, progress.analysis) = (.cancelled, .cancelled, nil)
            }
            entry.task.progress = progress
            entry.task.finishedAt = Timestamp(milliseconds: wallMilliseconds())
            entry.work = nil
            entry.expires = now + ttlMilliseconds
            entry.bytes = bytes
            state.entries[id] = entry
            state.ended.append(id)
            state.bytes += bytes
            var gone = 0
            for id in state.ended {
                let entry = state.entries[id]
                let isExpired = (entry?.expires ?? 0) <= now
                let isOver = state.ended.count - gone > Self.endedLimit || state.bytes > Self.byteLimit
                guard isExpired || isOver else { break }
                state.bytes -= entry?.bytes ?? 0
                state.entries[id] = nil
                gone += 1
            }
            state.ended.removeFirst(gone)
            return progress
        }
    }

    /// A task as it is; nil where it is not known, or no longer.
    func task(_ id: String) -> AnalysisTask? {
        let now = now()
        return state.withLock { state in
            state.entries[id].flatMap { ($0.expires ?? .max) > now ? $0.task : nil }
        }
    }

    /// Asks a task to end; one that has ended stays as it is.
    func cancel(_ id: String) {
        let work = state.withLock { state in
            guard var entry = state.entries[id], entry.expires == nil else { return Task<Void, Never>?.none }
            entry.isCancelled = true
            // What runs is told so and ends in a moment.
            entry.task.progress.status = .cancelled
            entry.task.progress.refusal = .cancelled
            state.entries[id] = entry
            return entry.work
        }
        work?.cancel()
    }
}
