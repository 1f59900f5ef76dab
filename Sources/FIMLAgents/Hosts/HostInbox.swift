import FIMLCore
import LinuxSystem
import Locking

/// How a task that asked gets its answer.
typealias HostAnswer = CheckedContinuation<Result<WorkerAnswer, WorkerFailure>, Never>

/// The way from whoever asks to the supervisor's thread: a bounded list, and an eventfd that wakes it.
final class HostInbox: Sendable {
    enum Command: Sendable {
        /// A host is to be started, and from then on looked after.
        case add(UInt64, HostPlan)
        /// A task for a host.
        case run(host: UInt64, HostTask)
        /// Nobody waits for that task any more.
        case cancel(host: UInt64, task: UInt64)
        /// A host is to be ended; who waits for that is told.
        case shutDown(host: UInt64, CheckedContinuation<Void, Never>?)
    }

    /// Bytes of frames that wait for the thread.
    private static let maxBytes = 64 << 20

    private struct State {
        var commands: [Command] = []
        var bytes = 0
        var lastID: UInt64 = 0
        var isClosed = false
    }

    private let state = Locked(State())
    private let wake: EventFD

    init() throws(SystemCallError) {
        wake = try EventFD()
    }

    /// Readable when there may be something to take.
    var descriptor: Int32 { wake.raw }

    /// A number that no other host or task has.
    func nextID() -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Hands a command over. A task is answered at once where there is no room for it, or nobody to do it.
    func post(_ command: Command) {
        let (isAccepted, isClosed) = state.withLock { state in
            guard !state.isClosed else { return (false, true) }
            if case .run(_, let task) = command {
                guard state.bytes + task.frame.count <= Self.maxBytes else { return (false, false) }
                state.bytes += task.frame.count
            }
            state.commands.append(command)
            return (true, false)
        }
        if isAccepted {
            wake.signal()
        } else {
            Self.refuse(command, isClosed ? .stopped : .refused(HostRun.tooManyWait))
        }
    }

    private static func refuse(_ command: Command, _ failure: WorkerFailure) {
        switch command {
        case .add, .cancel: break
        case .run(_, let task): task.answer.resume(returning: .failure(failure))
        case .shutDown(_, let waiting): waiting?.resume()
        }
    }

    /// Ends the thread.
    func close() {
        state.withLock { $0.isClosed = true }
        wake.signal()
    }

    // MARK: - On the supervisor's thread

    /// What has come since the last time; nil once closed. What had come until then is refused.
    func take() -> [Command]? {
        wake.clear()
        let (commands, isClosed) = state.withLock { state in
            defer {
                state.commands = []
                state.bytes = 0
            }
            return (state.commands, state.isClosed)
        }
        guard isClosed else { return commands }
        for command in commands { Self.refuse(command, .stopped) }
        return nil
    }
}

/// A task on its way to a host.
struct HostTask: Sendable {
    /// A number that no other task has.
    let id: UInt64
    /// What is sent.
    let frame: [UInt8]
    /// The number of the process that holds its figures; nil where it carries them.
    let process: Int?
    /// How long it may take.
    let limit: Duration
    /// Who waits.
    let answer: HostAnswer
}

/// What a host is to be.
struct HostPlan: Sendable {
    var type: WorkerType
    var command: HostCommand
    var limits: HostLimits
    var maxHeartbeatAge: Duration
    var board: HostBoard
}
