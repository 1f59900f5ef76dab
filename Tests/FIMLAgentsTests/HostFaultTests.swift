import Analysis
import FIMLAgents
import FIMLCore
import Foundation
import LinuxSystem
import MarketData
import Testing

@Suite("A fault in a worker ends as documented, and nothing else ends with it", .serialized)
struct HostFaultTests {
    private let supervisor: HostSupervisor

    init() throws {
        supervisor = try HostSupervisor(in: nil)
    }

    @Test("A worker answers with what it found, and with what it was given too little of")
    func answers() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        guard case .success(.finding(let finding)) = await faulty.run("aapl") else {
            Issue.record("no finding")
            return
        }
        #expect(finding.details["symbol"] == "AAPL")
        #expect(finding.details["bars"] == 3)
        let process = try await faulty.process()
        #expect(finding.details["process"] == .integer(Int64(process)))
        #expect(
            await faulty.run("THROW", by: 1)
                == .success(.insufficient([MissingFigures(.bars, reason: "as asked")])))
        #expect(await faulty.run("AAPL", by: 2) == .failure(.threw("there is no worker 2")))
        await faulty.host.shutDown()
    }

    /// SIGILL, or SIGTRAP where the machine has no such instruction.
    #if arch(x86_64)
        private static let trap = "killed by signal 4 (Illegal instruction)"
    #else
        private static let trap = "killed by signal 5 (Trace/breakpoint trap)"
    #endif

    /// The symbol, and how the process ends.
    private static let endings = [
        ("TRAP", trap), ("EXIT", "exit status 3"), ("KILL", "killed by signal 9"),
    ]

    @Test("A process that ends fails its tasks, says how it ended, and is started again", arguments: endings)
    func ends(symbol: String, ending: String) async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        let other = FaultyHost(.risk, supervisor: supervisor)
        let untouched = try await other.process()
        let first = try await faulty.process()
        guard case .failure(.hostLost(let reason)) = await faulty.run(symbol) else {
            Issue.record("not lost")
            return
        }
        #expect(reason.hasPrefix(ending))
        #expect(await faulty.answersAgain())
        let status = faulty.host.status()
        #expect(status.restarts == 1)
        #expect(status.lastExit?.hasPrefix(ending) == true)
        #expect(status.processID != first)
        #expect(!ProcessFiles.runs(first))
        #expect(other.host.status().processID == untouched)
        #expect(other.host.status().restarts == 0)
        await faulty.host.shutDown()
        await other.host.shutDown()
    }

    @Test(
        "A task that does not end is timed out; the others of its host are lost", arguments: ["HANG", "SPIN"])
    func doesNotEnd(symbol: String) async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        let first = try await faulty.process()
        async let bystander = faulty.run("HANG", by: 1)
        #expect(
            await faulty.run(symbol, within: .milliseconds(300)) == .failure(.timedOut(.milliseconds(300))))
        guard case .failure(.hostLost) = await bystander else {
            Issue.record("the bystander is not lost")
            return
        }
        #expect(await faulty.answersAgain())
        #expect(!ProcessFiles.runs(first))
        #expect(faulty.host.status().lastExit?.contains("not answered within 0.3 seconds") == true)
        await faulty.host.shutDown()
    }

    @Test("Bytes that are no frame end the host")
    func rubbish() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        // "what" as a length.
        #expect(
            await faulty.run("RUBBISH") == .failure(.rubbish("a frame of \(0x7768_6174) bytes")))
        #expect(await faulty.answersAgain())
        #expect(faulty.host.status().restarts == 1)
        await faulty.host.shutDown()
    }

    @Test("An answer that cannot be used fails its task and leaves the host as it is")
    func nonsense() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        #expect(
            await faulty.run("NONSENSE")
                == .failure(.rubbish("finding.score must be a number from 0.0 to 10.0")))
        #expect(await faulty.answersAgain())
        #expect(faulty.host.status().restarts == 0)
        await faulty.host.shutDown()
    }

    @Test("A worker that takes memory without end is ended by its limit")
    func allocates() async throws {
        let faulty = FaultyHost(limits: HostLimits(memoryMB: 128, cpu: 1), supervisor: supervisor)
        let process = try await faulty.process()
        #expect(faulty.host.status().memoryLimitedBy == "RLIMIT_DATA")
        #expect(
            ProcessFiles.text(process, "limits").split(separator: "\n")
                .contains { $0.hasPrefix("Max data size") && $0.contains("134217728") })
        guard case .failure(.hostLost) = await faulty.run("ALLOCATE") else {
            Issue.record("not lost")
            return
        }
        #expect(await faulty.answersAgain())
        await faulty.host.shutDown()
    }

    @Test("A process that is stopped is heard of no more, and started again")
    func stopped() async throws {
        let faulty = FaultyHost(maxHeartbeatAge: .seconds(1), supervisor: supervisor)
        // Hosts speak every 5 s, so nothing shorter than 6 s is taken.
        let process = try await faulty.process()
        kill(process, SIGSTOP)
        #expect(await faulty.run("AAPL") == .failure(.hostLost("no heartbeat for 6.0 seconds")))
        #expect(await faulty.answersAgain())
        #expect(faulty.host.status().lastExit == "no heartbeat for 6.0 seconds; killed by signal 9 (Killed)")
        #expect(!ProcessFiles.runs(process))
        await faulty.host.shutDown()
    }

    @Test("A program that is not there is named, and tried again")
    func missingProgram() async throws {
        let faulty = FaultyHost(supervisor: supervisor, executable: "/nowhere/fiml-gateway")
        #expect(await Deadline.within(seconds: 120) { faulty.host.status().restarts >= 2 })
        let reason = "/nowhere/fiml-gateway cannot be started: posix_spawn: No such file or directory"
        #expect(await faulty.run("AAPL") == .failure(.hostLost(reason)))
        #expect(faulty.host.status().state == .restarting)
        await faulty.host.shutDown()
        #expect(faulty.host.status().state == .stopped)
    }

    @Test("A task that nobody waits for any more is stopped at once")
    func cancelled() async throws {
        let faulty = FaultyHost(workers: 3, supervisor: supervisor)
        let process = try await faulty.process()
        let task = Task { await faulty.run("HANG") }
        task.cancel()
        #expect(await task.value == .failure(.stopped))
        let later = Task { await faulty.run("HANG", by: 1) }
        guard case .success(.finding) = await faulty.run("AAPL", by: 2) else {
            Issue.record("no finding beside workers that hang")
            return
        }
        later.cancel()
        #expect(await later.value == .failure(.stopped))
        #expect(faulty.host.status().processID == process)
        await faulty.host.shutDown()
    }

    @Test("Tasks that the process does not take are refused beyond 16 MiB")
    func tooManyWait() async throws {
        let faulty = FaultyHost(supervisor: supervisor)
        let process = try await faulty.process()
        kill(process, SIGSTOP)
        var figures = FaultyHost.figures("AAPL")
        let summary = String(repeating: "x", count: 60_000)
        figures.articles = Array(
            repeating: NewsArticle(
                title: "t", summary: summary, publisher: nil, url: nil, publishedAt: figures.moment,
                symbols: []), count: 100)
        // 6 MB each: two fit.
        let large = figures
        let failures = await withTaskGroup { group in
            for _ in 0..<4 {
                group.addTask { () -> WorkerFailure? in
                    do throws(WorkerFailure) {
                        _ = try await faulty.host.run(large, by: 0, within: .seconds(4))
                        return nil
                    } catch {
                        return error
                    }
                }
            }
            return await group.reduce(into: [WorkerFailure?]()) { $0.append($1) }
        }
        #expect(failures.filter { $0 == .refused("too many tasks wait for the worker's host") }.count == 2)
        #expect(failures.contains(.timedOut(.seconds(4))))
        #expect(await faulty.answersAgain())
        figures.articles += figures.articles
        do throws(WorkerFailure) {
            _ = try await faulty.host.run(figures, by: 0, within: .seconds(120))
            Issue.record("a frame that is too long was sent")
        } catch {
            #expect(error == .refused("the figures are longer than 8388608 bytes"))
        }
        await faulty.host.shutDown()
    }

    @Test("A thousand tasks at once are all answered")
    func manyTasks() async throws {
        let faulty = FaultyHost(workers: 4, supervisor: supervisor)
        let bars = await withTaskGroup { group in
            for number in 0..<1_000 {
                group.addTask { () -> Int64? in
                    let answer = try? await faulty.host.run(
                        FaultyHost.figures("A\(number)", bars: number % 261), by: number % 4,
                        within: .seconds(120))
                    guard case .finding(let finding) = answer,
                        finding.details["symbol"] == .string("A\(number)")
                    else { return nil }
                    return finding.details["bars"]?.int64
                }
            }
            return await group.reduce(into: [Int64?]()) { $0.append($1) }
        }
        #expect(bars.count == 1_000)
        // 0 to 260 three times, and 0 to 216.
        #expect(bars.compactMap { $0 }.reduce(0, +) == 125_226)
        #expect(faulty.host.status().restarts == 0)
        await faulty.host.shutDown()
    }
}
