import EventStore
import FIMLCore
import FIMLWatchdogs

// Watchdogs of several gateways: each runs where its lease is.
extension WatchdogControl {
    /// The lease of a watchdog.
    static func lease(_ name: WatchdogName) -> String { "watchdog:\(name.rawValue)" }

    /// Tells the others how this node's watchdogs are and which it would run; takes those whose leases it has
    /// got, and lets go of those whose leases it has no more. Gives back what runs now.
    func follow(
        _ cluster: ClusterControl, running: [WatchdogName: Int64]
    ) async -> [WatchdogName: Int64] {
        let health = await manager.health()
        let wants = health.watchdogs.reduce(into: [:]) { wants, watchdog in
            wants[Self.lease(watchdog.name)] = watchdog.status != .disabled
        }
        let record = ClusterRecord.make(
            health, workers: state.offeredWorkers(), incarnation: state.incarnation)
        cluster.show(record, wants: wants)
        let held = cluster.held()
        var running = running
        for (name, token) in running where held[Self.lease(name)] != token {
            _ = await manager.standBy(name)
            running[name] = nil
            state.log.info("\(name.rawValue) stands by: its lease is over")
        }
        let given = WatchdogName.allCases.filter { running[$0] == nil && held[Self.lease($0)] != nil }
        guard !given.isEmpty, let states = await state.publisher.journal.storedStates() else {
            return running
        }
        for name in given {
            // Read after the lease was given, so that the holder before can add nothing to it; and the lease
            // may be over by now.
            guard let token = cluster.held()[Self.lease(name)] else { continue }
            _ = await manager.take(name, state: states[WatchdogNews.stateName(of: name)], token: token)
            running[name] = token
            state.log.info("\(name.rawValue) runs here now")
        }
        return running
    }

    /// Passes what is done to a watchdog here on to the other nodes.
    func passOn(_ name: WatchdogName, _ change: JSONValue) {
        guard let cluster = state.cluster else { return }
        let content: JSONValue = ["watchdog": .string(name.rawValue), "change": change]
        // Where too much waits, it holds for this node alone; its answer shows what the other nodes do not.
        _ = state.publisher.journal.onReader { _ in cluster.tell("watchdog", content) }
    }

    /// Does to watchdogs what is done to them at other nodes.
    func hearOthers(_ cluster: ClusterControl) {
        cluster.hear("watchdog") { [self] content, node in
            guard let name = content["watchdog"]?.text.flatMap(WatchdogName.init(rawValue:)) else { return }
            let change = content["change"] ?? .null
            Task { await apply(change, to: name, from: node) }
        }
    }

    private func apply(_ change: JSONValue, to name: WatchdogName, from node: String) async {
        state.log.info("\(node) tells of a change to \(name.rawValue)")
        if let isOn = change["enabled"]?.boolean {
            await enable(name, isOn, passingOn: false)
        } else if change["restart"]?.boolean == true {
            await restart(name, passingOn: false)
        } else if let values = change["settings"]?.members {
            do throws(SettingRefusal) {
                try await set(values, of: name, passingOn: false)
            } catch {
                state.log.warning("\(name.rawValue) keeps its settings: \(error.detail)")
            }
        }
    }
}
