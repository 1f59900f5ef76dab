import Analysis
import FIMLAgents
import FIMLCore
import Foundation
import LinuxSystem
import Locking
import Testing

@Suite("A worker host is a process of its own, within its limits and without our secrets", .serialized)
struct HostProcessTests {
    private let supervisor: HostSupervisor

    init() throws {
        supervisor = try HostSupervisor(in: nil)
    }

    @Test("It inherits no variable, no descriptor, no process group and no blocked signal")
    func inheritsNothing() async throws {
        let secret = open("/dev/null", O_RDONLY)
        defer { close(secret) }
        #expect(fcntl(secret, F_GETFD) & FD_CLOEXEC == 0)
        let faulty = FaultyHost(workers: 3, supervisor: supervisor)
        let process = try await faulty.process()
        #expect(ProcessFiles.text(process, "environ") == "SWIFT_BACKTRACE=enable=no\0")
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/fd")
        // Its own are what wakes each worker, and nothing else.
        let targets = descriptors.compactMap(Int.init).sorted().filter { $0 > 2 }.map { number in
            try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/\(process)/fd/\(number)")
        }
        #expect(targets == Array(repeating: "anon_inode:[eventfd]", count: 3))
        for number in [0, 1] {
            let target = try FileManager.default.destinationOfSymbolicLink(
                atPath: "/proc/\(process)/fd/\(number)")
            #expect(target.hasPrefix("socket:"))
        }
        #expect(getpgid(process) == process)
        #expect(ProcessFiles.status(process, "SigBlk") == "0000000000000000")
        await faulty.host.shutDown()
    }

    @Test("It has the name that it was given, and one that says that it is a worker")
    func names() async throws {
        let host = HostProcess(
            .risk, workers: 1,
            command: HostCommand(
                executable: FaultyHost.executable, name: "fiml-gateway",
                arguments: ["risk", "--workers", "1"]),
            limits: HostLimits(memoryMB: 256, cpu: 1), maxHeartbeatAge: .seconds(60), supervisor: supervisor)
        #expect(await Deadline.within(seconds: 120) { host.status().state == .running })
        let process = try #require(host.status().processID)
        #expect(ProcessFiles.text(process, "cmdline") == "fiml-gateway\0risk\0--workers\01\0")
        #expect(ProcessFiles.status(process, "Name") == "fiml-worker")
        await host.shutDown()
    }

    @Test("It runs on as many cores as it may use, and the status says so")
    func affinity() async throws {
        let all = try CoreSet.ofThisThread()
        let faulty = FaultyHost(limits: HostLimits(memoryMB: 256, cpu: 0.5), supervisor: supervisor)
        let process = try await faulty.process()
        #expect(faulty.host.status().cpuLimitedBy == "affinity to 1 core")
        #expect(ProcessFiles.status(process, "Cpus_allowed_list").flatMap(Int.init) == all.cores[0])
        for thread in try FileManager.default.contentsOfDirectory(atPath: "/proc/\(process)/task") {
            let number = try #require(Int32(thread))
            #expect(ProcessFiles.status(number, "Cpus_allowed_list").flatMap(Int.init) == all.cores[0])
        }
        // The next host begins where this one's share ended.
        let other = FaultyHost(.risk, limits: HostLimits(memoryMB: 256, cpu: 1), supervisor: supervisor)
        let second = try await other.process()
        #expect(
            ProcessFiles.status(second, "Cpus_allowed_list").flatMap(Int.init)
                == all.cores[1 % all.cores.count])
        await faulty.host.shutDown()
        await other.host.shutDown()
    }

    @Test("It writes no file of its memory when it crashes")
    func coreDumps() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        let process = try await faulty.process()
        let line = ProcessFiles.text(process, "limits").split(separator: "\n")
            .first { $0.hasPrefix("Max core file size") }
        #expect(line?.split(separator: " ").dropFirst(4).prefix(2) == ["0", "0"])
        await faulty.host.shutDown()
    }

    @Test("Memory and processor time are measured")
    func measured() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        _ = try await faulty.process()
        async let spin = faulty.run("SPIN", within: .seconds(300))
        // On a busy machine it gets little, and is measured late; it spins until it is killed.
        #expect(
            await Deadline.within(seconds: 120) {
                let status = faulty.host.status()
                return status.cpuPercent > 1 && status.cpuSeconds > 0.05
            })
        let status = faulty.host.status()
        #expect(status.memoryMB > 1)
        #expect(status.memoryMB < 256)
        #expect(status.cpuPercent < 250)
        kill(try #require(status.processID), SIGKILL)
        guard case .failure(.hostLost) = await spin else {
            Issue.record("it was killed while it span")
            return
        }
        // What an ended process used still counts.
        #expect(await faulty.answersAgain())
        #expect(faulty.host.status().cpuSeconds >= status.cpuSeconds)
        await faulty.host.shutDown()
        #expect(faulty.host.status().memoryMB == 0)
    }

    @Test("SIGTERM and SIGINT are the parent's affair")
    func signals() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        let process = try await faulty.process()
        kill(process, SIGTERM)
        kill(process, SIGINT)
        #expect(await faulty.answersAgain())
        #expect(faulty.host.status().processID == process)
        await faulty.host.shutDown()
    }

    @Test("Shut down it is gone, its tasks are stopped, and it takes no more", arguments: ["HANG", "SPIN"])
    func shutDown(symbol: String) async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        let process = try await faulty.process()
        async let running = faulty.run(symbol)
        #expect(await Deadline.within(seconds: 120) { ProcessReadings.cpuSeconds(of: process) != nil })
        await faulty.host.shutDown()
        #expect(await running == .failure(.stopped))
        // Not even a zombie: waitpid(2) knows of no such child.
        #expect(kill(process, 0) == -1)
        #expect(errno == ESRCH)
        #expect(await faulty.run("AAPL") == .failure(.stopped))
        #expect(faulty.host.status().state == .stopped)
        #expect(faulty.host.status().processID == nil)
        // Once more does no harm.
        await faulty.host.shutDown()
    }

    @Test("A stopped process is killed a second after it was asked to end")
    func shutDownStopped() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        let process = try await faulty.process()
        kill(process, SIGSTOP)
        let start = monotonicMilliseconds()
        await faulty.host.shutDown()
        #expect(monotonicMilliseconds() - start >= 1_000)
        #expect(kill(process, 0) == -1)
    }

    @Test("Hosts that nobody holds any more end with their supervisor")
    func dropped() async throws {
        var own: HostSupervisor? = try HostSupervisor(in: nil)
        var faulty: FaultyHost? = FaultyHost(supervisor: try #require(own))
        let process = try #require(try await faulty?.process())
        faulty = nil
        own = nil
        #expect(await Deadline.within(seconds: 120) { kill(process, 0) == -1 })
    }

    @Test("Each change of the state is told")
    func changes() async throws {
        let states = Locked<[WorkerHostStatus.State]>([])
        let host = HostProcess(
            .news, workers: 1,
            command: HostCommand(
                executable: FaultyHost.executable, arguments: ["news", "--workers", "1"]),
            limits: HostLimits(memoryMB: 256, cpu: 1), maxHeartbeatAge: .seconds(60), supervisor: supervisor
        ) { status in states.withLock { $0.append(status.state) } }
        #expect(await Deadline.within(seconds: 120) { host.status().state == .running })
        kill(try #require(host.status().processID), SIGKILL)
        #expect(await Deadline.within(seconds: 120) { states.withLock { $0.count } >= 5 })
        await host.shutDown()
        let told = states.withLock { $0 }
        #expect(told.prefix(5) == [.starting, .running, .restarting, .starting, .running])
        #expect(told.last == .stopped)
    }

    @Test("A process that is killed for a reason is told of once, with the reason")
    func reasonIsTold() async throws {
        let told = Locked<[WorkerHostStatus]>([])
        let host = HostProcess(
            .technical, workers: 1,
            command: HostCommand(
                executable: FaultyHost.executable, arguments: ["technical", "--workers", "1"]),
            limits: HostLimits(memoryMB: 256, cpu: 1), maxHeartbeatAge: .seconds(60), supervisor: supervisor
        ) { status in told.withLock { $0.append(status) } }
        #expect(await Deadline.within(seconds: 120) { host.status().state == .running })
        await #expect(throws: WorkerFailure.timedOut(.milliseconds(300))) {
            try await host.run(FaultyHost.figures("HANG"), by: 0, within: .milliseconds(300))
        }
        #expect(await Deadline.within(seconds: 120) { told.withLock { $0.count } >= 5 })
        let changes = told.withLock { $0 }
        #expect(changes.prefix(5).map(\.state) == [.starting, .running, .restarting, .starting, .running])
        #expect(
            changes[2].lastExit
                == "a task was not answered within 0.3 seconds; killed by signal 9 (Killed)")
        await host.shutDown()
    }

    @Test("A parent that is killed with SIGKILL leaves no child, also none that spins")
    func parentKilled() async throws {
        let parent = Process()
        parent.executableURL = URL(filePath: FaultyHost.executable)
        parent.arguments = ["parent"]
        let output = Pipe()
        parent.standardOutput = output
        try parent.run()
        let line = String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
        let child = try #require(Int32(line.trimmingCharacters(in: .whitespacesAndNewlines)))
        #expect(await Deadline.within(seconds: 120) { (ProcessReadings.cpuSeconds(of: child) ?? 0) > 0.1 })
        #expect(ProcessFiles.runs(child))
        kill(parent.processIdentifier, SIGKILL)
        #expect(await Deadline.within(seconds: 120) { !ProcessFiles.runs(child) })
        parent.waitUntilExit()
    }
}
