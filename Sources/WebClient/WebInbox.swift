import LinuxSystem
import Locking

/// How a task that asked gets its answer.
typealias WebAnswer = CheckedContinuation<Result<WebResponse, WebError>, Never>

/// The way from the tasks that ask to the client's thread: a bounded list, and an eventfd that wakes it.
final class WebInbox: Sendable {
    enum Command: Sendable {
        case start(UInt64, WebRequest, WebAddress, WebAnswer)
        case cancel(UInt64)
    }

    private struct State {
        var commands: [Command] = []
        var lastID: UInt64 = 0
        /// Accepted and not finished.
        var open = 0
        var isClosed = false
    }

    private let maxOpen: Int
    private let state = Locked(State())
    private let wake: EventFD

    init(maxOpen: Int) throws(SystemCallError) {
        self.maxOpen = maxOpen
        wake = try EventFD()
    }

    /// Readable when there may be something to take.
    var descriptor: Int32 { wake.raw }

    /// A number that no other request has.
    func nextID() -> UInt64 {
        state.withLock { state in
            state.lastID += 1
            return state.lastID
        }
    }

    /// Hands a request over, which will be answered; at once where there is no room.
    func start(_ id: UInt64, _ request: WebRequest, _ address: WebAddress, _ answer: WebAnswer) {
        let isAccepted = state.withLock { state in
            guard !state.isClosed, state.open < maxOpen else { return false }
            state.open += 1
            state.commands.append(.start(id, request, address, answer))
            return true
        }
        if isAccepted {
            wake.signal()
        } else {
            answer.resume(returning: .failure(.busy))
        }
    }

    /// Asks that a request be ended, if it is not over.
    func cancel(_ id: UInt64) {
        state.withLock { $0.commands.append(.cancel(id)) }
        wake.signal()
    }

    /// Ends the thread.
    func close() {
        state.withLock { $0.isClosed = true }
        wake.signal()
    }

    // MARK: - On the client's thread

    /// What has come since the last time; nil once closed. What had come until then is answered.
    func take() -> [Command]? {
        wake.clear()
        let (commands, isClosed) = state.withLock { state in
            defer { state.commands = [] }
            return (state.commands, state.isClosed)
        }
        guard isClosed else { return commands }
        for case .start(_, _, _, let answer) in commands { answer.resume(returning: .failure(.cancelled)) }
        return nil
    }

    /// A request that was accepted is over.
    func finished() {
        state.withLock { $0.open -= 1 }
    }
}
