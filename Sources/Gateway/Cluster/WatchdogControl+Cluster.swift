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
            await leases.turn(workers: state.offeredWorkers())
            guard (try? await Task.sleep(for: .seconds(1) / Self.turnsPerSecond)) != nil else { return }
        }
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
