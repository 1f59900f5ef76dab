import Configuration
import EventStore
import FIMLCore
import FIMLWatchdogs
import LinuxSystem
import Locking
import MarketProviders
import Observability

/// The watchdogs at work: those that are configured, their events into the stream, their health and figures
/// out to everybody, and what can be done to them while they run.
final class WatchdogControl: Sendable {
    let state: GatewayState
    private let feed: MarketFeed
    let manager: WatchdogManager
    /// The settings in effect, as changed since the start.
    let settings: Locked<Settings>
    /// The way to have settings at all nodes; nil without others.
    let controls: SharedControls?

    init(_ state: GatewayState, _ feed: MarketFeed) {
        self.state = state
        self.feed = feed
        settings = Locked(state.settings)
        controls = state.cluster.map { SharedControls($0, state.publisher.journal, state.log) }
        let watchdogs = state.settings.watchdogs
        var configuration = WatchdogManager.Configuration(watchdogs)
        if feed.isLive { configuration.policy.queuedChecks = 1 }
        configuration.alarmsOnStale = feed.isLive
        configuration.startsOver = !feed.isLive
        configuration.startsStandingBy = state.cluster != nil
        let observer = Observer(state: state)
        manager = WatchdogManager(
            configuration,
            watchdogs: WatchdogSet.all(watchdogs, assets: feed.assets(watchdogs), market: feed.sources),
            clock: feed.clock, observer: observer, states: state.publisher.journal.states
        ) { [state] news in
            guard watchdogs.eventStreamIsEnabled else { return .taken }
            let lease = state.cluster.map { _ in Self.lease(news.watchdog) }
            return await Self.publish(news, state.publisher.journal, lease)
        }
    }

    /// Puts news into the stream, with the state that belongs to them. A store or loops that are behind are
    /// waited for: a detected event is not lost. Only this watchdog waits.
    private static func publish(
        _ news: WatchdogNews, _ journal: EventJournal, _ lease: String?
    ) async -> NewsOutcome {
        let stateName = WatchdogNews.stateName(of: news.watchdog)
        let submission = Submission(
            events: news.events, states: [stateName: news.state],
            fence: lease.map { Fence(lease: $0, token: news.token) })
        while !Task.isCancelled {
            switch await journal.submit(submission, .wait) {
            case .stored, .told:
                if lease != nil, !Task.isCancelled { journal.remember(news.state, stateName) }
                return .taken
            case .fenced, .refused: return .standDown
            case .overloaded: break
            }
            // Cancelled, it does not wait, and the loop ends.
            try? await Task.sleep(for: .milliseconds(50))
        }
        return .standDown
    }

    /// Watches until the task is cancelled.
    func run() async {
        if let problem = await manager.persistenceProblem {
            state.log.warning("what was firing before is not known: \(problem)")
        }
        await manager.start()
        let cluster = state.cluster
        let hearing = cluster.map { cluster in Task { await self.hearOthers(cluster) } }
        let leases = cluster.map { cluster in Task { await self.follow(cluster) } }
        var turn = 0
        while !Task.isCancelled {
            if turn % Self.turnsPerSecond == 0 { show(await manager.health()) }
            guard (try? await Task.sleep(for: .seconds(1) / Self.turnsPerSecond)) != nil else { break }
            turn += 1
            if turn % (Self.saveSeconds * Self.turnsPerSecond) == 0 { await save() }
        }
        hearing?.cancel()
        leases?.cancel()
        await leases?.value
        await manager.stop()
        await save()
    }

    /// How often leases are looked at; a lease is 2 s at least.
    static let turnsPerSecond = 4
    /// How often the history of a live market is kept.
    private static let saveSeconds = 60

    private func save() async {
        if state.settings.watchdogs.persistsState, let problem = await feed.save() {
            state.log.warning("the market's history is not kept: \(problem)")
        }
    }

    private func show(_ own: WatchdogHealthSummary) {
        let health =
            state.cluster.map { cluster in
                own.merged(with: ClusterRecord.watchdogs(of: cluster.view(), butOf: cluster.nodeID))
            } ?? own
        let source = state.settings.marketData.source.rawValue
        state.providerHealth.withLock { $0 = ProviderHealth.summary(feed.providers(), source: source) }
        state.watchdogHealth.withLock { $0 = health }
        for watchdog in health.watchdogs {
            let name = watchdog.name.rawValue
            state.metrics.watchdogHealth[name].set(watchdog.status == .healthy ? 1 : 0)
            if let lastInput = watchdog.lastInput {
                state.metrics.watchdogLastInput[name].set(Int(clamping: lastInput.milliseconds))
            }
        }
    }

    // MARK: - What can be done

    /// The manager's state and every watchdog's figures and settings.
    func status() async -> JSONValue {
        var status = await manager.status()
        if let cluster = state.cluster {
            let elsewhere = ClusterRecord.watchdogs(of: cluster.view(), butOf: cluster.nodeID)
            status.health = status.health.merged(with: elsewhere)
        }
        guard case .object(var object) = status.json else { return status.json }
        object["watchdogs"] = .array(status.health.watchdogs.map(described))
        if case .object(var figures) = object["event_stats"] {
            let clients = state.loops.reduce(0) { $0 + $1.subscriptions.load(ordering: .relaxed) }
            let callbacks = figures["active_subscribers"]?.int64 ?? 0
            figures["active_subscribers"] = .integer(callbacks + Int64(clients))
            figures["history_size"] = .integer(Int64(state.publisher.journal.currentStatus().count))
            figures["persistence_enabled"] = .bool(state.settings.watchdogs.persistsState)
            figures["websocket_enabled"] = .bool(state.settings.watchdogs.webSocketBroadcast)
            object["event_stats"] = .object(figures)
        }
        return .object(object)
    }

    /// One watchdog's figures and settings; nil for one that is not there.
    func watchdog(_ name: WatchdogName) async -> JSONValue? {
        guard let metrics = await manager.metrics(of: name) else { return nil }
        guard let cluster = state.cluster, metrics.isStandingBy else { return described(metrics) }
        let elsewhere = ClusterRecord.watchdogs(of: cluster.view(), butOf: cluster.nodeID)
        return described(elsewhere.first { $0.name == name } ?? metrics)
    }

    /// Switches a watchdog on or off, as its setting would.
    func enable(_ name: WatchdogName, _ isOn: Bool, passingOn: Bool = true) async {
        let setting = Self.settings(of: name).first { $0.name.hasPrefix("ENABLE_") }
        settings.withLock { _ = setting?.assign(isOn ? "true" : "false", &$0) }
        _ = await manager.enable(name, isOn)
        show(await manager.health())
        state.log.info("\(name.rawValue) was switched \(isOn ? "on" : "off")")
        if passingOn, let setting { controls?.tell([setting.name: isOn ? "true" : "false"]) }
    }

    /// Lets a watchdog start over.
    func restart(_ name: WatchdogName, passingOn: Bool = true) async {
        _ = await manager.restart(name)
        state.log.info("\(name.rawValue) was restarted")
        if passingOn { passOnRestart(name) }
    }

    /// Sets settings of one watchdog by their names, until the process ends; all or, where one is wrong,
    /// none.
    func set(
        _ values: [String: JSONValue], of name: WatchdogName, passingOn: Bool = true
    ) async throws(SettingRefusal) {
        let own = Self.settings(of: name)
        let inEffect = try settings.withLock { settings throws(SettingRefusal) -> [String: String] in
            var changed = settings
            for (key, value) in values.sorted(by: { $0.key < $1.key }) {
                guard let setting = own.first(where: { $0.name == key }) else {
                    let known = own.map(\.name).joined(separator: ", ")
                    throw SettingRefusal("\(key) is no setting of \(name.rawValue); known are \(known)")
                }
                guard let text = value.settingText, setting.assign(text, &changed) else {
                    throw SettingRefusal("\(key) is not allowed so: \(setting.allowed)")
                }
            }
            settings = changed
            // What is passed on is what holds, not what was sent.
            return own.filter { values[$0.name] != nil }.reduce(into: [:]) {
                $0[$1.name] = $1.text(changed)
            }
        }
        await feed.use(settings.withLock { $0.watchdogs })
        _ = await manager.use(name) { [settings, feed] in
            let settings = settings.withLock { $0.watchdogs }
            return WatchdogSet.watchdog(name, settings, assets: feed.assets(settings), market: feed.sources)
        }
        show(await manager.health())
        state.log.info("\(name.rawValue) has new settings: \(values.keys.sorted().joined(separator: ", "))")
        if passingOn { controls?.tell(inEffect) }
    }

    private func described(_ metrics: WatchdogMetrics) -> JSONValue {
        guard case .object(var object) = metrics.json else { return metrics.json }
        let settings = settings.withLock { $0 }
        object["settings"] = .object(
            Self.settings(of: metrics.name).reduce(into: [:]) { $0[$1.name] = .string($1.text(settings)) })
        return .object(object)
    }

    static func settings(of name: WatchdogName) -> [Setting] {
        SettingTable.byWatchdog.first { $0.name == name.rawValue }?.settings ?? []
    }
}

/// Why settings were not changed; one sentence.
struct SettingRefusal: Error {
    let detail: String

    init(_ detail: String) {
        self.detail = detail
    }
}

extension JSONValue {
    /// A setting's value as the environment would have it: a list's entries are joined by commas.
    fileprivate var settingText: String? {
        switch self {
        case .bool(let truth): truth ? "true" : "false"
        case .integer(let integer): "\(integer)"
        case .number(let number): "\(number)"
        case .string(let text): text
        case .array(let elements):
            elements.allSatisfy { $0.text != nil } ? elements.compactMap(\.text).joined(separator: ",") : nil
        case .null, .object: nil
        }
    }
}

/// Hands on what the manager tells: figures to the metrics, changes of status to everybody.
private struct Observer: WatchdogObserver {
    let state: GatewayState

    func checkEnded(_ watchdog: WatchdogName, succeeded: Bool, seconds: Double) {
        state.metrics.watchdogChecks[watchdog.rawValue, succeeded ? "success" : "failed"].increment()
        state.metrics.watchdogCheckTime[watchdog.rawValue].observe(.seconds(seconds))
    }

    func detected(_ watchdog: WatchdogName, severity: Severity) {
        state.metrics.watchdogEvents[watchdog.rawValue, severity.rawValue].increment()
    }

    func statusChanged(
        _ watchdog: WatchdogName, from: WatchdogStatus, to: WatchdogStatus, reason: String
    ) {
        let sentence = "\(watchdog.rawValue) is \(to.rawValue), was \(from.rawValue): \(reason)"
        if to == .unhealthy || to == .stale { state.log.warning(sentence) } else { state.log.info(sentence) }
        state.publisher.tellEverybody(
            "status",
            ServerMessage.status(
                timestamp: state.now(), scope: "watchdog", name: watchdog.rawValue, state: to.rawValue,
                previousState: from.rawValue, reason: reason))
    }
}
