import FIMLCore
import GatewayClient

/// What the command line asks for.
enum Command {
    case serve(envFile: String?)
    case replay(files: [String], envFile: String?)
    case tail(TailOptions)
    case checkConfig(asJSON: Bool, envFile: String?)
    case printConfig(ReportFormat, envFile: String?)
    case worker(WorkerType, count: Int)
    case help
    case version

    /// How `print-config` prints.
    enum ReportFormat {
        case text, json, markdown
    }

    private enum Name: String, CaseIterable {
        case serve, replay, tail, worker
        case checkConfig = "check-config"
        case printConfig = "print-config"
        case help
    }

    /// Reads the words behind the program's name.
    static func parse(_ words: [String]) throws(UsageError) -> Command {
        guard let first = words.first else {
            throw UsageError("a command is missing; \(allowedCommands)")
        }
        if first == "--version" { return .version }
        let rest = words.dropFirst()
        if first == "--help" || first == "-h" { return .help }
        guard let name = Name(rawValue: first) else {
            throw UsageError("unknown command '\(first)'; \(allowedCommands)")
        }
        if rest.prefix(while: { $0 != "--" }).contains(where: { $0 == "--help" || $0 == "-h" }) {
            return .help
        }
        return try parse(name, rest)
    }

    private static func parse(_ name: Name, _ words: ArraySlice<String>) throws(UsageError) -> Command {
        let envFile = Arguments.Flag.value("--env-file")
        switch name {
        case .serve:
            let arguments = try Arguments(words, of: "serve", flags: [envFile])
            return .serve(envFile: arguments.value("--env-file"))
        case .replay:
            let arguments = try Arguments(words, of: "replay", flags: [envFile], operandName: "FILE")
            guard !arguments.operands.isEmpty else {
                throw UsageError("replay needs the files to replay: fiml-gateway replay FILE…")
            }
            return .replay(files: arguments.operands, envFile: arguments.value("--env-file"))
        case .tail:
            return .tail(try TailOptions(words))
        case .checkConfig:
            let arguments = try Arguments(words, of: "check-config", flags: [.toggle("--json"), envFile])
            return .checkConfig(asJSON: arguments.has("--json"), envFile: arguments.value("--env-file"))
        case .printConfig:
            let arguments = try Arguments(
                words, of: "print-config", flags: [.toggle("--json"), .toggle("--markdown"), envFile])
            guard !arguments.has("--json") || !arguments.has("--markdown") else {
                throw UsageError("--json and --markdown exclude each other; give one of them")
            }
            let format: ReportFormat =
                arguments.has("--json") ? .json : arguments.has("--markdown") ? .markdown : .text
            return .printConfig(format, envFile: arguments.value("--env-file"))
        case .worker:
            return try worker(words)
        case .help:
            return .help
        }
    }

    private static func worker(_ words: ArraySlice<String>) throws(UsageError) -> Command {
        let arguments = try Arguments(
            words, of: "worker", flags: [.value("--workers")], operandName: "TYPE")
        let known = WorkerType.allCases.map(\.rawValue).joined(separator: ", ")
        guard arguments.operands.count == 1, let name = arguments.operands.first else {
            throw UsageError("worker needs one type of workers: \(known)")
        }
        guard let type = WorkerType(rawValue: name) else {
            throw UsageError("unknown type of workers '\(name)'; allowed: \(known)")
        }
        return .worker(type, count: try arguments.integer("--workers", in: 1...64) ?? 1)
    }

    private static var allowedCommands: String {
        "allowed: \(Name.allCases.map(\.rawValue).joined(separator: ", ")), --version"
    }

    /// What `help` prints.
    static let usage = """
        fiml-gateway streams market anomaly events to filtered WebSocket subscribers.

          fiml-gateway serve                  start the gateway
          fiml-gateway replay FILE…           start it on recordings of your own (CSV)
          fiml-gateway tail                   print events as they come
          fiml-gateway check-config           say whether the settings are right (--json)
          fiml-gateway print-config           show every setting and its origin (--json, --markdown)
          fiml-gateway worker TYPE            analysis workers; the gateway starts them itself
          fiml-gateway help, --version

        Settings come from the environment and from .env here, or from --env-file FILE.

        tail
          --url URL               ws, wss, http or https; default: FIML_HOST and FIML_PORT,
                                  ws://127.0.0.1:8000/ws/events where nothing is set
          --min-severity LEVEL    low, medium, high or critical, and what is above
          --severity, --watchdog, --event-type, --asset, --asset-type LIST
                                  any of these: --asset BTC,ETH*
          --no-market-wide        no events that are about no asset, beside --asset and --asset-type
          --where JSON            on the figures: {"key":"data.usd_value","cmp":"gte","val":5000000}
          --filter JSON           the whole filter as the protocol has it, instead of these flags
          --since POSITION|TIME   begin there; --last N begin with the last N
          --session NAME          go on where the last tail of that session was, on whatever node;
                                  16 to 128 of A-Z a-z 0-9 . _ -, a secret
          --json                  one JSON object a line, as the server sent it
          --count N               end after N events
          --timeout SECONDS       end after this time; exit 1 if nothing (or less than N) came
          --ca-file FILE          trust these authorities; --insecure: any certificate

        tail connects again by itself and goes on where it was: after 0.5 s to a ceiling of 1 s,
        2 s, 4 s … 30 s, or when the server says. What was lost is told on standard error.

        Exit codes: 0 fine, 1 failed, 2 wrong command line, 78 wrong settings.

        """
}
