import Broadcast
import EventLoop
import HTTP
import LinuxSystem
import TLS
import WebSocket

/// One loop's connections: it accepts, reads, broadcasts and writes, and asks the service what to answer.
///
/// A turn reads what came, takes publications from the mailbox, writes each connection once, and sleeps.
public final class TransportLoop {
    /// At most so many new connections a listener and turn.
    static let acceptsPerTurn = 64
    /// At most so many steps of TLS handshakes a turn: each may cost half a millisecond, and broadcasts wait
    /// for it.
    static let handshakesPerTurn = 8
    /// At most so many rounds of publications a turn.
    static let roundsPerTurn = 4
    /// Reading from a connection pauses while so much waits to be written to it.
    static let readPauseBytes = 1 << 18

    let loop: EventLoop<LoopMessage>
    let limits: TransportLimits
    let statistics: TransportStatistics
    /// Whom this loop carries, while it runs.
    public private(set) weak var service: (any TransportService)?

    /// Who wants what on this loop.
    public var hub = Hub()
    /// For this thread's use only.
    public let deflater = Deflater()
    let inflater = Inflater()

    var connections = SlotTable<Connection>()
    var links = LinkTable()
    var listeners: [Listener] = []
    var acceptsNewcomers = true
    var tlsContext: TLSContext?
    let tlsBuffers = TLSBuffers()
    /// Where all connections read to, and where writes are gathered.
    let received = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    let plaintext = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    let gathered = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    /// Publications that have not been broadcast.
    var publications: [Publication] = []
    /// Connections with something to write or to reconsider at the end of the turn.
    var dirty: [SlotToken] = []
    var handshakesThisTurn = 0
    var serviceHasWork = false
    private var signals: SignalWatch?
    private var date = (second: Int64(-1), text: "")

    /// A loop without listeners.
    public init(
        mailbox: Mailbox<LoopMessage>, limits: TransportLimits, statistics: TransportStatistics,
        tlsContext: TLSContext?
    ) throws(SystemCallError) {
        loop = try EventLoop(mailbox: mailbox)
        self.limits = limits
        self.statistics = statistics
        self.tlsContext = tlsContext
    }

    deinit {
        received.deallocate()
        plaintext.deallocate()
        gathered.deallocate()
    }

    /// For other threads.
    public var mailbox: Mailbox<LoopMessage> { loop.mailbox }

    /// Milliseconds of the monotonic clock at the beginning of this turn.
    public var now: UInt64 { loop.now }

    /// Connections of this loop.
    public var connectionCount: Int { connections.count }

    /// Serves until `stop`.
    public func run(_ service: some TransportService) throws(SystemCallError) {
        self.service = service
        try loop.run(self)
    }

    /// Ends `run` after this turn; connections are cut.
    public func stop() {
        loop.stop()
    }

    /// Hands signals that come to `handler`.
    public func watch(
        _ signals: consuming SignalFD, _ handler: @escaping (Int32) -> Void
    ) throws(SystemCallError) {
        let watch = SignalWatch(signals: signals, handler: handler)
        try loop.watch(watch.signals.raw, .readable, token: SignalWatch.token)
        self.signals = watch
    }

    /// Calls the service's `turnEnded` at that time of `now` at the latest.
    public func wake(at time: UInt64) {
        loop.schedule(SlotToken(slot: .max - 2, generation: .max).number, at: time)
    }

    /// Begins to close down: newcomers are answered 503, and connections without a request are cut.
    public func drain() {
        acceptsNewcomers = false
        connections.forEach { connection in
            if connection.phase == .http, connection.parser?.phase == .idle, !connection.hasUnsent,
                !connection.isAwaitingAnswer
            {
                drop(connection)
            }
        }
    }

    /// From now on, new connections use this certificate; those that are open keep theirs.
    public func use(_ context: TLSContext) {
        tlsContext = context
    }

    /// The connection of that token, if it is still there.
    public subscript(token: SlotToken) -> Connection? {
        connections[token]
    }

    /// Calls `body` with each WebSocket connection and event stream that is open.
    public func forEachStream(_ body: (Connection) -> Void) {
        connections.forEach { if $0.isOpen { body($0) } }
    }

    /// The events handed to a connection and those shed, since it opened.
    public func eventCounts(_ connection: Connection) -> (sent: UInt64, dropped: UInt64) {
        let link = links[connection.token.slot]
        return (link.eventsSent, link.eventsDropped)
    }

    /// The value of `Date`, made once a second.
    func dateField() -> String {
        let second = wallMilliseconds() / 1000
        if second != date.second { date = (second, HTTPResponse.imfFixdate(secondsSince1970: second)) }
        return date.text
    }

    /// Looks at a connection again at the end of the turn.
    func markDirty(_ connection: Connection) {
        guard !connection.isDirty else { return }
        connection.isDirty = true
        dirty.append(connection.token)
    }
}

final class SignalWatch {
    static let token = SlotToken(slot: .max - 1, generation: .max).number
    let signals: SignalFD
    let handler: (Int32) -> Void

    init(signals: consuming SignalFD, handler: @escaping (Int32) -> Void) {
        self.signals = signals
        self.handler = handler
    }
}

extension TransportLoop: EventLoopHandler {
    /// See `EventLoopHandler`.
    public var hasWork: Bool { !publications.isEmpty || serviceHasWork }

    /// See `EventLoopHandler`.
    public func ready(_ token: UInt64, _ readiness: Readiness) {
        if let connection = connections[SlotToken(token)] {
            if readiness.contains(.writable) { flush(connection) }
            // Writing may have found the connection lost.
            guard connections[connection.token] != nil else { return }
            if !readiness.isDisjoint(with: [.readable, .peerClosed, .failed, .hungUp]) { read(connection) }
        } else if let listener = listeners.first(where: { $0.token == token }) {
            accept(from: listener)
        } else if token == SignalWatch.token, let signals {
            while let signal = signals.signals.next() { signals.handler(signal) }
        }
    }

    /// See `EventLoopHandler`.
    public func turnEnded(_ messages: [LoopMessage]) {
        handshakesThisTurn = 0
        for message in messages {
            switch message {
            case .publication(let publication): publications.append(publication)
            case .task(let task): task(self)
            }
        }
        // Answers first: a publisher need not wait for the broadcast of what it published.
        writeDirty()
        broadcast()
        serviceHasWork = service?.turnEnded() ?? false
        writeDirty()
    }
}
