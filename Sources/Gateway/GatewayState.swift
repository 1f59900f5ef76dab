import Configuration
import EventStore
import FIMLCore
import FIMLWatchdogs
import Foundation
import LinuxSystem
import Locking
import Observability
import Synchronization
import Transport

/// What the loops share: settings, the way to publish, metrics, and how the watchdogs are.
final class GatewayState: Sendable {
    let settings: Settings
    let log: Log
    let publisher: Publisher
    /// The other gateways; nil without a Redis that joins them.
    let cluster: ClusterControl?
    /// What is kept of clients that come back.
    let sessions: SessionKeeper
    let metrics: GatewayMetrics
    let statistics: TransportStatistics
    /// The public schema's files by path.
    let schemas: [String: [UInt8]]
    let loops: [LoopFigures]
    let startedAt = monotonicMilliseconds()
    /// This process, to those who share a store or a Redis with it: another one after each restart.
    let incarnation = UUID().uuidString
    /// From the first moment of a shutdown.
    let isDraining = Atomic<Bool>(false)
    /// The watchdogs' health as of the last second; nil before the first.
    let watchdogHealth = Locked<WatchdogHealthSummary?>(nil)
    /// What `/health/providers` answers, as of the last second.
    let providerHealth = Locked(JSONValue.object([:]))
    /// The watchdogs themselves; nil before they are set up.
    let watchdogControl = Locked<WatchdogControl?>(nil)
    /// How the analysis workers were in the last second; nil before the first.
    let workerHealth = Locked<WorkerHealth?>(nil)
    /// The way to the analysis workers; nil before they are set up.
    let analysisControl = Locked<AnalysisControl?>(nil)

    /// Keeps results beyond the process; nil where none are kept.
    let results = Locked<ResultsKeeper?>(nil)
    /// Asks the Redis that is set whether it is there, where it does not keep the results; nil else.
    let redisWatch = Locked<ResultsKeeper?>(nil)

    init(
        settings: Settings, log: Log, publisher: Publisher, sessions: SessionKeeper,
        cluster: ClusterControl?, metrics: GatewayMetrics, statistics: TransportStatistics,
        schemas: [String: [UInt8]], loopCount: Int
    ) {
        self.settings = settings
        self.log = log
        self.publisher = publisher
        self.cluster = cluster
        self.sessions = sessions
        self.metrics = metrics
        self.statistics = statistics
        self.schemas = schemas
        loops = (0..<loopCount).map { _ in LoopFigures() }
    }

    /// The time, to the millisecond.
    func now() -> Timestamp {
        Timestamp(milliseconds: wallMilliseconds())
    }

    /// The types of workers that this node has; none before they are set up.
    func offeredWorkers() -> [String] {
        (analysisControl.withLock { $0 }?.orchestrator.offeredTypes ?? []).map(\.rawValue)
    }

    /// How many watchdogs are in which state, and which could not fire.
    func watchdogCounts() -> WatchdogCounts {
        guard let health = watchdogHealth.withLock({ $0 }) else { return WatchdogCounts() }
        return WatchdogCounts(
            total: health.totalWatchdogs, healthy: health.count(.healthy), degraded: health.count(.degraded),
            unhealthy: health.count(.unhealthy), stale: health.count(.stale),
            disabled: health.count(.disabled),
            blind: health.watchdogs.filter { ![.healthy, .degraded].contains($0.status) }.map(\.name))
    }
}

/// What one loop counts, for others to read.
final class LoopFigures: Sendable {
    let connections = Atomic<Int>(0)
    let subscriptions = Atomic<Int>(0)
    let distinctFilters = Atomic<Int>(0)
}
