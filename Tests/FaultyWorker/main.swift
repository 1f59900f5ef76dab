import Analysis
import FIMLAgents
import FIMLCore
import Glibc
import LinuxSystem

// `faulty-worker <type> --workers <n>` is a host whose workers do what an asset's symbol says; see
// `FaultyWorker`. `faulty-worker parent` starts one such host, prints the number of its process, and waits.

let arguments = CommandLine.arguments
if arguments.count == 2, arguments[1] == "parent" {
    let supervisor = try HostSupervisor()
    let host = HostProcess(
        .risk, workers: 1,
        command: HostCommand(executable: "/proc/self/exe", arguments: ["risk", "--workers", "1"]),
        limits: HostLimits(memoryMB: 512, cpu: 1), maxHeartbeatAge: .seconds(60), supervisor: supervisor)
    while host.status().state != .running { poll(nil, 0, 10) }
    print(host.status().processID ?? 0)
    fflush(nil)
    // A task that never ends, so that it is not the end of its input that ends the child.
    let figures = Figures(Asset(symbol: "SPIN", assetType: .equity), at: Timestamp(milliseconds: 0))
    _ = try await host.run(figures, by: 0, within: .seconds(3_600))
} else if arguments.count == 4, let type = WorkerType(rawValue: arguments[1]), let workers = Int(arguments[3])
{
    WorkerHostProgram.run(type, workers: workers) { FaultyWorker(type: type) }
} else {
    exit(2)
}
