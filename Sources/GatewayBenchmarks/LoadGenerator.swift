import COpenSSL
import Glibc
import LinuxSystem
import WebSocket

/// Subscribers by the thousand and one publisher, on one thread, as cheap as can be, so that it is the server
/// that is measured: edge-triggered, one read into one large buffer for each readiness, headers only.
final class LoadGenerator {
    /// Who connects, and how.
    struct Audience {
        let endpoint: Endpoint
        let isDeflated: Bool
        /// Frames that the server sends to each first.
        let greetings: Int
        /// The request target of the subscriber with that number.
        private(set) var target: (Int) -> String

        /// Those of a scenario.
        init(_ scenario: Scenario, _ endpoint: Endpoint) {
            self.endpoint = endpoint
            isDeflated = scenario.isDeflated
            // A welcome, and the acknowledgement of the subscription in the query string.
            greetings = scenario.server == .gateway ? 2 : 0
            target = scenario.target
        }

        /// Those of a scenario, all with another request target.
        init(_ scenario: Scenario, _ endpoint: Endpoint, target: String) {
            self.init(scenario, endpoint)
            self.target = { _ in target }
        }
    }

    /// Handshakes under way at a time.
    private static let handshakes = 128
    /// Nothing happens for this long: then nothing will, in milliseconds.
    private static let patience: UInt64 = 15_000
    /// Latency is taken on every connection whose number divides by this.
    private static let sampling = 100
    private static let publisherToken = UInt64.max
    /// Room before what is read, for what was carried over.
    private static let headroom = 4096

    private let audience: Audience
    private let epoll: Epoll
    private let tls: OpaquePointer?
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)
    private let subscribers: UnsafeMutableBufferPointer<Subscriber>
    private var started = 0
    private var underWay = 0
    private var publisher: Publisher?
    private var published = 0
    private var isDelivering = false
    /// Counts what was received.
    private(set) var tally = FrameTally()
    /// Subscribers that are open, were refused by an answer, were lost.
    private(set) var connected = 0
    private(set) var refused = 0
    private(set) var lost = 0
    /// What became of the first that was refused or lost.
    private var firstLoss = ""

    /// Nobody is connected yet; at most `capacity` may be.
    init(_ audience: Audience, capacity: Int) throws(BenchmarkError) {
        guard raiseDescriptorLimit() >= capacity + 64 else {
            throw BenchmarkError("\(capacity) connections need as many open files: see `ulimit -n`")
        }
        self.audience = audience
        epoll = try doing("epoll") { () throws(SystemCallError) in try Epoll(capacity: 1024) }
        tls = audience.endpoint.isTLS ? try Channel.tlsContext() : nil
        subscribers = .allocate(capacity: capacity)
    }

    deinit {
        for index in 0..<started { subscribers[index].close(.lost) }
        subscribers.deallocate()
        buffer.deallocate()
        SSL_CTX_free(tls)
    }

    // MARK: Connecting

    /// Connects more, up to `total`, and waits until all are open and greeted.
    func connect(_ total: Int) throws(BenchmarkError) {
        try start(total) { self.refused + self.lost == 0 }
        try wait("the greetings", { self.tally.others + self.tally.events }) {
            // Compressed greetings cannot be told from events, and no event was published yet.
            self.tally.others >= self.audience.greetings * self.connected
        }
    }

    /// Connects more, up to `total`, whatever becomes of them; returns when nothing has changed for a second.
    func connectTolerantly(_ total: Int) throws(BenchmarkError) {
        var last = (monotonicMilliseconds(), started - underWay)
        while monotonicMilliseconds() - last.0 < 1000 {
            try startMore(total, atOnce: total)
            try turn()
            if started - underWay != last.1 { last = (monotonicMilliseconds(), started - underWay) }
        }
    }

    private func start(_ total: Int, while isGood: () -> Bool) throws(BenchmarkError) {
        let goal = total
        try startMore(goal, atOnce: Self.handshakes)
        try wait("the opening handshakes", { self.connected }) { () throws(BenchmarkError) in
            guard isGood() else { throw BenchmarkError("a subscriber was turned away: \(self.firstLoss)") }
            try self.startMore(goal, atOnce: Self.handshakes)
            return self.connected >= goal
        }
    }

    private func startMore(_ total: Int, atOnce limit: Int) throws(BenchmarkError) {
        while started < total, underWay < limit {
            let index = started
            let channel = try doing("connecting") { () throws(SystemCallError) in
                try Channel(to: audience.endpoint, number: index)
            }
            (subscribers.baseAddress! + index).initialize(to: Subscriber(channel))
            started += 1
            underWay += 1
            try watch(channel, token: UInt64(index))
        }
    }

    private func watch(_ channel: Channel, token: UInt64) throws(BenchmarkError) {
        // EPOLLET: a macro that Swift does not take over.
        let edgeTriggered = Readiness(rawValue: 1 << 31)
        try doing("epoll") { () throws(SystemCallError) in
            try epoll.add(
                channel.descriptor, [.readable, .writable, .peerClosed, edgeTriggered], token: token)
        }
    }

    /// Lets time pass, reading what comes.
    func idle(milliseconds: UInt64) throws(BenchmarkError) {
        let deadline = monotonicMilliseconds() + milliseconds
        while monotonicMilliseconds() < deadline { try turn() }
    }

    // MARK: Publishing

    /// Opens the publisher's connection, which `deliver` otherwise does itself.
    func openPublisher() throws(BenchmarkError) {
        guard publisher == nil else { return }
        var channel = try doing("connecting") { () throws(SystemCallError) in
            try Channel(to: audience.endpoint, number: 0)
        }
        var waiting = pollfd(fd: channel.descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&waiting, 1, Int32(Self.patience))
        if let tls {
            waiting.events = Int16(POLLIN)
            while case let step = channel.handshake(tls), step != .done {
                guard step == .waiting, poll(&waiting, 1, Int32(Self.patience)) == 1 else {
                    throw BenchmarkError("the publisher's TLS handshake failed")
                }
            }
        }
        publisher = Publisher(channel)
        try watch(channel, token: Self.publisherToken)
    }

    /// Publishes that many events and waits until each of `receivers` has got all of them, and all are
    /// answered. At most `window` are under way, that is not yet received by all.
    func deliver(
        _ template: EventTemplate, events: Int, window: Int, receivers: Int
    ) throws(BenchmarkError) {
        try openPublisher()
        guard let publisher else { return }
        tally.isCounting = true
        isDelivering = true
        defer { isDelivering = false }
        let before = tally.events
        let first = published
        try wait("\(events) events to \(receivers) subscribers", { self.tally.events }) {
            () throws(BenchmarkError) in
            let complete = (self.tally.events - before) / receivers
            while self.published - first < min(events, complete + window) {
                publisher.post(template.event(number: self.published))
                self.published += 1
            }
            try publisher.flush()
            guard self.lost == 0 else { throw BenchmarkError("a subscriber was lost: \(self.firstLoss)") }
            return self.tally.events - before >= events * receivers && publisher.answered == self.published
        }
        guard tally.events - before == events * receivers else {
            throw BenchmarkError(
                "\(tally.events - before) frames came where \(events * receivers) should have")
        }
    }

    /// Publishes one event, and does not wait.
    func publish(_ template: EventTemplate) throws(BenchmarkError) {
        try openPublisher()
        publisher?.post(template.event(number: published))
        published += 1
        try publisher?.flush()
    }

    /// Waits until so many more events have come, all subscribers together, whoever publishes them: the
    /// moments of the first and of the last, in nanoseconds. Sleeps until the first.
    func receive(
        _ events: Int, within milliseconds: UInt64
    ) throws(BenchmarkError) -> (first: UInt64, last: UInt64) {
        defer { isDelivering = false }
        let deadline = monotonicMilliseconds() + milliseconds
        let before = tally.events
        var first: UInt64?
        while tally.events - before < events {
            guard monotonicMilliseconds() < deadline else {
                throw BenchmarkError("\(tally.events - before) frames came where \(events) should have")
            }
            guard lost == 0 else { throw BenchmarkError("a subscriber was lost: \(firstLoss)") }
            try turn()
            guard first == nil, tally.events > before else { continue }
            first = monotonicNanoseconds()
            isDelivering = true
        }
        let last = monotonicNanoseconds()
        return (first ?? last, last)
    }

    // MARK: The loop

    /// Begins a new collection of latencies.
    func forgetLatencies() {
        tally.latencies.removeAll(keepingCapacity: true)
    }

    /// Turns until `isDone`; throws where `progress` does not change for too long.
    private func wait(
        _ what: String, _ progress: () -> Int, until isDone: () throws(BenchmarkError) -> Bool
    ) throws(BenchmarkError) {
        var last = (time: monotonicMilliseconds(), value: progress())
        while !(try isDone()) {
            try turn()
            let now = monotonicMilliseconds()
            if progress() != last.value { last = (now, progress()) }
            guard now - last.time < Self.patience else {
                throw BenchmarkError("waiting for \(what): nothing has come for a while, after \(last.value)")
            }
        }
    }

    private func turn() throws(BenchmarkError) {
        // Not asleep while it counts. Waking it is 15 % of the price of a send(), and would be saved by a
        // server that outruns it, so the figures would tell how busy this core is.
        let milliseconds: Int32 = isDelivering ? 0 : 50
        let count = try doing("epoll") { () throws(SystemCallError) in
            try epoll.wait(milliseconds: milliseconds)
        }
        for index in 0..<count {
            let (token, readiness) = epoll.ready(index)
            if token == Self.publisherToken {
                try publisher?.readAnswers()
                try publisher?.flush()
            } else {
                handle(Int(token), readiness)
            }
        }
    }

    private func handle(_ index: Int, _ readiness: Readiness) {
        if subscribers[index].state == .connecting {
            let code = subscribers[index].channel.pendingError()
            guard code == 0 else { return lose(index, String(cString: strerror(code))) }
            guard readiness.contains(.writable) else { return }
            subscribers[index].state = .shaking
        }
        if subscribers[index].state == .shaking {
            if let tls {
                switch subscribers[index].channel.handshake(tls) {
                case .done: break
                case .waiting: return
                case .failed: return lose(index, "the TLS handshake failed")
                }
            }
            subscribers[index].state = .upgrading
            sendRequest(index)
        }
        if !readiness.isSubset(of: .writable) { read(index, readiness) }
    }

    private func sendRequest(_ index: Int) {
        let offer = audience.isDeflated ? "Sec-WebSocket-Extensions: permessage-deflate\r\n" : ""
        // RFC 6455 §1.3's own key: nobody checks here that it is fresh.
        let request =
            "GET \(audience.target(index)) HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\n"
            + "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
            + "Sec-WebSocket-Version: 13\r\n\(offer)\r\n"
        let bytes = Array(request.utf8)
        let count = bytes.withUnsafeBytes { subscribers[index].channel.write($0) }
        if count != bytes.count { lose(index, "the request could not be sent") }
    }

    private func read(_ index: Int, _ readiness: Readiness) {
        let target = UnsafeMutableRawBufferPointer(rebasing: buffer[Self.headroom...])
        // With the end of the stream in sight, and with TLS, reading goes on until nothing is left.
        let readsOn = tls != nil || !readiness.isSubset(of: [.readable, .writable])
        while subscribers[index].state == .upgrading || subscribers[index].state == .open {
            let count = subscribers[index].channel.read(into: target)
            if count == 0 { return }
            guard count > 0 else { return lose(index, "the server ended the connection") }
            receive(index, count)
            // A short read has emptied the socket, and the next bytes make a new edge (epoll(7)).
            if count < target.count, !readsOn { return }
        }
    }

    private func receive(_ index: Int, _ count: Int) {
        var start = Self.headroom
        if let carried = subscribers[index].carried {
            start -= carried.count
            buffer[start...].copyBytes(from: carried)
            carried.deallocate()
            subscribers[index].carried = nil
        }
        var bytes = UnsafeRawBufferPointer(rebasing: buffer[start..<Self.headroom + count])
        if subscribers[index].state == .upgrading {
            guard let length = upgrade(index, bytes) else { return carry(index, bytes) }
            bytes = UnsafeRawBufferPointer(rebasing: bytes[length...])
        }
        guard subscribers[index].state == .open else { return }
        do {
            let used = try tally.scan(
                bytes, rest: &subscribers[index].rest, isSampled: index % Self.sampling == 0)
            if used < bytes.count { carry(index, UnsafeRawBufferPointer(rebasing: bytes[used...])) }
        } catch {
            lose(index, "a frame is wrong: \(error)")
        }
    }

    private func carry(_ index: Int, _ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= Self.headroom else { return lose(index, "the answer is too long") }
        let carried = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
        carried.copyMemory(from: bytes)
        subscribers[index].carried = carried
    }

    /// Takes the answer to the request, once it is whole: its length.
    private func upgrade(_ index: Int, _ bytes: UnsafeRawBufferPointer) -> Int? {
        guard let head = HTTPHead(Array(bytes.prefix(Self.headroom))[...]) else { return nil }
        underWay -= 1
        if head.status == 101 {
            subscribers[index].state = .open
            connected += 1
        } else {
            if firstLoss.isEmpty { firstLoss = String(decoding: bytes.prefix(500), as: UTF8.self) }
            // 503 is how a server says that it is full; anything else is a fault.
            if head.status == 503 { refused += 1 } else { lost += 1 }
            subscribers[index].close(.refused)
        }
        return head.length
    }

    private func lose(_ index: Int, _ why: String) {
        if firstLoss.isEmpty { firstLoss = why }
        if subscribers[index].isUnderWay { underWay -= 1 } else { connected -= 1 }
        lost += 1
        subscribers[index].close(.lost)
    }
}
