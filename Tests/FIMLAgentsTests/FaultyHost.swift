import Analysis
import FIMLAgents
import FIMLCore
import Foundation
import LinuxSystem
import MarketData
import Testing

/// A host of workers that misbehave as they are told (see `FaultyWorker`).
struct FaultyHost {
    /// Beside the tests' own program.
    static let executable = directory + "/faulty-worker"

    private static var directory: String {
        // The test runner's own bundle is in the directory of all products.
        for bundle in Bundle.allBundles where bundle.bundlePath.hasSuffix(".xctest") {
            return URL(filePath: bundle.bundlePath).deletingLastPathComponent().path
        }
        let program = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(filePath: program).deletingLastPathComponent().path
    }

    let host: HostProcess

    init(
        _ type: WorkerType = .technical, workers: Int = 2,
        limits: HostLimits = HostLimits(memoryMB: 256, cpu: 1), maxHeartbeatAge: Duration = .seconds(60),
        supervisor: HostSupervisor, executable: String = Self.executable
    ) {
        host = HostProcess(
            type, workers: workers,
            command: HostCommand(
                executable: executable, arguments: [type.rawValue, "--workers", "\(workers)"]),
            limits: limits, maxHeartbeatAge: maxHeartbeatAge, supervisor: supervisor)
    }

    static func figures(_ symbol: String, bars: Int = 3) -> Figures {
        var figures = Figures(
            Asset(symbol: symbol, assetType: .equity), at: Timestamp(milliseconds: 1_700_000_000_000))
        figures.bars = (0..<bars).map { day in
            let price = 100 + Double(day % 37) * 0.37
            return Bar(
                opensAt: Timestamp(milliseconds: 1_600_000_000_000 + Int64(day) * 86_400_000),
                intervalSeconds: 86_400, open: price, high: price + 1, low: price - 1, close: price + 0.5,
                volume: 1_000_000 + Double(day))
        }
        return figures
    }

    /// What comes of a task: the finding's details, or why there is none.
    func run(_ symbol: String, by worker: Int = 0, within limit: Duration = .seconds(120)) async
        -> Result<WorkerAnswer, WorkerFailure>
    {
        do throws(WorkerFailure) {
            return .success(try await host.run(Self.figures(symbol), by: worker, within: limit))
        } catch {
            return .failure(error)
        }
    }

    /// Waits until a task is answered, at most 20 s; whether it is.
    func answersAgain() async -> Bool {
        await Deadline.within(seconds: 120) {
            if case .success(.finding) = await run("AAPL") { true } else { false }
        }
    }

    /// Waits until its process runs; its number.
    func process() async throws -> Int32 {
        _ = await Deadline.within(seconds: 120) { host.status().state == .running }
        return try #require(host.status().processID)
    }
}

/// Looks again and again instead of waiting for a fixed time.
enum Deadline {
    /// Whether something becomes true in time.
    static func within(seconds: UInt64, _ isTrue: () async -> Bool) async -> Bool {
        let end = monotonicMilliseconds() + seconds * 1_000
        while monotonicMilliseconds() < end {
            if await isTrue() { return true }
            try? await Task.sleep(for: .milliseconds(10))
        }
        return await isTrue()
    }
}

/// What the kernel says of a process.
enum ProcessFiles {
    static func text(_ process: Int32, _ file: String) -> String {
        readSmallFile("/proc/\(process)/\(file)") ?? ""
    }

    /// The value after `name:` in `/proc/<pid>/status`.
    static func status(_ process: Int32, _ name: String) -> String? {
        text(process, "status").split(separator: "\n").first { $0.hasPrefix(name + ":") }
            .map { $0.dropFirst(name.count + 1).trimmingCharacters(in: .whitespaces) }
    }

    /// Whether there is such a process that has not ended.
    static func runs(_ process: Int32) -> Bool {
        guard let state = status(process, "State") else { return false }
        return !state.hasPrefix("Z") && !state.hasPrefix("X")
    }
}
