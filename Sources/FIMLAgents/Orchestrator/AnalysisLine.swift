import LinuxSystem
import Locking

/// Bounds how many analyses are under way, and how many wait for that, first come first served.
final class AnalysisLine: Sendable {
    /// A place of its own, or one in the line.
    struct Ticket: Hashable, Sendable {
        fileprivate let id: UInt64
    }

    private enum Turn {
        /// Nobody waits for it yet.
        case unasked
        case awaited(CheckedContinuation<Bool, Never>)
    }

    private struct State {
        var free: Int
        var waiting: [(ticket: Ticket, turn: Turn)] = []
        /// Those whose turn came before they waited for it.
        var granted: Set<Ticket> = []
        var lastID: UInt64 = 0
        var isClosed = false
        /// Of how long an analysis takes, in milliseconds: each counts for a tenth.
        var usualMilliseconds = 100.0
    }

    private let places: Int
    private let capacity: Int
    private let state: Locked<State>

    init(places: Int, waiting: Int) {
        self.places = places
        capacity = waiting
        state = Locked(State(free: places))
    }

    /// A place at once, or one in the line.
    func book() throws(AnalysisRefusal) -> Ticket {
        try state.withLock { state throws(AnalysisRefusal) in
            guard !state.isClosed else { throw .shuttingDown }
            guard state.free > 0 || state.waiting.count < capacity else {
                let turns = Double(state.waiting.count + 1) / Double(places)
                let seconds = (turns * state.usualMilliseconds / 1000).rounded(.up)
                throw .overloaded(retryAfterSeconds: Int(min(max(seconds, 1), 60)))
            }
            state.lastID += 1
            let ticket = Ticket(id: state.lastID)
            if state.free > 0 {
                state.free -= 1
                state.granted.insert(ticket)
            } else {
                state.waiting.append((ticket, .unasked))
            }
            return ticket
        }
    }

    /// Whether a ticket's turn has come already; then it is taken.
    func isGranted(_ ticket: Ticket) -> Bool {
        state.withLock { $0.granted.remove(ticket) != nil }
    }

    /// Waits for a ticket's turn. False where it does not come: the line was closed, or the task cancelled;
    /// then the ticket is void.
    func turn(of ticket: Ticket) async -> Bool {
        await withTaskCancellationHandler {
            await withCheckedContinuation { turn in
                let answer: Bool? = state.withLock { state in
                    if state.granted.remove(ticket) != nil { return true }
                    guard let index = state.waiting.firstIndex(where: { $0.ticket == ticket }) else {
                        return false
                    }
                    guard !Task.isCancelled else {
                        state.waiting.remove(at: index)
                        return false
                    }
                    state.waiting[index].turn = .awaited(turn)
                    return nil
                }
                if let answer { turn.resume(returning: answer) }
            }
        } onCancel: {
            let turn: Turn? = state.withLock { state in
                state.waiting.firstIndex { $0.ticket == ticket }.map { state.waiting.remove(at: $0).turn }
            }
            if case .awaited(let turn) = turn { turn.resume(returning: false) }
        }
    }

    /// Gives a place back, after so long, to who waits longest.
    func leave(after milliseconds: UInt64) {
        let turn: Turn? = state.withLock { state in
            state.usualMilliseconds += (Double(milliseconds) - state.usualMilliseconds) / 10
            guard !state.waiting.isEmpty else {
                state.free += 1
                return nil
            }
            let (ticket, turn) = state.waiting.removeFirst()
            if case .unasked = turn { state.granted.insert(ticket) }
            return turn
        }
        if case .awaited(let turn) = turn { turn.resume(returning: true) }
    }

    /// From now on nobody is let in, and whoever waits is turned away.
    func close() {
        let turns = state.withLock { state in
            state.isClosed = true
            defer { state.waiting = [] }
            return state.waiting.map(\.turn)
        }
        for case .awaited(let turn) in turns { turn.resume(returning: false) }
    }

    /// Whether it was closed.
    var isClosed: Bool { state.withLock { $0.isClosed } }
    /// How many are under way.
    var underWay: Int { state.withLock { places - $0.free } }
    /// How many wait for their turn.
    var waiting: Int { state.withLock { $0.waiting.count } }
}
