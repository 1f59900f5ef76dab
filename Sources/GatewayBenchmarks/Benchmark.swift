import Glibc
import LinuxSystem

/// Measures cases, with a fresh server for every scenario of every round.
///
/// Figures of one machine and one moment mean little, so a ratio is taken within a round, whose servers run
/// right after one another, and the median of the rounds is what counts.
struct Benchmark {
    private let servers: Servers
    private let rounds: Int
    /// A load is measured in so many parts, of which the median counts: a part that was disturbed has no say.
    private let slices: Int
    /// Frames delivered in a part, one event at a time.
    private let framesPerSlice: Int
    /// So many checks of all watchdogs, of which the median counts.
    private let checks: Int
    /// So many quotes that cross a threshold, one a second.
    private let crossings: Int
    /// So many analyses of each kind.
    private let analyses: Int
    /// So many events are published in a part of a case of publishing, or ten times as many in batches.
    private let published: Int
    /// The Python that has what the comparison needs.
    private let python: String
    /// Told what is being done.
    private let progress: (String) -> Void
    /// Bytes of a delivered event without padding.
    private let bareEventBytes: [Scenario.Server: Int]

    /// Asks the gateway how large its events are, so that it must start.
    init(
        servers: Servers, python: String, isQuick: Bool, progress: @escaping (String) -> Void
    ) throws(BenchmarkError) {
        self.servers = servers
        self.python = python
        self.progress = progress
        rounds = isQuick ? 1 : 5
        slices = isQuick ? 3 : 5
        framesPerSlice = isQuick ? 50_000 : 80_000
        checks = isQuick ? 5 : 25
        crossings = isQuick ? 20 : 120
        analyses = isQuick ? 100 : 400
        published = isQuick ? 1_000 : 5_000
        bareEventBytes = [
            .floor: EventTemplate(form: .delivered, padding: 0).event(number: 0).count,
            .gateway: try Self.bareEventBytes(servers),
        ]
    }

    private static func bareEventBytes(_ servers: Servers) throws(BenchmarkError) -> Int {
        let server = try servers.start(.gateway, isTLS: false)
        let generator = try subscribe(Scenario(server: .gateway), server, capacity: 1)
        try generator.connect(1)
        try generator.deliver(
            EventTemplate(form: .gateway, padding: 0), events: 1, window: 1, receivers: 1)
        return generator.tally.lastEventBytes
    }

    private static func subscribe(
        _ scenario: Scenario, _ server: ServerProcess, capacity: Int
    ) throws(BenchmarkError) -> LoadGenerator {
        try LoadGenerator(LoadGenerator.Audience(scenario, server.endpoint), capacity: capacity)
    }

    /// Measures them; the outcomes in the same order.
    func run(_ cases: [Case]) throws(BenchmarkError) -> [Outcome] {
        let figures = try measureCosts(cases)
        var outcomes: [Outcome] = []
        for item in cases {
            switch item.kind {
            case .cost(let load, let reference, let limit):
                outcomes.append(
                    .cost(item, figures[load] ?? [], figures[reference] ?? [], limit: limit))
            case .memory(let isTLS, let limit):
                outcomes.append(.memory(item, try memory(isTLS: isTLS), limit: limit))
            case .descriptors(let limit):
                outcomes.append(try descriptors(item, limit: limit))
            case .checks(let assets, let limit):
                progress("\(checks) checks over \(assets) assets")
                let costs = try CheckCost.measure(assets: assets, checks: checks)
                outcomes.append(.checks(item, costs, limit: limit))
            case .liveDetection(let limit):
                progress("\(crossings) crossings, one a second")
                let measured = try LiveDetection(servers).measure(crossings: crossings)
                outcomes.append(.liveDetection(item, measured, limit: limit))
            case .analysis(let limit, let atLeast):
                progress("analyses by all eight workers, then the Python service's")
                let speed = try AnalysisLoad(servers: servers).speed(requests: analyses, python: python)
                outcomes.append(.analysis(item, speed, limit: limit, atLeast: atLeast))
            case .cachedAnalysis(let limit):
                progress("analyses from the cache")
                let cached = try AnalysisLoad(servers: servers).cached(requests: 10 * analyses)
                outcomes.append(.cachedAnalysis(item, cached, limit: limit))
            case .manyAnalyses(let limit):
                progress("1,000 analyses at once, beside events to 1,000 subscribers")
                let burst = try AnalysisLoad(servers: servers).burst(events: analyses)
                outcomes.append(.manyAnalyses(item, burst, limit: limit))
            case .publishing, .resume, .manyResumes: outcomes.append(try store(item))
            }
        }
        return outcomes
    }

    /// The cases of the event store.
    private func store(_ item: Case) throws(BenchmarkError) -> Outcome {
        let load = StoreLoad(servers: servers)
        switch item.kind {
        case .publishing(let batch, let connections, let atLeast):
            progress("publishing over \(connections) connections, \(batch) in a request")
            let rates = try load.publishing(
                batch: batch, connections: connections, events: published * min(batch, 10), parts: slices)
            return .rate(item, rates, atLeast: atLeast)
        case .resume(let events, let atLeast):
            progress("a client that comes back after \(events) events")
            return .rate(item, try load.resume(events: events, times: slices), atLeast: atLeast)
        case .manyResumes(let limit):
            progress("1,000 clients that come back at once, beside events to others")
            let measured = try load.manyResumes(quietEvents: 2 * analyses, times: 4 * slices)
            return .manyResumes(item, measured, limit: limit)
        case .cost, .memory, .descriptors, .checks, .liveDetection, .analysis, .cachedAnalysis, .manyAnalyses:
            preconditionFailure("\(item.name) is no case of the event store")
        }
    }

    // MARK: Cost

    /// Every load that a case speaks of, once a round; a scenario's loads on the same connections.
    private func measureCosts(_ cases: [Case]) throws(BenchmarkError) -> [Load: [Figure]] {
        var loads: [Load] = []
        for case .cost(let load, let reference, _) in cases.map(\.kind) {
            for load in [reference, load] where !loads.contains(load) { loads.append(load) }
        }
        var scenarios: [Scenario] = []
        for load in loads where !scenarios.contains(load.scenario) { scenarios.append(load.scenario) }
        var figures: [Load: [Figure]] = [:]
        guard !loads.isEmpty else { return figures }
        for round in 1...rounds {
            // Backwards every other time, so that a machine that slows down favours nobody.
            for scenario in round % 2 == 0 ? scenarios.reversed() : scenarios {
                progress("round \(round) of \(rounds): \(scenario.name)")
                let server = try servers.start(
                    scenario.server, isTLS: scenario.isTLS, settings: scenario.settings)
                let generator = try Self.subscribe(scenario, server, capacity: scenario.connections)
                try generator.connect(scenario.connections)
                for load in loads where load.scenario == scenario {
                    figures[load, default: []].append(try measure(load, server, generator))
                }
            }
        }
        return figures
    }

    private func measure(
        _ load: Load, _ server: ServerProcess, _ generator: LoadGenerator
    ) throws(BenchmarkError) -> Figure {
        let receivers = load.scenario.receivers
        let template = try template(load)
        // A burst has to be long against the window, since it begins and ends with fewer events under way.
        let events = max(1, framesPerSlice / receivers) * (load.window > 1 ? 8 : 1)
        try generator.deliver(
            template, events: max(2, 2 * load.window), window: load.window, receivers: receivers)
        try check(load, generator)
        generator.forgetLatencies()
        var costs: [Double] = []
        for _ in 0..<slices {
            let before = try server.usage.processorNanoseconds()
            try generator.deliver(template, events: events, window: load.window, receivers: receivers)
            let spent = try server.usage.processorNanoseconds() - before
            costs.append(Double(spent) / Double(events * receivers))
        }
        return Figure(
            nanosecondsPerFrame: median(costs),
            latencyMedian: quantile(0.5, of: generator.tally.latencies) / 1e6,
            latency99: quantile(0.99, of: generator.tally.latencies) / 1e6)
    }

    /// That frames are of the size that is asked for, so that like is compared with like. A position may be a
    /// few bytes longer than another.
    private func check(_ load: Load, _ generator: LoadGenerator) throws(BenchmarkError) {
        guard !load.scenario.isDeflated else { return }
        let bytes = generator.tally.lastEventBytes
        guard abs(bytes - load.eventBytes) <= 16 else {
            throw BenchmarkError("events of \(bytes) bytes came where \(load.eventBytes) were to be measured")
        }
    }

    private func template(_ load: Load) throws(BenchmarkError) -> EventTemplate {
        let padding = load.eventBytes - (bareEventBytes[load.scenario.server] ?? 0)
        guard padding >= 0 else {
            throw BenchmarkError(
                "the smallest event is \(load.eventBytes - padding) bytes, more than \(load.eventBytes)")
        }
        return EventTemplate(
            form: load.scenario.server == .gateway ? .gateway : .delivered, padding: padding)
    }

    // MARK: Memory and descriptors

    /// Bytes that one more idle subscriber costs.
    private func memory(isTLS: Bool) throws(BenchmarkError) -> Double {
        let scenario = Scenario(server: .gateway, isTLS: isTLS)
        let few = 2000
        let many = 18_000
        progress("memory of \(few) and \(many) subscribers\(isTLS ? " with TLS" : "")")
        let server = try servers.start(.gateway, isTLS: isTLS)
        let generator = try Self.subscribe(scenario, server, capacity: many)
        var resident: [Int] = []
        for count in [few, many] {
            try generator.connect(count)
            try generator.idle(milliseconds: 1000)
            resident.append(try server.usage.residentBytes())
        }
        return Double(resident[1] - resident[0]) / Double(many - few)
    }

    private func descriptors(_ item: Case, limit: Int) throws(BenchmarkError) -> Outcome {
        let scenario = Scenario(server: .gateway)
        let comers = limit + 200
        progress("\(comers) subscribers at a limit of \(limit) descriptors")
        let server = try servers.start(.gateway, isTLS: false, descriptorLimit: limit)
        let generator = try Self.subscribe(scenario, server, capacity: comers)
        // Before the descriptors are used up.
        try generator.openPublisher()
        try generator.connectTolerantly(comers)
        let (open, refused, lost) = (generator.connected, generator.refused, generator.lost)
        let template = EventTemplate(form: .gateway, padding: 0, severity: "critical")
        var isDelivered = false
        if open > 0, lost == 0 {
            try generator.deliver(template, events: 3, window: 1, receivers: open)
            isDelivered = true
        }
        let waiting = comers - open - refused - lost
        // Some descriptors are the server's own: its listeners, its event loop, what it keeps in reserve.
        // Most are to be used all the same, and newcomers are answered 503 or left waiting, never cut.
        let isPassed = isDelivered && open >= limit * 8 / 10 && generator.lost == 0
        return Outcome(
            name: item.name, what: item.what, required: "all served", measured: nil,
            shown: isDelivered ? "\(open) served" : "not served",
            details: "\(open) connected, \(refused) answered 503, \(waiting) wait, \(lost) lost",
            isPassed: isPassed,
            figures: [
                "connected": [Double(open)], "refused": [Double(refused)], "waiting": [Double(waiting)],
                "lost": [Double(lost)],
            ])
    }
}
