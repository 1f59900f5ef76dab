/// How a store is, as the one who uses it sees it. Pure: it is told what happened, and when.
struct StoreStanding: Sendable {
    /// How it is.
    enum State: Hashable, Sendable {
        /// It has not answered yet.
        case starting
        /// It has answered last.
        case ready
        /// It has not done what it was asked to. `since`: milliseconds since 1970.
        case trouble(reason: String, since: Int64)
    }

    /// What is worth being told.
    enum Change: Hashable, Sendable {
        case becameReady
        case troubleBegan(String)
        case troubleEnded(seconds: Int64)
    }

    /// The pauses between tries grow from the first to the second.
    private static let pauses: (shortest: UInt64, longest: UInt64) = (1_000, 30_000)

    private(set) var state = State.starting
    /// When it is tried again, by the clock that only grows; 0: at once.
    private(set) var retryAt: UInt64 = 0
    private var failures: UInt64 = 0

    /// Whether it can be used.
    var isReady: Bool { state == .ready }

    /// It has done all that it was asked to.
    mutating func succeeded(at now: Int64) -> Change? {
        defer {
            state = .ready
            failures = 0
        }
        switch state {
        case .ready: return nil
        case .starting: return .becameReady
        case .trouble(_, let since): return .troubleEnded(seconds: max(0, now - since) / 1000)
        }
    }

    /// It has not, for that reason, in one sentence. `ticks`: the clock that only grows, in milliseconds.
    mutating func failed(_ reason: String, at now: Int64, ticks: UInt64) -> Change? {
        retryAt = ticks + min(Self.pauses.shortest << min(failures, 16), Self.pauses.longest)
        failures += 1
        if case .trouble(_, let since) = state {
            state = .trouble(reason: reason, since: since)
            return nil
        }
        state = .trouble(reason: reason, since: now)
        return .troubleBegan(reason)
    }
}
