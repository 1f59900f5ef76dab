import EventStore
import FIMLCore
import FIMLWatchdogs
import Locking
import Observability

/// Which watchdogs run at this node: those whose leases it has, from the states that are stored.
///
/// A turn waits for no store, so that what must stand by does so in time. States are read beside it.
struct WatchdogLeases {
    /// States that were read for watchdogs under these tokens.
    private struct Reading: Sendable {
        let tokens: [WatchdogName: Int64]
        let states: Result<[String: [UInt8]], StoreError>
    }

    /// Readings that may fail before the leases are left to other nodes for some time.
    private static let readingLimit = 3
    /// For how long what fires without a stored state waits for one: a store that lost all is given back
    /// what the nodes know within a second.
    private static let restoringTime = Duration.seconds(3)

    private let cluster: ClusterControl
    private let manager: WatchdogManager
    private let journal: EventJournal
    private let log: Log
    private let leaseTime: Duration
    private var running: [WatchdogName: Int64] = [:]
    private let reading = Locked<Reading?>(nil)
    private var isReading = false
    private var failures = 0
    /// Until when this node wants no more than it runs.
    private var restsUntil: ContinuousClock.Instant?
    /// Since when a watchdog has been without the state that it should have.
    private var statelessSince: [WatchdogName: ContinuousClock.Instant] = [:]
    /// Since when nobody would run a watchdog.
    private var unwantedSince: [WatchdogName: ContinuousClock.Instant] = [:]

    init(
        _ cluster: ClusterControl, _ manager: WatchdogManager, _ journal: EventJournal, _ log: Log,
        leaseTime: Duration
    ) {
        self.cluster = cluster
        self.manager = manager
        self.journal = journal
        self.log = log
        self.leaseTime = leaseTime
    }

    /// Lets go of watchdogs whose leases it has no more, takes those whose states are there, has the states
    /// of the others read, and tells the others how this node's watchdogs are and which it would run.
    mutating func turn(workers: [String], incarnation: String) async {
        let held = cluster.held()
        for (name, token) in running where held[WatchdogControl.lease(name)] != token {
            _ = await manager.standBy(name)
            running[name] = nil
            log.info("\(name.rawValue) stands by: its lease is over")
        }
        let health = await manager.health()
        cluster.show(
            ClusterRecord.make(health, workers: workers, incarnation: incarnation), wants: wants(health))
        if let reading = reading.withLock({ $0.take() }) {
            isReading = false
            await use(reading)
        }
        let tokens = given()
        guard !isReading, !tokens.isEmpty else { return }
        isReading = true
        Task { [journal, reading] in
            let states = await journal.storedStates()
            reading.withLock { $0 = Reading(tokens: tokens, states: states) }
        }
    }

    /// The watchdogs whose leases are here and that do not run yet, with their tokens.
    private func given() -> [WatchdogName: Int64] {
        let held = cluster.held()
        return WatchdogName.allCases.reduce(into: [:]) { given, name in
            if running[name] == nil { given[name] = held[WatchdogControl.lease(name)] }
        }
    }

    // MARK: - States

    private mutating func use(_ reading: Reading) async {
        let states: [String: [UInt8]]
        switch reading.states {
        case .success(let read): states = read
        case .failure(let error):
            if failures == 0 { log.warning("watchdogs wait, as their states cannot be read: \(error)") }
            failures += 1
            if failures >= Self.readingLimit { restsUntil = ContinuousClock.now + leaseTime * 3 }
            return
        }
        failures = 0
        let firing = Set(journal.firing().map(\.event.event.watchdog))
        for (name, token) in reading.tokens.sorted(by: { $0.key.rawValue < $1.key.rawValue }) {
            // Read after the lease was given, so that the holder before can add nothing to it; and the lease
            // may be over by now.
            guard cluster.held()[WatchdogControl.lease(name)] == token else { continue }
            let stateName = WatchdogNews.stateName(of: name)
            let state = states[stateName]
            if state == nil, firing.contains(name), !hasWaited(name) { continue }
            statelessSince[name] = nil
            if let state { journal.remember(state, stateName) }
            _ = await manager.take(name, state: state, token: token)
            running[name] = token
            log.info("\(name.rawValue) runs here now")
            if let problem = await manager.persistenceProblem(of: name) {
                log.warning("what was firing before is not known: \(problem)")
            }
        }
    }

    private mutating func hasWaited(_ name: WatchdogName) -> Bool {
        let since = statelessSince[name] ?? .now
        statelessSince[name] = since
        return since.duration(to: .now) >= Self.restoringTime
    }

    // MARK: - What is wanted

    private mutating func wants(_ health: WatchdogHealthSummary) -> [String: Bool] {
        let view = cluster.view()
        let firing = Set(journal.firing().map(\.event.event.watchdog))
        if let end = restsUntil, end <= .now { (restsUntil, failures) = (nil, 0) }
        return health.watchdogs.reduce(into: [:]) { wants, watchdog in
            let name = watchdog.name
            let isRunningElsewhere = ClusterRecord.watchdogs(of: view, butOf: cluster.nodeID)
                .contains { $0.name == name }
            if isRunningElsewhere, running[name] == nil {
                journal.remember(nil, WatchdogNews.stateName(of: name))
            }
            var isWanted = watchdog.status != .disabled
            if !isWanted, firing.contains(name) {
                isWanted = mustEnd(name, view)
            } else {
                unwantedSince[name] = nil
            }
            if restsUntil != nil, running[name] == nil { isWanted = false }
            wants[WatchdogControl.lease(name)] = isWanted
        }
    }

    /// Whether something fires of a watchdog that nobody would run: then it is taken to end that. Not at
    /// once, as who would run it may be starting anew.
    private mutating func mustEnd(_ name: WatchdogName, _ view: ClusterControl.View) -> Bool {
        if running[name] != nil { return true }
        guard view.trouble == nil, !ClusterRecord.isWanted(name, in: view, butOf: cluster.nodeID) else {
            unwantedSince[name] = nil
            return false
        }
        let since = unwantedSince[name] ?? .now
        unwantedSince[name] = since
        return since.duration(to: .now) >= leaseTime * 5
    }
}
