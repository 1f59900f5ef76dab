import Configuration
import FIMLCore
import FoundationEssentials
import Gateway
import GatewayClient
import Glibc

/// The program: from the command line to an exit code (sysexits.h has 78).
enum GatewayProgram {
    private static let wrongUsage: Int32 = 2
    private static let wrongConfiguration: Int32 = 78

    /// Runs the command, and exits.
    static func main() -> Never {
        openStandardStreams()
        do {
            exit(try run(Command.parse(Array(CommandLine.arguments.dropFirst()))))
        } catch let error as ConfigurationError {
            error.problems.forEach(StandardError.write)
            exit(wrongConfiguration)
        } catch let error as UsageError {
            StandardError.write("\(error)")
            exit(wrongUsage)
        } catch {
            StandardError.write("\(error)")
            exit(EXIT_FAILURE)
        }
    }

    /// Where the caller has closed 0, 1 or 2, the next socket would get that number, and be printed to.
    private static func openStandardStreams() {
        for raw: Int32 in 0...2 where fcntl(raw, F_GETFD) == -1 {
            // The lowest free number, which is this one (open(2)). Read-only, so that printing still fails.
            _ = open("/dev/null", O_RDONLY)
        }
    }

    private static func run(_ command: Command) throws -> Int32 {
        switch command {
        case .serve(let envFile):
            return Gateway.run(try load(envFile), replayFiles: [])
        case .replay(let files, let envFile):
            return Gateway.run(try load(envFile), replayFiles: files)
        case .tail(let options):
            return Tail.run(options, url: try options.url ?? urlOfSettings())
        case .worker(let type, let count):
            try runWorkers(type, count)
        case .checkConfig(let asJSON, let envFile):
            return checkConfig(asJSON: asJSON, envFile)
        case .printConfig(let format, let envFile):
            switch format {
            case .text: say(SettingsReport(try load(envFile)).text)
            case .json: say(try SettingsReport(try load(envFile)).json())
            // Defaults only, so it does not matter what is set.
            case .markdown: say(SettingsReport.markdown)
            }
        case .help:
            say(Command.usage)
        case .version:
            say("fiml-gateway \(Gateway.version)\n")
        }
        return EXIT_SUCCESS
    }

    // MARK: - Commands

    private static func runWorkers(_ type: WorkerType, _ count: Int) throws(UsageError) -> Never {
        guard isatty(STDIN_FILENO) == 0 else {
            throw UsageError("worker is started by the gateway, which speaks with it over standard input")
        }
        Gateway.runWorkers(type, count: count)
    }

    private static func checkConfig(asJSON: Bool, _ envFile: String?) -> Int32 {
        let problems: [String]
        let notices: [String]
        do throws(ConfigurationError) {
            (problems, notices) = ([], try load(envFile).notices)
        } catch {
            (problems, notices) = (error.problems, [])
        }
        if asJSON {
            say(verdict(problems, notices))
        } else {
            problems.forEach(StandardError.write)
            notices.forEach { StandardError.write("notice: \($0)") }
            if problems.isEmpty { say("The settings are right.\n") }
        }
        return problems.isEmpty ? EXIT_SUCCESS : wrongConfiguration
    }

    /// One object on a line: `valid`, `problems`, `notices`.
    private static func verdict(_ problems: [String], _ notices: [String]) -> String {
        let verdict: JSONValue = [
            "valid": .bool(problems.isEmpty),
            "problems": .array(problems.map(JSONValue.string)),
            "notices": .array(notices.map(JSONValue.string)),
        ]
        return String(decoding: verdict.json, as: UTF8.self) + "\n"
    }

    // MARK: - Settings

    private static func load(_ envFile: String?) throws(ConfigurationError) -> LoadedSettings {
        let file = try EnvironmentFile.read(path: envFile ?? ".env", required: envFile != nil)
        return try Settings.load(environment: ProcessInfo.processInfo.environment, dotEnv: file)
    }

    private static func urlOfSettings() throws -> GatewayURL {
        let server = try load(nil).settings.server
        guard let url = url(host: server.host, port: server.port) else {
            throw UsageError("FIML_PORT is 0, so the port is not known; give --url")
        }
        return url
    }

    /// Where a gateway that listens there can be reached from this machine; the wildcard addresses are no
    /// destinations. nil where the kernel chooses the port.
    static func url(host: String, port: Int) -> GatewayURL? {
        guard port != 0 else { return nil }
        let loopback = ["0.0.0.0": "127.0.0.1", "::": "::1"]
        return GatewayURL(host: loopback[host] ?? host, port: port)
    }

    // MARK: - Output

    private static func say(_ text: String) {
        print(text, terminator: "")
    }
}
