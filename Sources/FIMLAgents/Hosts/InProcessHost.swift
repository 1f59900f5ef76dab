import Analysis
import FIMLCore
import Glibc
import LinuxSystem
import Locking

/// Workers in this process, each on a thread of its own: for programs that use this library and need no
/// second process, and for tests.
///
/// Nothing bounds what they use, which the status says. A worker that does not end keeps its thread and all
/// tasks behind it; whoever waits for them is answered in time all the same. A trap in a worker ends the
/// whole process.
public final class InProcessHost: WorkerHost {
    private typealias Queue = WorkQueue<@Sendable (any Worker) -> Void>

    private struct State {
        var status: WorkerHostStatus
        var lastID = 0
        var waiting: [Int: HostAnswer] = [:]
    }

    /// Tasks that wait for one worker.
    private static let queueLimit = 4_096

    private let queues: [Queue]
    private let state: Locked<State>

    /// A host that runs from now on. `make` gives each worker its own instance. Where the kernel has no
    /// thread left the host is stopped, and says why.
    public init(_ type: WorkerType, workers: Int = 1, make: () -> any Worker) {
        var status = WorkerHostStatus(type, .running)
        var queues: [Queue] = []
        do throws(SystemCallError) {
            for number in 0..<max(workers, 1) {
                queues.append(try Self.start(make(), name: "\(type.idPrefix)\(number)"))
            }
            status.processID = getpid()
            status.startedAt = Timestamp(milliseconds: wallMilliseconds())
        } catch {
            status.state = .stopped
            status.lastExit = error.description
        }
        self.queues = queues
        state = Locked(State(status: status))
    }

    deinit {
        for queue in queues { queue.close() }
    }

    private static func start(_ worker: any Worker, name: String) throws(SystemCallError) -> Queue {
        let queue = try Queue(limit: queueLimit)
        try LinuxSystem.Thread(name: name) {
            while let tasks = queue.takeAll() {
                for task in tasks { task(worker) }
            }
        }.detach()
        return queue
    }

    /// What the worker of that number makes of the figures.
    public func run(
        _ figures: Figures, by worker: Int, within limit: Duration
    ) async throws(WorkerFailure) -> WorkerAnswer {
        guard queues.indices.contains(worker) else {
            if let reason = status().lastExit { throw .hostLost(reason) }
            throw .threw("there is no worker \(worker)")
        }
        let id = state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                begin(id, figures, queues[worker], limit, answer)
                // A task that was cancelled before this had nothing to end yet.
                if Task.isCancelled { finish(id, .failure(.stopped)) }
            }
        } onCancel: {
            finish(id, .failure(.stopped))
        }
        return try result.get()
    }

    private func begin(
        _ id: Int, _ figures: Figures, _ queue: Queue, _ limit: Duration, _ answer: HostAnswer
    ) {
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
        let isAccepted = queue.add { worker in
            // Nobody waits any more for what was too late already when its turn came.
            guard self.isWaited(id) else { return }
            self.finish(id, .success(Self.answer(of: worker, to: figures)))
            timer.cancel()
        }
        if !isAccepted {
            finish(id, .failure(.threw("too many tasks wait for the worker")))
            timer.cancel()
        }
    }

    private static func answer(of worker: any Worker, to figures: Figures) -> WorkerAnswer {
        do throws(InsufficientData) {
            return .finding(try worker.analyze(figures))
        } catch {
            return .insufficient(error.missing)
        }
    }

    private func isWaited(_ id: Int) -> Bool {
        state.withLock { $0.waiting[id] != nil }
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

    /// Takes no more tasks; those that run or wait are answered `stopped`.
    public func shutDown() async {
        let waiting = state.withLock { state in
            state.status.state = .stopped
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for queue in queues { queue.close() }
        for answer in waiting { answer.resume(returning: .failure(.stopped)) }
    }
}
