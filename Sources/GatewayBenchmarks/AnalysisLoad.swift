import FIMLCore
import Glibc
import LinuxSystem
import Locking

/// What analyses cost: of a recorded asset by all eight workers, against a Python service that computes the
/// same figures; from the cache, against `/health`; and a thousand at once, beside events.
struct AnalysisLoad {
    /// Times of one round.
    struct Speed {
        /// Of analyses one after another, none from the cache, in nanoseconds.
        var latencies: [UInt64]
        /// A second, over eight connections.
        var perSecond: Double
        /// The Python service's.
        var pythonPerSecond: Double
        var pythonLatencies: [UInt64]
    }

    /// Processor time of the gateway for a request, in nanoseconds.
    struct Cached {
        var analysis: Double
        var health: Double
    }

    /// What came of a thousand requests at once, again and again, while events are delivered.
    struct Burst {
        var asked = 0
        var answered = 0
        /// From publication to receipt, in nanoseconds, without and with the requests.
        var quiet: [UInt64] = []
        var loaded: [UInt64] = []
        /// Resident memory of the gateway after the first and after the last thousand.
        var residentBytes: [Int] = []
        var perSecond = 0.0
    }

    private static let atOnce = 1_000
    private static let subscribers = 1_000
    let servers: Servers

    /// Every finding is computed anew.
    private static let uncached = Dictionary(
        uniqueKeysWithValues: ["PRICE", "FUNDAMENTALS", "TECHNICAL", "NEWS", "MACRO"].map {
            ("CACHE_TTL_\($0)", "0")
        })

    private static var allWorkers: [String: String] {
        Dictionary(
            uniqueKeysWithValues: WorkerType.allCases.map {
                ("ENABLE_\($0.rawValue.uppercased())_WORKER", "true")
            })
    }

    /// AAPL; requests with different numbers are of different venues, so that none waits for another's
    /// answer.
    private static func analysis(_ number: Int?) -> RequestLoad.Request {
        let venue = number.map { #","exchange":"v\#($0)""# } ?? ""
        return RequestLoad.Request(
            line: "POST /analysis", body: #"{"asset":{"symbol":"AAPL","asset_type":"equity"\#(venue)}}"#)
    }

    // MARK: - Speed

    func speed(requests: Int, python: String) throws(BenchmarkError) -> Speed {
        let gateway = try servers.start(
            .gateway, isTLS: false, onOneCore: false, settings: Self.allWorkers.merging(Self.uncached) { $1 })
        let one = try RequestLoad(gateway.endpoint, connections: 1)
        let many = try RequestLoad(gateway.endpoint, connections: 8)
        try expectAnswers(try one.run(20) { Self.analysis($0) })
        let single = try one.run(requests) { Self.analysis($0) }
        let eight = try many.run(requests * 4) { Self.analysis($0) }
        for result in [single, eight] { try expectAnswers(result) }
        let service = try servers.startComparison(python: python)
        let pythonOne = try RequestLoad(service.endpoint, connections: 1)
        let pythonMany = try RequestLoad(service.endpoint, connections: 8)
        try expectAnswers(try pythonOne.run(5) { Self.analysis($0) })
        let pythonSingle = try pythonOne.run(max(10, requests / 10)) { Self.analysis($0) }
        let pythonEight = try pythonMany.run(max(20, requests / 5)) { Self.analysis($0) }
        for result in [pythonSingle, pythonEight] { try expectAnswers(result) }
        return Speed(
            latencies: single.latencies, perSecond: Self.perSecond(eight),
            // The better of both: it has one interpreter lock.
            pythonPerSecond: max(Self.perSecond(pythonSingle), Self.perSecond(pythonEight)),
            pythonLatencies: pythonSingle.latencies)
    }

    private static func perSecond(_ result: RequestLoad.Result) -> Double {
        Double(result.latencies.count) / (Double(result.nanoseconds) / 1e9)
    }

    private func expectAnswers(_ result: RequestLoad.Result) throws(BenchmarkError) {
        guard result.statuses[200] == result.latencies.count else {
            throw BenchmarkError("not all were answered with 200: \(result.statuses)")
        }
    }

    // MARK: - From the cache

    func cached(requests: Int) throws(BenchmarkError) -> Cached {
        // Longer than the case takes: the finding of options would be computed anew every ten seconds.
        let settings = Self.allWorkers.merging(["CACHE_TTL_PRICE": "3600"]) { $1 }
        let gateway = try servers.start(.gateway, isTLS: false, settings: settings)
        let load = try RequestLoad(gateway.endpoint, connections: 1)
        let health = RequestLoad.Request(line: "GET /health", body: "")
        try expectAnswers(try load.run(100) { _ in Self.analysis(nil) })
        func cost(_ request: RequestLoad.Request) throws(BenchmarkError) -> Double {
            let before = try gateway.usage.processorNanoseconds()
            // A gateway that is starting is not healthy yet, which costs as much to say.
            _ = try load.run(requests) { _ in request }
            return Double(try gateway.usage.processorNanoseconds() - before) / Double(requests)
        }
        var costs: (analysis: [Double], health: [Double]) = ([], [])
        for _ in 0..<5 {
            costs.health.append(try cost(health))
            costs.analysis.append(try cost(Self.analysis(nil)))
        }
        return Cached(analysis: median(costs.analysis), health: median(costs.health))
    }

    // MARK: - A thousand at once

    func burst(events: Int) throws(BenchmarkError) -> Burst {
        let settings = Self.allWorkers.merging(Self.uncached) { $1 }
        let gateway = try servers.start(.gateway, isTLS: false, onOneCore: false, settings: settings)
        let generator = try LoadGenerator(
            LoadGenerator.Audience(Scenario(server: .gateway), gateway.endpoint), capacity: Self.subscribers)
        try generator.connect(Self.subscribers)
        let template = EventTemplate(form: .gateway, padding: 0)
        try generator.deliver(template, events: 20, window: 1, receivers: Self.subscribers)
        var burst = Burst()
        let first = try RequestLoad(gateway.endpoint, connections: Self.atOnce)
        try expectAnswers(try first.run(Self.atOnce) { Self.analysis($0) })
        burst.residentBytes.append(try gateway.usage.residentBytes())

        burst.quiet = try latencies(of: events, template, generator)
        let background = try BackgroundLoad(gateway.endpoint, atOnce: Self.atOnce) { Self.analysis($0) }
        burst.loaded = try latencies(of: events, template, generator)
        let results = try background.stop()
        burst.residentBytes.append(try gateway.usage.residentBytes())
        burst.asked = results.count * Self.atOnce
        burst.answered = results.reduce(0) { $0 + ($1.statuses[200] ?? 0) }
        burst.perSecond = Double(burst.answered) / (Double(results.reduce(0) { $0 + $1.nanoseconds }) / 1e9)
        return burst
    }

    /// Of so many events, one every 20 ms, on the sampled connections.
    private func latencies(
        of events: Int, _ template: EventTemplate, _ generator: LoadGenerator
    ) throws(BenchmarkError) -> [UInt64] {
        generator.forgetLatencies()
        for _ in 0..<events {
            try generator.deliver(template, events: 1, window: 1, receivers: Self.subscribers)
            try generator.idle(milliseconds: 20)
        }
        return generator.tally.latencies
    }
}

/// Requests, so many at once, again and again, on a thread of its own.
private final class BackgroundLoad: Sendable {
    private struct State {
        var isStopping = false
        var results: [RequestLoad.Result] = []
        var failure: BenchmarkError?
    }

    private let state = Locked(State())
    private let thread: Locked<LinuxSystem.Thread?>

    init(
        _ endpoint: Endpoint, atOnce: Int, _ request: @escaping @Sendable (Int) -> RequestLoad.Request
    ) throws(BenchmarkError) {
        let state = state
        thread = Locked(
            try doing("a thread") { () throws(SystemCallError) in
                try LinuxSystem.Thread(name: "requests") {
                    do throws(BenchmarkError) {
                        let load = try RequestLoad(endpoint, connections: atOnce)
                        while !state.withLock({ $0.isStopping }) {
                            let result = try load.run(atOnce, request)
                            state.withLock { $0.results.append(result) }
                        }
                    } catch {
                        state.withLock { $0.failure = error }
                    }
                }
            })
    }

    /// Waits for the last answers; what came of each time.
    func stop() throws(BenchmarkError) -> [RequestLoad.Result] {
        state.withLock { $0.isStopping = true }
        thread.withLock { $0.take() }?.join()
        if let failure = state.withLock({ $0.failure }) { throw failure }
        return state.withLock { $0.results }
    }
}
