import Analysis
import FIMLCore
import Glibc
import LinuxSystem
import Locking

/// Workers in this process, on Swift's own threads: for programs that use this library and need no second
/// process, and for tests.
///
/// Nothing bounds what they use, which the status says, and a worker that does not end keeps its thread: only
/// whoever waits for it is answered in time. A trap in a worker ends the whole process.
public final class InProcessHost: WorkerHost {
    private struct State {
        var status: WorkerHostStatus
        var lastID = 0
        var waiting: [Int: HostAnswer] = [:]
    }

    private let workers: [any Worker]
    private let state: Locked<State>

    /// A host that runs from now on. `make` gives each worker its own instance.
    public init(_ type: WorkerType, workers: Int = 1, make: () -> any Worker) {
        self.workers = (0..<max(workers, 1)).map { _ in make() }
        var status = WorkerHostStatus(type, .running)
        status.processID = getpid()
        status.startedAt = Timestamp(milliseconds: wallMilliseconds())
        state = Locked(State(status: status))
    }

    /// What the worker of that number makes of the figures.
    public func run(
        _ figures: Figures, by worker: Int, within limit: Duration
    ) async throws(WorkerFailure) -> WorkerAnswer {
        guard workers.indices.contains(worker) else { throw .threw("there is no worker \(worker)") }
        let worker = workers[worker]
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                let isOpen = state.withLock { state in
                    guard state.status.state == .running else { return false }
                    state.waiting[id] = answer
                    return true
                }
                guard isOpen else {
                    answer.resume(returning: .failure(.stopped))
                    return
                }
                let timer = Task.detached {
                    // Ended early where the answer has come; then nobody waits any more.
                    try? await Task.sleep(for: limit)
                    self.finish(id, .failure(.timedOut(limit)))
                }
                Task.detached {
                    self.finish(id, .success(Self.answer(of: worker, to: figures)))
                    timer.cancel()
                }
                if Task.isCancelled { finish(id, .failure(.stopped)) }
            }
        } onCancel: {
            finish(id, .failure(.stopped))
        }
        return try result.get()
    }

    private static func answer(of worker: any Worker, to figures: Figures) -> WorkerAnswer {
        do throws(InsufficientData) {
            return .finding(try worker.analyze(figures))
        } catch {
            return .insufficient(error.missing)
        }
    }

    /// The first who finishes a task decides how.
    private func finish(_ id: Int, _ result: Result<WorkerAnswer, WorkerFailure>) {
        let answer = state.withLock { $0.waiting.removeValue(forKey: id) }
        answer?.resume(returning: result)
    }

    /// How this process is: its memory and processor time are not the workers' alone, and nothing limits
    /// them.
    public func status() -> WorkerHostStatus {
        state.withLock { state in
            guard state.status.state == .running, let process = state.status.processID else {
                return state.status
            }
            state.status.lastHeartbeat = Timestamp(milliseconds: wallMilliseconds())
            state.status.memoryMB = Double(ProcessReadings.residentBytes(of: process) ?? 0) / 1_048_576
            state.status.cpuSeconds = ProcessReadings.cpuSeconds(of: process) ?? 0
            return state.status
        }
    }

    /// Takes no more tasks; those that run are answered `stopped`.
    public func shutDown() async {
        let waiting = state.withLock { state in
            state.status.state = .stopped
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for answer in waiting { answer.resume(returning: .failure(.stopped)) }
    }
}
