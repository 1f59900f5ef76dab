import FIMLCore
import Glibc
import LinuxSystem

/// How the servers that are measured are started.
struct Servers {
    /// The gateway's executable.
    let gateway: String
    /// For certificates, logs and the gateway's data.
    let directory: String
    /// The core that servers run on; nil where there is only one.
    let core: Int?
    /// The directory of the recorded market that the gateway has.
    var recording: String {
        gateway.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
            + "/fiml-gateway_MarketData.resources/Recording"
    }

    /// Starts one and waits until it takes connections. `settings` are a gateway's, beside the usual ones.
    func start(
        _ server: Scenario.Server, isTLS: Bool, onOneCore: Bool = true, descriptorLimit: Int? = nil,
        settings: [String: String] = [:]
    ) throws(BenchmarkError) -> ServerProcess {
        let endpoint = try Endpoint.free(isTLS: isTLS)
        let certificate = Certificate(directory: directory)
        let command: [String]
        var environment: [String: String] = [:]
        switch server {
        case .floor:
            command = ["/proc/self/exe", "floor", String(endpoint.port)] + (isTLS ? [directory] : [])
        case .gateway:
            command = [gateway, "serve"]
            environment = try Self.gatewayEnvironment(endpoint, certificate)
            // One of its own: nobody finds what another left.
            environment["FIML_DATA_DIR"] = "\(directory)/data-\(endpoint.port)"
            environment.merge(settings) { $1 }
        }
        return try ServerProcess(
            Launch(
                core: onOneCore ? core : nil, descriptorLimit: descriptorLimit, directory: directory,
                command: command),
            environment: environment, endpoint: endpoint)
    }

    /// Starts the Python service that analyses are compared with, on all cores.
    func startComparison(python: String) throws(BenchmarkError) -> ServerProcess {
        let endpoint = try Endpoint.free(isTLS: false)
        let source = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast()
        let script = source.joined(separator: "/") + "/Comparison/analysis_service.py"
        return try ServerProcess(
            Launch(directory: directory, command: [python, script, String(endpoint.port), recording]),
            environment: [:], endpoint: endpoint)
    }

    /// One event loop, since one core is measured; and nothing is sent but what the benchmark asks for.
    private static func gatewayEnvironment(
        _ endpoint: Endpoint, _ certificate: Certificate
    ) throws(BenchmarkError) -> [String: String] {
        var environment = [
            "FIML_PORT": "0",
            "FIML_EVENT_LOOPS": "1",
            "FIML_LOG_LEVEL": "WARNING",
            "FIML_HEARTBEAT_SECONDS": "3600",
            "FIML_WS_PING_SECONDS": "3600",
            "FIML_HTTP_IDLE_TIMEOUT_SECONDS": "3600",
            "WATCHDOG_GLOBAL_ENABLED": "false",
        ]
        for type in WorkerType.allCases {
            environment["ENABLE_\(type.rawValue.uppercased())_WORKER"] = "false"
        }
        if endpoint.isTLS {
            environment["FIML_TLS_PORT"] = String(endpoint.port)
            environment["FIML_TLS_CERT_FILE"] = certificate.certificateFile
            environment["FIML_TLS_KEY_FILE"] = certificate.keyFile
        } else {
            environment["FIML_PORT"] = String(endpoint.port)
        }
        return environment
    }
}
