import Glibc
import LinuxSystem

/// `gateway-bench load`: the load alone, on a server that runs already, for profiling it.
struct LoadCommand {
    private let port: Int
    private let process: pid_t
    private var scenario = Scenario(server: .gateway)
    private var connections = 10_000
    private var events = 100
    private var window = 1
    private var padding = 0

    /// From the words behind `load`.
    init(_ arguments: [String]) throws(BenchmarkError) {
        guard arguments.count >= 2, let port = Int(arguments[0]), let process = pid_t(arguments[1]) else {
            throw BenchmarkError("load needs a port and the server's process number")
        }
        self.port = port
        self.process = process
        var rest = arguments.dropFirst(2)
        while let option = rest.popFirst() {
            switch option {
            case "--raw": scenario.server = .floor
            case "--tls": scenario.isTLS = true
            case "--deflate": scenario.isDeflated = true
            case "--connections": connections = try Self.number(for: option, &rest)
            case "--events": events = try Self.number(for: option, &rest)
            case "--window": window = try Self.number(for: option, &rest)
            case "--padding": padding = try Self.number(for: option, &rest)
            default: throw BenchmarkError("unknown option \(option)")
            }
        }
    }

    private static func number(
        for option: String, _ rest: inout ArraySlice<String>
    ) throws(BenchmarkError) -> Int {
        guard let number = rest.popFirst().flatMap(Int.init), (0...1_000_000).contains(number) else {
            throw BenchmarkError("\(option) needs a number")
        }
        return number
    }

    /// Connects, publishes and prints what a delivered frame cost.
    func run() throws(BenchmarkError) {
        let endpoint = Endpoint(port: port, isTLS: scenario.isTLS)
        let usage = ProcessUsage(process: process)
        let generator = try LoadGenerator(
            LoadGenerator.Audience(scenario, endpoint), capacity: max(1, connections))
        try generator.connect(max(1, connections))
        let template = EventTemplate(
            form: scenario.server == .gateway ? .gateway : .delivered, padding: padding)
        let before = (processor: try usage.processorNanoseconds(), time: monotonicNanoseconds())
        try generator.deliver(
            template, events: events, window: max(1, window), receivers: generator.connected)
        let spent = try usage.processorNanoseconds() - before.processor
        let seconds = Double(monotonicNanoseconds() - before.time) / 1e9
        let frames = max(1, events * generator.connected)
        print("\(frames) frames of \(generator.tally.lastEventBytes) bytes in \(seconds) s")
        print("\(Int(Double(frames) / seconds)) a second, \(Int(spent) / frames) ns of the server for each")
        for (share, name) in [(0.5, "half"), (0.99, "99 %"), (1, "all")] {
            let latency = quantile(share, of: generator.tally.latencies) / 1e6
            print("\(name) received within \(latency) ms")
        }
    }
}
