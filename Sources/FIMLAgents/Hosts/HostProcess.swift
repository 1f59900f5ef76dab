import Analysis
import FIMLCore
import LinuxSystem
import Locking

/// The workers of one type in a child process of their own, within limits, so that whatever becomes of an
/// analysis (a trap, a leak, a loop without end) ends that process and nothing else.
///
/// How each fault ends:
///
/// - A process that ends, however: its tasks fail with `hostLost`, and so do those that come until it has
///   been started again (`RestartBackoff`).
/// - A task that takes longer than its limit: `timedOut`; the process is killed, since a thread cannot be
///   stopped, and its other tasks fail with `hostLost`.
/// - Bytes that are no frame, or an answer to nobody: all its tasks fail with `rubbish`, and it is killed.
/// - An answer that cannot be used: that task fails with `rubbish`; the process goes on.
/// - Nothing heard for `maxHeartbeatAge`: it is killed, and its tasks fail with `hostLost`.
/// - More than 16 MiB of tasks that the process does not take: further ones are `refused`.
public final class HostProcess: WorkerHost {
    private let id: UInt64
    private let board: HostBoard
    private let supervisor: HostSupervisor
    private let sent = Locked(SentFigures())

    /// A host, which is started at once; tasks may be given to it right away.
    ///
    /// - Parameter workers: how many workers the host has, as the command tells it.
    /// - Parameter maxHeartbeatAge: how long it may be silent; it says every 5 s that it lives, so less than
    ///   6 s counts as 6.
    /// - Parameter onChange: is told each change of its state, on the supervisor's thread; must not block.
    public init(
        _ type: WorkerType, workers: Int, command: HostCommand, limits: HostLimits,
        maxHeartbeatAge: Duration, supervisor: HostSupervisor,
        onChange: @escaping @Sendable (WorkerHostStatus) -> Void = { _ in }
    ) {
        self.supervisor = supervisor
        self.workers = workers
        board = HostBoard(type, onChange: onChange)
        id = supervisor.inbox.nextID()
        supervisor.inbox.post(
            .add(
                id,
                HostPlan(
                    type: type, command: command, limits: limits, maxHeartbeatAge: maxHeartbeatAge,
                    board: board)))
    }

    /// How many workers it has.
    public let workers: Int

    deinit {
        supervisor.inbox.post(.shutDown(host: id, nil))
    }

    /// What the worker of that number makes of the figures; see the type for how it may fail.
    public func run(
        _ figures: Figures, by worker: Int, within limit: Duration
    ) async throws(WorkerFailure) -> WorkerAnswer {
        let inbox = supervisor.inbox
        let host = id
        let task = inbox.nextID()
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                post(figures, task, worker, limit, answer)
                // A task that was cancelled before this had nothing to end yet.
                if Task.isCancelled { inbox.post(.cancel(host: host, task: task)) }
            }
        } onCancel: {
            inbox.post(.cancel(host: host, task: task))
        }
        // Whether it holds what was sent last is not known then.
        if case .failure(let failure) = result, failure != .stopped { sent.withLock { $0 = SentFigures() } }
        return try result.get()
    }

    /// Sends a task: its figures where the host does not hold them yet, else where it does. In the order in
    /// which the host is to hold them.
    private func post(
        _ figures: Figures, _ task: UInt64, _ worker: Int, _ limit: Duration, _ answer: HostAnswer
    ) {
        let request = WorkerRequest(task: task, worker: worker, figures: figures)
        let market = figures.withoutSubject
        let process = board.processNumber
        func send(_ frame: [UInt8], to process: Int?) {
            let task = HostTask(id: task, frame: frame, process: process, limit: limit, answer: answer)
            supervisor.inbox.post(.run(host: id, task))
        }
        let isSent = sent.withLock { sent in
            sent.follow(process: process)
            guard let place = sent.place(of: market), let frame = WorkerFrame.encode(request.held(at: place))
            else { return false }
            send(frame, to: process)
            return true
        }
        if isSent { return }
        let text = market.json
        sent.withLock { sent in
            sent.follow(process: process)
            let place = text.count <= SentFigures.maxBytes ? sent.keep(market, number: task) : nil
            if let frame = WorkerFrame.encode(request.carrying(text, keptAt: place)) {
                send(frame, to: nil)
            } else {
                let reason = "the figures are longer than \(FrameReader.maxBytes) bytes"
                answer.resume(returning: .failure(.refused(reason)))
            }
        }
    }

    /// How it is now. Memory and processor time are measured at most once a second.
    public func status() -> WorkerHostStatus {
        board.status()
    }

    /// Closes its connection, at which it ends; kills it where it has not ended a second later. Tasks are
    /// answered `stopped`.
    public func shutDown() async {
        await withCheckedContinuation { waiting in
            supervisor.inbox.post(.shutDown(host: id, waiting))
        }
    }
}
