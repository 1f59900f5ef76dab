import FIMLCore

/// Whether a worker gets tasks.
public enum CircuitState: String, CaseIterable, JSONWritable, Sendable {
    /// It does.
    case closed
    /// It failed too often in a row, and does not.
    case open
    /// One task tries whether it is back.
    case halfOpen = "half_open"
}

/// The circuit of one worker. Pure: times are milliseconds of a clock that only grows.
///
/// ```
/// closed ── 5 failures in a row ──► open ── 60 s ──► half open ── success ──► closed
///                                    ▲                   └───── failure ─────┐
///                                    └───────────────────────────────────────┘
/// ```
struct CircuitBreaker {
    private let threshold: Int
    private let openMilliseconds: UInt64
    private(set) var state = CircuitState.closed
    private(set) var failures = 0
    /// When a task may try; of use while it is open.
    private(set) var opensAt: UInt64 = 0

    init(threshold: Int, openMilliseconds: UInt64) {
        self.threshold = threshold
        self.openMilliseconds = openMilliseconds
    }

    /// Whether a task may be given.
    func admits(at now: UInt64) -> Bool {
        switch state {
        case .closed: true
        case .open: now >= opensAt
        case .halfOpen: false
        }
    }

    /// A task is given, which must have been admitted.
    mutating func began() {
        if state == .open { state = .halfOpen }
    }

    /// A task was answered.
    mutating func succeeded() {
        state = .closed
        failures = 0
    }

    /// A task failed.
    mutating func failed(at now: UInt64) {
        failures += 1
        switch state {
        case .closed where failures < threshold: break
        case .closed, .halfOpen:
            state = .open
            opensAt = now + openMilliseconds
        // One that was given before it opened.
        case .open: break
        }
    }

    /// A task ended without saying anything about the worker. A trial is made again with the next.
    mutating func abandoned(at now: UInt64) {
        guard state == .halfOpen else { return }
        state = .open
        opensAt = now
    }
}
