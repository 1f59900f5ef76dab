import GatewayClient
import Testing

@testable import fiml_gateway

@Suite("The command line is understood or refused in one line")
struct CommandTests {
    private static let rightCases: [([String], String)] = [
        (["serve"], "serve(envFile: nil)"),
        (["serve", "--env-file", "a.env"], #"serve(envFile: Optional("a.env"))"#),
        (
            ["replay", "a.csv", "--env-file=b", "c.csv"],
            #"replay(files: ["a.csv", "c.csv"], envFile: Optional("b"))"#
        ),
        (["replay", "--", "--odd.csv"], #"replay(files: ["--odd.csv"], envFile: nil)"#),
        (["check-config", "--json"], "checkConfig(asJSON: true, envFile: nil)"),
        (
            ["print-config", "--markdown"],
            "printConfig(fiml_gateway.Command.ReportFormat.markdown, envFile: nil)"
        ),
        (["worker", "risk"], "worker(FIMLCore.WorkerType.risk, count: 1)"),
        (["worker", "news", "--workers", "8"], "worker(FIMLCore.WorkerType.news, count: 8)"),
        (["help"], "help"), (["--help"], "help"), (["-h"], "help"), (["tail", "--help"], "help"),
        (["--version"], "version"),
    ]

    @Test("Each command takes its own words", arguments: rightCases)
    func right(words: [String], command: String) throws {
        #expect("\(try Command.parse(words))" == command)
    }

    private static let wrongCases: [([String], String)] = [
        (
            [],
            "a command is missing; allowed: serve, replay, tail, worker, check-config, "
                + "print-config, help, --version"
        ),
        (
            ["srve"],
            "unknown command 'srve'; allowed: serve, replay, tail, worker, check-config, print-config, help"
        ),
        (["worker"], "worker needs one type of workers: fundamentals, technical, macro"),
        (["worker", "risk", "news"], "worker needs one type of workers"),
        (["worker", "astrology"], "unknown type of workers 'astrology'; allowed: fundamentals"),
        (["worker", "risk", "--workers", "0"], "--workers 0 is not allowed: a whole number from 1 to 64"),
        (["serve", "--port"], "unknown flag --port of serve; allowed: --env-file"),
        (["serve", "now"], "serve takes no argument 'now'; allowed: --env-file"),
        (["replay"], "replay needs the files to replay"),
        (
            ["check-config", "--markdown"],
            "unknown flag --markdown of check-config; allowed: --json, --env-file"
        ),
        (["print-config", "--json", "--markdown"], "--json and --markdown exclude each other"),
    ]

    @Test("What is wrong is named, with what is allowed", arguments: wrongCases)
    func wrong(words: [String], beginning: String) {
        let error = #expect(throws: UsageError.self) { try Command.parse(words) }
        #expect(error?.description.hasPrefix(beginning) == true, "\(error?.description ?? "")")
    }

    @Test("The usage text names every command and fits a terminal of 100 columns")
    func usage() {
        for name in [
            "serve", "replay", "tail", "worker", "check-config", "print-config", "help", "--version",
        ] {
            #expect(Command.usage.contains(name))
        }
        #expect(Command.usage.split(separator: "\n").allSatisfy { $0.count <= 100 })
    }

    @Test("tail goes to where the settings have the gateway listen, but never to a wildcard address")
    func urlOfSettings() {
        let table = [
            ("0.0.0.0", "ws://127.0.0.1:8000/ws/events"), ("::", "ws://[::1]:8000/ws/events"),
            ("10.1.2.3", "ws://10.1.2.3:8000/ws/events"),
        ]
        for (host, url) in table {
            #expect(GatewayProgram.url(host: host, port: 8000)?.description == url)
        }
        #expect(GatewayProgram.url(host: "127.0.0.1", port: 0) == nil)
    }
}
