import Configuration
import EventStore
import FIMLAgents
import FIMLCore
import Foundation
import LinuxSystem
import Observability
import Synchronization

// Where results are kept, for how the gateway is set.
extension GatewayState {
    /// Opens what keeps results, behind everybody's back: a store that is away holds up no start.
    func keepResults(in chosen: ResultsStore) throws {
        try watchRedis()
        let name = "\(chosen.store.kind) at \(chosen.place)"
        let keeper = ResultsKeeper(
            chosen.store, place: chosen.place, isShared: chosen.isShared
        ) { [log] change, dropped in
            for notice in chosen.takeNotices() { log.warning(notice) }
            switch change {
            case .becameReady: log.info("results are kept in \(name)")
            case .troubleBegan(let reason):
                log.warning(
                    "results are not kept in \(name): \(reason); analyses go on, and it is tried again")
            case .troubleEnded(let seconds):
                log.info(
                    "results are kept again in \(name)",
                    ["after_seconds": .integer(Int(seconds)), "lost": .integer(dropped)])
            }
        }
        try keeper.start()
        results.withLock { $0 = keeper }
        registerResultFigures(keeper)
    }

    /// Where results are kept elsewhere, Redis is asked by one that keeps nothing.
    private func watchRedis() throws {
        guard settings.postgres.host != nil, let redis = ResultsStore.redis(settings) else { return }
        var limits = ResultsKeeper.Limits()
        limits.readers = 0
        limits.kinds = []
        // Who carries the events says what is wrong; here it is only shown.
        let watch = ResultsKeeper(redis.store, place: redis.place, limits: limits) { _, _ in }
        try watch.start()
        redisWatch.withLock { $0 = watch }
    }

    /// Writes what waits to be kept, and ends it.
    func closeResults() {
        _ = redisWatch.withLock { $0 }?.close(within: .seconds(1))
        guard let left = results.withLock({ $0 })?.close(within: .seconds(2)), left > 0 else { return }
        log.warning("\(left) results could not be kept")
    }

    /// How the analyses keep results; nil where they do not. `replayFiles`: see `Gateway.run`.
    func resultKeeping(judgedFrom replayFiles: [String]) -> ResultKeeping? {
        guard let keeper = results.withLock({ $0 }) else { return nil }
        return ResultKeeping(
            keeper, basis: basis(replayFiles), node: keeper.isShared ? ownName : "this",
            incarnation: incarnation,
            isAlive: { [cluster] node, incarnation in
                cluster.map { ClusterRecord.mayRun(node, incarnation, in: $0.view()) } ?? true
            })
    }

    /// The same after a restart, and another one for each gateway that may share a store.
    private var ownName: String {
        cluster?.nodeID ?? settings.cluster.nodeID
            ?? "\(ProcessInfo.processInfo.hostName):\(settings.server.port)"
    }

    /// What findings rest on beside the asset.
    private func basis(_ replayFiles: [String]) -> String {
        let model = settings.azureOpenAI
        var parts = [
            Gateway.version, settings.marketData.source.rawValue, settings.workers.executable ?? "",
        ]
        if model.isConfigured { parts += [model.endpoint ?? "", model.deployment ?? ""] }
        for file in replayFiles {
            let about = try? FileManager.default.attributesOfItem(atPath: file)
            let changed = (about?[.modificationDate] as? Date)?.timeIntervalSince1970 ?? 0
            parts.append("\(file) \(about?[.size] as? Int ?? 0) \(changed)")
        }
        return parts.joined(separator: "\n")
    }

    private func registerResultFigures(_ keeper: ResultsKeeper) {
        let registry = metrics.registry
        registry.gauge("results_store_up", "1 where the store of results answers, else 0.") {
            keeper.health().status == .healthy ? 1 : 0
        }
        registry.gauge("results_pending", "Results that wait to be written into the store.") {
            Double(keeper.health().pending)
        }
        registry.counter("results_kept_total", "Results written into the store.") {
            Double(keeper.kept.load(ordering: .relaxed))
        }
        registry.counter("results_dropped_total", "Results that were not kept: too many waited.") {
            Double(keeper.dropped.load(ordering: .relaxed))
        }
        let place = MetricLabel("place", ["memory", "store"])
        let cache: @Sendable () -> CacheFigures? = { [self] in
            analysisControl.withLock { $0 }?.cacheFigures
        }
        registry.counters(
            "results_hits_total", "Results that were asked for and there.", label: place
        ) { place in
            place == "store"
                ? Double(keeper.hits.load(ordering: .relaxed)) : cache().map { Double($0.hits) }
        }
        registry.counters(
            "results_misses_total", "Results that were asked for and not there.", label: place
        ) { place in
            place == "store"
                ? Double(keeper.misses.load(ordering: .relaxed)) : cache().map { Double($0.misses) }
        }
    }
}
