import EventStore
import FIMLCore
import FIMLWatchdogs

// Watchdogs of several gateways: each runs where its lease is.
extension WatchdogControl {
    /// The lease of a watchdog.
    static func lease(_ name: WatchdogName) -> String { "watchdog:\(name.rawValue)" }

    /// Runs watchdogs while their leases are here, until the task is cancelled. A turn waits for no store.
    func follow(_ cluster: ClusterControl) async {
        var leases = WatchdogLeases(
            cluster, manager, state.publisher.journal, state.log,
            leaseTime: state.settings.cluster.leaseTime)
        while !Task.isCancelled {
            await leases.turn(workers: state.offeredWorkers(), incarnation: state.incarnation)
            guard (try? await Task.sleep(for: .seconds(1) / Self.turnsPerSecond)) != nil else { return }
        }
    }

    /// Passes a restart on to the other nodes.
    func passOnRestart(_ name: WatchdogName) {
        guard let cluster = state.cluster else { return }
        // Where too much waits, it is done at this node alone; its answer shows what the other nodes do not.
        _ = state.publisher.journal.onReader { _ in cluster.tell("restart", .string(name.rawValue)) }
    }

    /// Does to watchdogs what is done to them at other nodes, until the task is cancelled.
    func hearOthers(_ cluster: ClusterControl) async {
        cluster.hear("restart") { [self] content, node in
            guard let name = content.text.flatMap(WatchdogName.init(rawValue:)) else { return }
            state.log.info("\(node) tells of a restart of \(name.rawValue)")
            Task { await restart(name, passingOn: false) }
        }
        await controls?.run { kept in
            for name in WatchdogName.allCases { await use(kept, of: name) }
        }
    }

    /// Makes settings that hold at all nodes hold here, those of one watchdog, where they do not yet.
    private func use(_ kept: [String: String], of name: WatchdogName) async {
        let settings = settings.withLock { $0 }
        let changed = Self.settings(of: name).filter {
            kept[$0.name] != nil && kept[$0.name] != $0.text(settings)
        }
        guard let first = changed.first else { return }
        state.log.info("\(name.rawValue) is set as another gateway was")
        if changed.count == 1, first.name.hasPrefix("ENABLE_") {
            return await enable(name, kept[first.name] == "true", passingOn: false)
        }
        do throws(SettingRefusal) {
            let values = changed.map { ($0.name, JSONValue.string(kept[$0.name] ?? "")) }
            try await set(Dictionary(uniqueKeysWithValues: values), of: name, passingOn: false)
        } catch {
            state.log.warning("\(name.rawValue) keeps its settings: \(error.detail)")
        }
    }
}
