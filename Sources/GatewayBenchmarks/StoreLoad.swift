import Glibc
import LinuxSystem
import Locking

/// What the event store costs and bears: publishing that is answered once it is on the disk, a client that
/// comes back after many events, and a thousand of them at once beside live events.
struct StoreLoad {
    /// A thousand clients coming back, again and again, and events that are delivered to others meanwhile.
    struct ManyResumes {
        /// From publication to receipt, in nanoseconds, without and with them.
        var quiet: [UInt64] = []
        var loaded: [UInt64] = []
        /// Events a second that the thousand received together, each time.
        var perSecond: [Double] = []
    }

    private static let clients = 1_000
    private static let eventsEach = 1_000
    private static let liveSubscribers = 200
    /// Nothing is trimmed away under a resume.
    private static let keepAll = ["FIML_EVENTS_KEPT": "1000000"]
    private static let patienceMilliseconds: UInt64 = 120_000
    let servers: Servers

    // MARK: - Publishing

    /// Events that were answered as stored, a second, in each of so many parts: `batch` in a request, and as
    /// many requests at once as there are connections.
    func publishing(
        batch: Int, connections: Int, events: Int, parts: Int
    ) throws(BenchmarkError) -> [Double] {
        let gateway = try servers.start(.gateway, isTLS: false)
        let load = try RequestLoad(gateway.endpoint, connections: connections)
        var rates: [Double] = []
        // The first part warms up.
        for part in 0...parts {
            let nanoseconds = try publish(
                EventTemplate(form: .gateway, padding: 0), events: events, batch: batch, load)
            if part > 0 { rates.append(Double(events) / (Double(nanoseconds) / 1e9)) }
        }
        return rates
    }

    /// Publishes events and expects all to be taken: how long that took.
    @discardableResult
    private func publish(
        _ template: EventTemplate, events: Int, batch: Int, _ load: RequestLoad
    ) throws(BenchmarkError) -> UInt64 {
        let result = try load.run(events / batch) { request in
            var body: [UInt8] = []
            for number in request * batch..<(request + 1) * batch {
                body.append(UInt8(ascii: body.isEmpty ? "[" : ","))
                body.append(contentsOf: template.event(number: number))
            }
            body.append(UInt8(ascii: "]"))
            return RequestLoad.Request(line: "POST /events", body: String(decoding: body, as: UTF8.self))
        }
        guard result.statuses[201] == events / batch else {
            throw BenchmarkError("not all events were taken: \(result.statuses)")
        }
        return result.nanoseconds
    }

    // MARK: - Coming back

    /// Events a second that one client receives which comes back after so many, each of so many times.
    func resume(events: Int, times: Int) throws(BenchmarkError) -> [Double] {
        let gateway = try servers.start(.gateway, isTLS: false, settings: Self.keepAll)
        let load = try RequestLoad(gateway.endpoint, connections: 1)
        let template = EventTemplate(form: .gateway, padding: 0)
        try publish(template, events: 1, batch: 1, load)
        let position = try Self.lastPosition(load)
        try publish(template, events: events, batch: 100, load)
        var rates: [Double] = []
        for _ in 0..<times {
            let start = monotonicNanoseconds()
            try Self.resume(
                gateway.endpoint, clients: 1, target: "/ws/events?since=\(position)", events: events)
            rates.append(Double(events) / (Double(monotonicNanoseconds() - start) / 1e9))
        }
        return rates
    }

    /// Connects clients that come back, and waits until each has received that many events and no more.
    private static func resume(
        _ endpoint: Endpoint, clients: Int, target: String, events: Int
    ) throws(BenchmarkError) {
        let audience = LoadGenerator.Audience(Scenario(server: .gateway), endpoint, target: target)
        let generator = try LoadGenerator(audience, capacity: clients)
        try generator.connect(clients)
        // Some have come with the greetings.
        let missing = clients * events - generator.tally.events
        if missing > 0 { _ = try generator.receive(missing, within: patienceMilliseconds) }
        guard generator.tally.events == clients * events else {
            throw BenchmarkError(
                "\(generator.tally.events) events came where \(clients * events) should have")
        }
    }

    /// The newest position, as `GET /events` tells it.
    private static func lastPosition(_ load: RequestLoad) throws(BenchmarkError) -> String {
        _ = try load.run(1) { _ in RequestLoad.Request(line: "GET /events?limit=1", body: "") }
        let answer = String(decoding: load.lastAnswer, as: UTF8.self)
        let parts = answer.split(separator: #""position":""#, maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { throw BenchmarkError("no position in \(answer)") }
        return String(parts[1].prefix { $0 != "\"" })
    }

    // MARK: - A thousand at once

    /// Delivers an event every 5 ms or so: so many of them without, then during each of `times` returns of a
    /// thousand clients.
    func manyResumes(quietEvents: Int, times: Int) throws(BenchmarkError) -> ManyResumes {
        let gateway = try servers.start(.gateway, isTLS: false, settings: Self.keepAll)
        let load = try RequestLoad(gateway.endpoint, connections: 1)
        let missed = EventTemplate(form: .gateway, padding: 0, severity: "low")
        try publish(missed, events: 1, batch: 1, load)
        let target = "/ws/events?severities=low&since=\(try Self.lastPosition(load))"
        try publish(missed, events: Self.eventsEach, batch: 100, load)
        let live = try LoadGenerator(
            LoadGenerator.Audience(Scenario(server: .gateway), gateway.endpoint),
            capacity: Self.liveSubscribers)
        try live.connect(Self.liveSubscribers)
        try Self.deliverOne(live)

        var measured = ManyResumes()
        live.forgetLatencies()
        for _ in 0..<quietEvents { try Self.deliverOne(live) }
        measured.quiet = live.tally.latencies
        live.forgetLatencies()
        for _ in 0..<times {
            let endpoint = gateway.endpoint
            let wave = try BackgroundTask("resumes") { () throws(BenchmarkError) in
                try Self.resume(
                    endpoint, clients: Self.clients, target: target, events: Self.eventsEach)
            }
            while !wave.isDone { try Self.deliverOne(live) }
            let nanoseconds = try wave.finish()
            measured.perSecond.append(
                Double(Self.clients * Self.eventsEach) / (Double(nanoseconds) / 1e9))
        }
        measured.loaded = live.tally.latencies
        return measured
    }

    private static func deliverOne(_ live: LoadGenerator) throws(BenchmarkError) {
        try live.deliver(
            EventTemplate(form: .gateway, padding: 0), events: 1, window: 1, receivers: liveSubscribers)
        try live.idle(milliseconds: 5)
    }
}

/// Something that is done once, on a thread that gives way to the one that measures.
private final class BackgroundTask: Sendable {
    private struct State {
        var nanoseconds: UInt64?
        var failure: BenchmarkError?
    }

    private let state = Locked(State())
    private let thread: Locked<LinuxSystem.Thread?>

    init(_ name: String, _ body: @escaping @Sendable () throws(BenchmarkError) -> Void) throws(BenchmarkError)
    {
        let state = state
        thread = Locked(
            try doing("a thread") { () throws(SystemCallError) in
                try LinuxSystem.Thread(name: name) {
                    // Of this thread alone (setpriority(2), "C library/kernel differences").
                    setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
                    let start = monotonicNanoseconds()
                    do throws(BenchmarkError) {
                        try body()
                    } catch {
                        state.withLock { $0.failure = error }
                    }
                    let end = monotonicNanoseconds()
                    state.withLock { $0.nanoseconds = end - start }
                }
            })
    }

    var isDone: Bool { state.withLock { $0.nanoseconds != nil } }

    /// Waits for its end: how long it took.
    func finish() throws(BenchmarkError) -> UInt64 {
        thread.withLock { $0.take() }?.join()
        let end = state.withLock { $0 }
        if let failure = end.failure { throw failure }
        return end.nanoseconds ?? 0
    }
}
