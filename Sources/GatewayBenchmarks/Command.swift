import Glibc
import LinuxSystem

/// The command line of `gateway-bench`, which `scripts/bench` fills in.
enum Command {
    private static let usage = """
        usage: scripts/bench [--quick] [--json] [--only NAME[,NAME...]]

          --quick   one short round: about a minute and a half
          --json    every figure, round by round, in place of the table
          --only    these cases: \(Case.all.map(\.name).joined(separator: ", "))

        Ends with 0 where all requirements are met, 1 where one is not, 2 where it could not be measured.

        Parts of it, by themselves:
          gateway-bench run --gateway EXECUTABLE --directory DIRECTORY --python PYTHON [options above]
          gateway-bench floor PORT [CERTIFICATE-DIRECTORY]    the raw loop
          gateway-bench load PORT PROCESS [options]           the load alone, on a gateway that runs already
            --raw --tls --deflate --connections N (10000) --events N (100) --window N (1) --padding BYTES (0)
        """

    /// The exit status.
    static func run(_ arguments: [String]) -> Int32 {
        signal(SIGPIPE, SIG_IGN)
        do {
            switch arguments.first {
            case "run": return try measure(Array(arguments.dropFirst()))
            case "load":
                try LoadCommand(Array(arguments.dropFirst())).run()
                return 0
            case "floor": try serveFloor(Array(arguments.dropFirst()))
            case "launch":
                guard let launch = Launch(arguments: Array(arguments.dropFirst())) else { break }
                throw launch.run()
            default: break
            }
            print(usage)
            return arguments.first == "--help" ? 0 : 2
        } catch {
            complain("gateway-bench: \(error)")
            return 2
        }
    }

    private static func serveFloor(_ arguments: [String]) throws {
        guard let port = arguments.first.flatMap(Int.init) else { throw BenchmarkError("floor needs a port") }
        let certificate = arguments.count > 1 ? Certificate(directory: arguments[1]) : nil
        try Floor(port: port, certificate: certificate).run()
    }

    private static func measure(_ arguments: [String]) throws -> Int32 {
        let options = try RunOptions(arguments)
        let cores = Cores.available()
        // The server has a core of its own; what measures it has another.
        let isApart = cores.count > 1
        if isApart { Cores.pin(to: cores[1]) }
        if !isApart { complain("there is one core only: the figures will be poor") }
        let servers = Servers(
            gateway: options.gateway, directory: options.directory, core: isApart ? cores[0] : nil)
        let benchmark = try Benchmark(
            servers: servers, python: options.python, isQuick: options.isQuick
        ) { complain($0) }
        let report = Report(outcomes: try benchmark.run(options.cases))
        print(options.isJSON ? try report.json() : report.table)
        return report.isPassed ? 0 : 1
    }

    private static func complain(_ text: String) {
        let line = Array((text + "\n").utf8)
        _ = write(STDERR_FILENO, line, line.count)
    }
}

/// The options of `gateway-bench run`.
private struct RunOptions {
    var gateway = ""
    var directory = ""
    var python = ""
    var isQuick = false
    var isJSON = false
    var cases = Case.all

    init(_ arguments: [String]) throws(BenchmarkError) {
        var rest = arguments[...]
        while let option = rest.popFirst() {
            switch option {
            case "--quick": isQuick = true
            case "--json": isJSON = true
            case "--only": cases = try Self.cases(try Self.value(of: option, &rest))
            case "--gateway": gateway = try Self.value(of: option, &rest)
            case "--directory": directory = try Self.value(of: option, &rest)
            case "--python": python = try Self.value(of: option, &rest)
            default: throw BenchmarkError("unknown option \(option); --help lists them")
            }
        }
        guard gateway.hasPrefix("/"), directory.hasPrefix("/"), python.hasPrefix("/") else {
            throw BenchmarkError("--gateway, --directory and --python are needed, as absolute paths")
        }
    }

    private static func value(
        of option: String, _ rest: inout ArraySlice<String>
    ) throws(BenchmarkError) -> String {
        guard let value = rest.popFirst() else { throw BenchmarkError("\(option) needs a value") }
        return value
    }

    private static func cases(_ names: String) throws(BenchmarkError) -> [Case] {
        var cases: [Case] = []
        for name in names.split(separator: ",") {
            guard let item = Case.all.first(where: { $0.name == name }) else {
                let names = Case.all.map(\.name).joined(separator: ", ")
                throw BenchmarkError("there is no case \(name); there are \(names)")
            }
            cases.append(item)
        }
        return cases
    }
}
