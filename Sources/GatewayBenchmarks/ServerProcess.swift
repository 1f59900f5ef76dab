import Glibc
import LinuxSystem

/// A server that is measured: a child process, ended when this object is gone.
final class ServerProcess {
    /// Where it listens on the loopback address.
    let endpoint: Endpoint
    private let launch: Launch
    /// What it has used.
    let usage: ProcessUsage
    private var process: pid_t { usage.process }

    /// Starts it and waits until it takes connections.
    init(_ launch: Launch, environment: [String: String], endpoint: Endpoint) throws(BenchmarkError) {
        self.endpoint = endpoint
        self.launch = launch
        let arguments = ["gateway-bench"] + launch.arguments
        // Nothing of the user's settings but where programs and libraries are found.
        var environment = environment
        for name in ["PATH", "LD_LIBRARY_PATH"] {
            environment[name] = getenv(name).map { String(cString: $0) }
        }
        var argumentPointers = arguments.map { strdup($0) }
        argumentPointers.append(nil)
        var environmentPointers = environment.map { strdup("\($0.key)=\($0.value)") }
        environmentPointers.append(nil)
        defer { (argumentPointers + environmentPointers).forEach { free($0) } }
        var process: pid_t = 0
        let code = posix_spawn(
            &process, "/proc/self/exe", nil, nil, argumentPointers, environmentPointers)
        guard code == 0 else { throw BenchmarkError("posix_spawn: \(String(cString: strerror(code)))") }
        usage = ProcessUsage(process: process)
        try waitUntilListening()
    }

    deinit {
        kill(process, SIGKILL)
        var status: Int32 = 0
        waitpid(process, &status, 0)
    }

    private func waitUntilListening() throws(BenchmarkError) {
        let deadline = monotonicMilliseconds() + 20_000
        while !endpoint.takesConnections() {
            guard !hasEnded() else { throw BenchmarkError("the server ended at once:\n\(log())") }
            guard monotonicMilliseconds() < deadline else {
                throw BenchmarkError("the server does not listen after 20 s:\n\(log())")
            }
            poll(nil, 0, 20)
        }
    }

    /// Looks without taking the status away, so that the number stays ours until `deinit`.
    private func hasEnded() -> Bool {
        var information = siginfo_t()
        let found = waitid(P_PID, id_t(process), &information, WEXITED | WNOHANG | WNOWAIT)
        return found != 0 || information.si_signo == SIGCHLD
    }

    /// The last of what it printed.
    func log() -> String {
        let lines = (readFile("\(launch.directory)/server.log") ?? "").split(separator: "\n").suffix(10)
        return lines.joined(separator: "\n")
    }
}
