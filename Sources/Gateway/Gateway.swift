import Configuration
import Dispatch
import EventLoop
import EventStore
import FIMLCore
import Foundation
import Glibc
import LinuxSystem
import Locking
import Observability
import PublicSchema
import RedisStore
import TLS
import Transport

/// The whole: what starts, in which order, and how it ends.
public enum Gateway {
    /// The version that this source is, as `--version` and `welcome` say it.
    public static let version = "0.1.0"

    /// Serves until SIGTERM or SIGINT; the process's exit status. Wrong surroundings (a port in use, a bad
    /// certificate, a recording that cannot be read) end it at once, with one line that says what to do.
    ///
    /// `replayFiles`: a user's own recordings; the shipped one where there are none. Call it before any other
    /// thread exists, since signals are to reach only the loop.
    public static func run(_ loaded: LoadedSettings, replayFiles: [String]) -> Int32 {
        let log = Log.standardError(level: loaded.settings.server.logLevel)
        for notice in loaded.notices { log.warning(notice) }
        do {
            try start(loaded.settings, replayFiles, log)
            return 0
        } catch {
            log.error("cannot start: \(error)")
            return EX_CONFIG
        }
    }

    private static func start(_ settings: Settings, _ replayFiles: [String], _ log: Log) throws {
        signal(SIGPIPE, SIG_IGN)
        try SignalFD.block(handledSignals)
        let feed = try MarketFeed.open(settings, replayFiles: replayFiles, log)
        let tls = try TLSContextHolder(settings)
        let loopCount = settings.server.eventLoops > 0 ? settings.server.eventLoops : availableCores()
        let limits = TransportLimits(settings, maxConnections: placesFor(settings, log))
        let mailboxes = try (0..<loopCount).map { _ in try Mailbox<LoopMessage>() }
        let state = try makeState(settings, mailboxes, log)
        let control = WatchdogControl(state, feed)
        state.watchdogControl.withLock { $0 = control }
        let doors = try openDoors(settings, loopCount)
        // Only now: a gateway that cannot open its doors starts no process.
        let analyses = try AnalysisControl(
            state, feed, keeping: state.resultKeeping(judgedFrom: replayFiles))
        state.analysisControl.withLock { $0 = analyses }
        try state.publisher.start()
        try state.cluster?.start()
        try state.sessions.start()

        let loops = try Loops(mailboxes) { index, mailbox in
            try runLoop(index, mailbox, doors[index], state, limits, tls, mailboxes)
        }
        announce(settings, doors, loopCount, log)
        let watchdogs = Task { await control.run() }
        let workers = Task { await analyses.run() }
        let failure = loops.join()
        watchdogs.cancel()
        workers.cancel()
        finish(Task { await analyses.shutDown() }, within: .seconds(3))
        finish(watchdogs, within: .seconds(2))
        state.cluster?.stop()
        state.publisher.stop()
        state.sessions.stop()
        state.closeResults()
        if let failure { throw GatewayError(failure) }
        log.info("stopped")
    }

    /// Opens the stores, and makes what all loops share.
    private static func makeState(
        _ settings: Settings, _ mailboxes: [Mailbox<LoopMessage>], _ log: Log
    ) throws -> GatewayState {
        let redis = RedisClient(settings.redis)
        let publisher = try Publisher(
            try EventStores.make(settings, redis, log), limits: .init(settings), mailboxes: mailboxes,
            broadcasts: settings.watchdogs.webSocketBroadcast, log: log)
        let cluster = redis.map { ClusterControl($0, settings, log) }
        // Sessions and results are kept in one place.
        let kept = try ResultsStore.choose(settings)
        let sessions = SessionKeeper(
            settings, store: kept?.store ?? MemoryKeyedStore(entries: 100_000, bytes: 256 << 20),
            isShared: kept?.isShared ?? false, cluster: cluster, mailboxes: mailboxes, log: log)
        let state = GatewayState(
            settings: settings, log: log, publisher: publisher, sessions: sessions, cluster: cluster,
            metrics: GatewayMetrics(
                watchdogs: WatchdogName.allCases.map(\.rawValue),
                severities: Severity.allCases.map(\.rawValue),
                workerTypes: WorkerType.allCases.map(\.rawValue)),
            statistics: TransportStatistics(), schemas: try PublicSchema.load(), loopCount: mailboxes.count)
        state.registerFigures()
        state.registerStoreFigures()
        if let kept { try state.keepResults(in: kept) }
        return state
    }

    /// Waits until a task has ended, for it keeps what must survive, or leaves no process behind; not for
    /// long, should it hang.
    private static func finish(_ task: Task<Void, Never>, within limit: DispatchTimeInterval) {
        let ended = DispatchSemaphore(value: 0)
        Task {
            await task.value
            ended.signal()
        }
        _ = ended.wait(timeout: .now() + limit)
    }

    private static let handledSignals = [SIGTERM, SIGINT, SIGHUP]

    // MARK: - One loop

    private static func runLoop(
        _ index: Int, _ mailbox: Mailbox<LoopMessage>, _ door: Door, _ state: GatewayState,
        _ limits: TransportLimits,
        _ tls: TLSContextHolder, _ mailboxes: [Mailbox<LoopMessage>]
    ) throws {
        let transport = try TransportLoop(
            mailbox: mailbox, limits: limits, statistics: state.statistics, tlsContext: tls.current)
        let service = LoopService(state, index: index, transport: transport)
        try transport.listen(on: ListeningSocket(adopting: door.plain), isTLS: false)
        if let sealed = door.tls { try transport.listen(on: ListeningSocket(adopting: sealed), isTLS: true) }
        if index == 0 {
            try transport.watch(try SignalFD(handledSignals)) { signal in
                handle(signal, state, tls, mailboxes)
            }
        }
        try transport.run(service)
    }

    private static func handle(
        _ signal: Int32, _ state: GatewayState, _ tls: TLSContextHolder, _ mailboxes: [Mailbox<LoopMessage>]
    ) {
        switch signal {
        case SIGHUP:
            do {
                guard let context = try tls.reload(state.settings) else { return }
                for mailbox in mailboxes { mailbox.post(.task { $0.use(context) }) }
                state.log.info("certificate read anew; open connections keep theirs")
            } catch {
                state.log.error("the certificate in use stays: \(error)")
            }
        case _ where state.isDraining.exchange(true, ordering: .relaxed):
            state.log.warning("second signal: connections are cut")
            for mailbox in mailboxes { mailbox.post(.task { $0.stop() }) }
        default:
            state.log.info("draining; a second signal cuts connections")
            state.analysisControl.withLock { $0 }?.drain()
            for mailbox in mailboxes {
                mailbox.post(.task { loop in (loop.service as? LoopService)?.drain() })
            }
        }
    }

    // MARK: - What is needed first

    /// How many connections there is room for. A descriptor limit below what is configured is said plainly.
    private static func placesFor(_ settings: Settings, _ log: Log) -> Int {
        let descriptors = raiseDescriptorLimit()
        let wanted = settings.server.maxConnections
        let places = descriptors - reservedDescriptors
        guard places < wanted else { return wanted }
        log.warning(
            "this process may open \(descriptors) descriptors, so at most \(max(1, places)) connections are "
                + "served, not the \(wanted) of FIML_MAX_CONNECTIONS; raise the limit (ulimit -n, "
                + "LimitNOFILE) or lower the setting"
        )
        return max(1, places)
    }

    /// For epoll, mailboxes, listeners, files, and newcomers on their way to a 503.
    private static let reservedDescriptors = 100

    private static func openDoors(_ settings: Settings, _ count: Int) throws -> [Door] {
        let plain = try openSockets(settings.server.host, settings.server.port, "FIML_PORT", count)
        let sealed =
            settings.tls.isOn
            ? try openSockets(settings.server.host, settings.tls.port, "FIML_TLS_PORT", count) : []
        return (0..<count).map { Door(plain: plain[$0], tls: sealed.isEmpty ? nil : sealed[$0]) }
    }

    /// One listening socket a loop on the same port.
    private static func openSockets(
        _ host: String, _ port: Int, _ setting: String, _ count: Int
    ) throws(GatewayError) -> [ListeningSocket.Released] {
        do throws(SystemCallError) {
            if port != 0 { try ListeningSocket.checkFree(host: host, port: port) }
            var port = port
            var sockets: [ListeningSocket.Released] = []
            for _ in 0..<count {
                let socket = try ListeningSocket(host: host, port: port)
                port = socket.port
                sockets.append(socket.release())
            }
            return sockets
        } catch {
            throw GatewayError(
                "\(host):\(port) cannot be listened on (\(error)); choose another by FIML_HOST and \(setting)"
            )
        }
    }

    private static func announce(_ settings: Settings, _ doors: [Door], _ loopCount: Int, _ log: Log) {
        let host = settings.server.host.contains(":") ? "[\(settings.server.host)]" : settings.server.host
        guard let door = doors.first else { return }
        log.info(
            "listening on http://\(host):\(door.plain.port)",
            ["events": .text("ws://\(host):\(door.plain.port)/ws/events"), "loops": .integer(loopCount)])
        if let sealed = door.tls { log.info("listening on https://\(host):\(sealed.port)") }
    }
}

/// The listening sockets of one loop.
private struct Door: Sendable {
    let plain: ListeningSocket.Released
    let tls: ListeningSocket.Released?
}

/// The threads of the event loops. Where one fails all stop: half a gateway is worse than none, and the
/// supervisor starts a whole one.
private struct Loops {
    private var threads: [LoopThread] = []
    private let failures = Locked<[String]>([])

    /// Starts a thread for each mailbox that runs its loop.
    init(
        _ mailboxes: [Mailbox<LoopMessage>],
        _ run: @escaping @Sendable (Int, Mailbox<LoopMessage>) throws -> Void
    ) throws(SystemCallError) {
        for (index, mailbox) in mailboxes.enumerated() {
            let failures = failures
            let begin: @Sendable () -> Void = {
                do {
                    try run(index, mailbox)
                } catch {
                    failures.withLock { $0.append("event loop \(index): \(error)") }
                    for other in mailboxes { other.post(.task { $0.stop() }) }
                }
            }
            threads.append(LoopThread(try LinuxSystem.Thread(name: "loop-\(index)", begin)))
        }
    }

    /// Waits until all have ended; the first failure, if there was one.
    func join() -> String? {
        for thread in threads { thread.join() }
        return failures.withLock { $0.first }
    }
}

/// A thread that is waited for.
private final class LoopThread {
    private var thread: LinuxSystem.Thread?

    init(_ thread: consuming LinuxSystem.Thread) {
        self.thread = consume thread
    }

    func join() {
        thread.take()?.join()
    }
}

/// A start that failed; one line.
struct GatewayError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
