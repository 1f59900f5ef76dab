import EventStore
import FIMLCore
import LinuxSystem

/// How the store of results is, for `/health/db`.
struct StoreHealth: Sendable {
    /// In one word.
    enum Status: String, JSONWritable, Sendable {
        case starting, healthy, unhealthy
    }

    var status: Status
    /// What is wrong, in one sentence, and since when; nil where nothing is.
    var reason: String?
    var since: Timestamp?
    var version: String?
    var latencyMilliseconds: Double?
    var checkedAt: Timestamp?
    /// How many entries there were of which kind when they were counted last: `task`.
    var entries: [(kind: String, count: Int)]
    /// Entries that wait to be written.
    var pending: Int
}

extension ResultsKeeper {
    /// As its last answers show it: one that hangs is told by its silence.
    func health() -> StoreHealth {
        let ticks = monotonicMilliseconds()
        return state.withLock { state in
            var health = StoreHealth(
                status: .healthy, version: state.last.version, latencyMilliseconds: state.last.milliseconds,
                checkedAt: state.last.at.map { Timestamp(milliseconds: $0) },
                entries: limits.kinds.compactMap { prefix, _ in
                    state.counts[prefix].map { (String(prefix.dropLast()), $0) }
                }, pending: state.pending.count)
            let silent = ticks - min(state.answeredAt, ticks)
            switch state.standing.state {
            case .trouble(let reason, let since):
                health.status = .unhealthy
                health.reason = reason
                health.since = Timestamp(milliseconds: since)
            case .starting where silent < limits.silence: health.status = .starting
            case .ready where silent < limits.silence: break
            case .starting, .ready:
                health.status = .unhealthy
                health.reason = "it has answered nothing for \(silent / 1000) s"
                health.since = Timestamp(milliseconds: wallMilliseconds() - Int64(clamping: silent))
            }
            return health
        }
    }
}
