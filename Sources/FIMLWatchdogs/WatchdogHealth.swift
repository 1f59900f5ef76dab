import FIMLCore

/// All watchdogs' health, by FIML's names.
public struct WatchdogHealthSummary: Sendable {
    /// One for each watchdog, in the order they were given.
    public let watchdogs: [WatchdogMetrics]
    /// When it was taken, in the market's time; nil before the first moment.
    public let timestamp: Timestamp?

    /// How many there are.
    public var totalWatchdogs: Int { watchdogs.count }
    /// How many are switched on.
    public var enabledWatchdogs: Int { totalWatchdogs - count(.disabled) }
    /// How many are healthy.
    public var healthyWatchdogs: Int { count(.healthy) }
    /// How many are unhealthy.
    public var unhealthyWatchdogs: Int { count(.unhealthy) }
    /// Checks of all.
    public var totalChecks: Int { watchdogs.reduce(0) { $0 + $1.checksPerformed } }
    /// Failed checks of all.
    public var totalFailures: Int { watchdogs.reduce(0) { $0 + $1.checksFailed } }
    /// Events of all.
    public var totalEvents: Int { watchdogs.reduce(0) { $0 + $1.eventsEmitted } }
    /// The part of all checks that went well, 0…1; 1 before the first.
    public var overallSuccessRate: Double {
        totalChecks == 0 ? 1 : Double(totalChecks - totalFailures) / Double(totalChecks)
    }
    /// Detections a check, over all.
    public var detectionRate: Double {
        totalChecks == 0 ? 0 : Double(watchdogs.reduce(0) { $0 + $1.detections }) / Double(totalChecks)
    }
    /// Detections of all by severity.
    public var eventsBySeverity: [Severity: Int] {
        watchdogs.reduce(into: [:]) { sums, one in sums.merge(one.eventsBySeverity, uniquingKeysWith: +) }
    }
    /// Detections of all by event type.
    public var eventsByType: [EventType: Int] {
        watchdogs.reduce(into: [:]) { sums, one in sums.merge(one.eventsByType, uniquingKeysWith: +) }
    }

    /// Those whose last checks failed, as many in a row as make a watchdog unhealthy.
    public var unhealthy: [WatchdogName] { watchdogs.filter { $0.status == .unhealthy }.map(\.name) }

    /// Those that are switched on and whose last check ended more than so many real seconds ago.
    public func stale(maxAgeSeconds: Double = 300) -> [WatchdogName] {
        watchdogs.filter { $0.status != .disabled && $0.secondsSinceLastCheck > maxAgeSeconds }.map(\.name)
    }

    /// The health of the watchdogs wherever they run: in the place of one that stands by here, the record of
    /// the node that runs it; of several the one that was checked last. It stays `stale` where no record of
    /// it is among those from `elsewhere`: then nobody runs it.
    public func merged(with elsewhere: [WatchdogMetrics]) -> WatchdogHealthSummary {
        let running = Dictionary(grouping: elsewhere.filter { !$0.isStandingBy }, by: \.name)
        let merged = watchdogs.map { own in
            guard own.isStandingBy else { return own }
            return running[own.name]?.min { $0.secondsSinceLastCheck < $1.secondsSinceLastCheck } ?? own
        }
        return WatchdogHealthSummary(watchdogs: merged, timestamp: timestamp)
    }

    /// How many have a status.
    public func count(_ status: WatchdogStatus) -> Int {
        watchdogs.count { $0.status == status }
    }
}

/// The manager's own state, by FIML's names.
public struct WatchdogManagerStatus: Sendable {
    /// Always true: a manager that exists is set up.
    public let initialized = true
    /// Whether it was started and not stopped.
    public let running: Bool
    /// How many watchdogs are being checked.
    public var runningWatchdogs: Int {
        running ? health.watchdogs.count { $0.status != .disabled && !$0.isStandingBy } : 0
    }
    /// The watchdogs' health; whoever knows of other nodes puts what is `merged` with theirs here.
    public var health: WatchdogHealthSummary
    /// How many callbacks receive its events.
    public let activeSubscribers: Int
}
