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

    /// A task is given, which must have been admitted; whether it is the trial.
    mutating func began() -> Bool {
        guard state == .open else { return false }
        state = .halfOpen
        return true
    }

    // While it is not closed only the trial decides: a task that was given before it opened may end at any
    // time, and must neither close it early nor let a second trial begin beside the first.

    /// A task was answered.
    mutating func succeeded(isTrial: Bool) {
        guard isTrial || state == .closed else { return }
        state = .closed
        failures = 0
    }

    /// A task failed.
    mutating func failed(isTrial: Bool, at now: UInt64) {
        failures += 1
        guard isTrial || (state == .closed && failures >= threshold) else { return }
        state = .open
        opensAt = now + openMilliseconds
    }

    /// A task ended without saying anything about the worker. A trial is made again with the next.
    mutating func abandoned(isTrial: Bool, at now: UInt64) {
        guard isTrial else { return }
        state = .open
        opensAt = now
    }
}
