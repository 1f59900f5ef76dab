import Analysis
import FIMLCore
import LinuxSystem
import Testing

@testable import FIMLAgents

@Suite("The health of the workers is told by what really happened")
struct WorkerHealthTests {
    /// One risk worker that does as it is told, a call each; a call takes so many milliseconds.
    private func rig(_ moves: [(ScriptedHost.Move, UInt64)]) -> AnalysisRig {
        let clock = ManualClock()
        let host = ScriptedHost(.risk) { call in
            let (move, milliseconds) = moves[min(call.number, moves.count - 1)]
            clock.advance(milliseconds: milliseconds)
            return move
        }
        return AnalysisRig([.risk: host], clock: clock) {
            $0.workers.poolSize = 2
            $0.workers.retryAttempts = 0
            $0.analysis.technicalTTL = .zero
        }
    }

    private func metrics(_ rig: AnalysisRig) throws -> WorkerMetrics {
        try #require(rig.orchestrator.healthMonitor.metrics(of: "risk_0"))
    }

    private static let fine = ScriptedHost.Move.score(6, confidence: 1)
    private static let fails = ScriptedHost.Move.fail(.threw("no"))

    @Test("A worker's tasks, times, rates and errors")
    func history() async throws {
        let rig = rig([
            (Self.fine, 1_000), (Self.fine, 4_000), (.fail(.threw("division by zero")), 0),
            (.fail(.timedOut(.seconds(120))), 120_000), (Self.fine, 1_000),
        ])
        for _ in 0..<5 { _ = try await rig.result(.risk) }
        let worker = try metrics(rig)
        #expect(worker.tally.completed == 3)
        #expect(worker.tally.failed == 2)
        #expect(worker.tally.timedOut == 1)
        #expect(worker.tally.minSeconds == 1)
        #expect(worker.tally.maxSeconds == 4)
        #expect(worker.tally.avgSeconds == 2)
        #expect(worker.tally.successRate == 0.6)
        #expect(worker.tally.errorRate == 0.4)
        #expect(worker.tally.recentErrors.map(\.reason) == ["division by zero", "no answer within 120 s"])
        #expect(worker.tally.lastTaskAt != nil)
        #expect(worker.tasksInProgress == 0)
        #expect(worker.status == .healthy)
        #expect(
            Set(worker.json.members?.keys.map { $0 } ?? []) == [
                "worker_id", "worker_type", "status", "reason", "tasks_completed", "tasks_failed",
                "tasks_timeout", "tasks_in_progress", "min_execution_time", "max_execution_time",
                "avg_execution_time", "memory_usage_mb", "cpu_usage_pct", "success_rate", "error_rate",
                "last_heartbeat", "last_task_at", "recent_errors", "circuit_breaker",
            ])
        #expect(worker.json["worker_id"]?.text == "risk_0")
        #expect(worker.json["tasks_completed"]?.int64 == 3)
        #expect(worker.json["avg_execution_time"]?.double == 2)
        #expect(worker.json["recent_errors"]?.elements?.count == 2)
        #expect(worker.json["circuit_breaker"]?["state"]?.text == "closed")
    }

    @Test("The last ten errors are kept, of the last hundred tasks the error rate is")
    func windows() {
        var tally = TaskTally()
        let moment = Timestamp(milliseconds: 0)
        for number in 0..<50 { tally.failed("error \(number)", isTimeout: false, at: moment) }
        #expect(tally.recentErrors.map(\.reason) == (40..<50).map { "error \($0)" })
        #expect(tally.errorRate == 1)
        for _ in 0..<50 { tally.answered(in: 1, at: moment) }
        #expect(tally.errorRate == 0.5)
        for _ in 0..<25 { tally.answered(in: 1, at: moment) }
        #expect(tally.errorRate == 0.25)
        #expect(tally.successRate == 0.6)
        for _ in 0..<25 { tally.answered(in: 1, at: moment) }
        #expect(tally.errorRate == 0)
        #expect(tally.failed == 50)
    }

    @Test("Its status goes by its last task, its circuit and its error rate")
    func statuses() async throws {
        let rig = rig([
            (Self.fine, 0), (Self.fails, 0), (Self.fine, 0), (Self.fails, 0), (Self.fails, 0),
            (Self.fails, 0),
            (Self.fails, 0), (Self.fails, 0), (Self.fine, 0),
        ])
        func status() async throws -> (WorkerStatus, String?) {
            _ = try await rig.result(.risk)
            let worker = try metrics(rig)
            return (worker.status, worker.reason)
        }
        #expect(try metrics(rig).status == .healthy)
        #expect(try await status() == (.healthy, nil))
        #expect(try await status() == (.degraded, "its last task failed"))
        #expect(try await status() == (.healthy, nil))
        #expect(try await status().0 == .degraded)
        // 3 of 5.
        #expect(try await status() == (.unhealthy, "60 % of its last tasks failed"))
        for _ in 0..<3 { _ = try await status() }
        let open = try metrics(rig)
        #expect(open.status == .unhealthy)
        #expect(open.reason == "its circuit is open after 5 failures in a row")
        #expect(open.circuit == .open)
        #expect(open.consecutiveFailures == 5)
        #expect(open.circuitRetryMilliseconds == 60_000)
        #expect(open.json["circuit_breaker"]?["retry_after_ms"]?.int64 == 60_000)
        #expect(rig.orchestrator.healthMonitor.unhealthyWorkers().map(\.id) == ["risk_0"])
        rig.clock.advance(seconds: 60)
        #expect(try await status().0 == .unhealthy)
        #expect(try metrics(rig).circuit == .closed)
        // 6 of 9 still: it takes answers until the rate is low again.
        #expect(try metrics(rig).reason == "66 % of its last tasks failed")
        for _ in 0..<3 { _ = try await status() }
        #expect(try await status() == (.healthy, nil))
        #expect(rig.orchestrator.healthMonitor.unhealthyWorkers().isEmpty)
    }

    @Test("It goes by its host too: not heard of, starting, gone or stopped")
    func hosts() throws {
        let rig = rig([(Self.fine, 0)])
        let host = rig.host(.risk)
        func status(_ change: (inout WorkerHostStatus) -> Void) throws -> (WorkerStatus, String?) {
            host.set(change)
            let worker = try metrics(rig)
            return (worker.status, worker.reason)
        }
        let now = wallMilliseconds()
        #expect(try status { $0.lastHeartbeat = Timestamp(milliseconds: now - 110_000) } == (.healthy, nil))
        let silent = try status { $0.lastHeartbeat = Timestamp(milliseconds: now - 200_000) }
        #expect(silent.0 == .unhealthy)
        #expect(silent.1?.hasPrefix("not heard of for 20") == true)
        #expect(try status { $0.lastHeartbeat = Timestamp(milliseconds: now) } == (.healthy, nil))
        #expect(try status { $0.state = .starting } == (.initializing, "its process is starting"))
        let gone = try status { ($0.state, $0.lastExit, $0.restarts) = (.restarting, "signal 9", 3) }
        #expect(gone == (.unhealthy, "its process ended: signal 9"))
        #expect(rig.orchestrator.healthMonitor.hosts().first { $0.type == .risk }?.restarts == 3)
        #expect(try status { $0.state = .stopped }.0 == .shutdown)
        let used = try status { ($0.state, $0.memoryMB, $0.cpuPercent) = (.running, 12.5, 150) }
        #expect(used == (.healthy, nil))
        #expect(try metrics(rig).json["memory_usage_mb"]?.double == 12.5)
        #expect(try metrics(rig).json["cpu_usage_pct"]?.double == 150)
        #expect(try metrics(rig).json["last_heartbeat"]?.text == Timestamp(milliseconds: now).rfc3339)
    }

    @Test("The summary counts all workers, together and by type")
    func summary() async throws {
        let rig = rig([(Self.fine, 3_000), (Self.fails, 0)])
        let empty = rig.orchestrator.healthMonitor.healthSummary()
        #expect(empty.overallSuccessRate == 1)
        #expect(empty.json["by_type"]?["risk"]?["avg_execution_time"] == .null)
        for _ in 0..<6 { _ = try await rig.result(.risk) }
        _ = try await rig.result(.news)
        _ = try await rig.result(.news, .bitcoin)
        let json = rig.orchestrator.healthMonitor.healthSummary().json
        #expect(
            Set(json.members?.keys.map { $0 } ?? []) == [
                "total_workers", "healthy_workers", "unhealthy_workers", "total_tasks", "total_successes",
                "total_failures", "overall_success_rate", "by_type", "hosts", "timestamp",
            ])
        // Two of four types each, one of the other four.
        #expect(json["total_workers"]?.int64 == 12)
        #expect(json["healthy_workers"]?.int64 == 11)
        #expect(json["unhealthy_workers"]?.int64 == 1)
        #expect(json["total_tasks"]?.int64 == 8)
        #expect(json["total_successes"]?.int64 == 3)
        #expect(json["total_failures"]?.int64 == 5)
        #expect(json["overall_success_rate"]?.double == 0.375)
        #expect(
            json["by_type"]?["risk"] == [
                "total": 1, "healthy": 0, "tasks_completed": 1, "tasks_failed": 5, "avg_execution_time": 3.0,
            ])
        #expect(
            json["by_type"]?["news"] == [
                "total": 2, "healthy": 2, "tasks_completed": 2, "tasks_failed": 0, "avg_execution_time": 0.0,
            ])
        #expect(json["by_type"]?.members?.count == 8)
        #expect(json["hosts"]?.elements?.count == 8)
    }

    @Test("One worker is found by its id, and no other")
    func byID() {
        let monitor = AnalysisRig().orchestrator.healthMonitor
        for id in ["fund_0", "tech_7", "macro_3", "opt_0"] { #expect(monitor.metrics(of: id)?.id == id) }
        for id in ["", "fund_", "fund_8", "macro_4", "fund_00", "x_0", "fund_-1"] {
            #expect(monitor.metrics(of: id) == nil, "\(id)")
        }
        #expect(monitor.allMetrics().count == 48)
    }

    @Test("An observer is told each change once, and each task")
    func observer() async throws {
        let rig = rig([(Self.fails, 0)])
        let pool = try #require(rig.orchestrator.pool(.risk))
        pool.check()
        pool.check()
        #expect(rig.observations.lines == ["status risk_0 initializing healthy: well"])
        for _ in 0..<5 { _ = try await rig.result(.risk) }
        pool.check()
        pool.check()
        let open = "its circuit is open after 5 failures in a row"
        #expect(
            rig.observations.lines.dropFirst() == [
                "task risk failed", "task risk failed", "task risk failed", "task risk failed",
                "circuit risk_0 closed open", "status risk_0 healthy unhealthy: \(open)", "task risk failed",
            ])
    }

    @Test("Once initialised, it looks at the workers by itself")
    func initialized() async {
        let rig = AnalysisRig()
        await rig.orchestrator.initialize()
        await until("all have been looked at") { rig.observations.lines.count == 48 }
        #expect(rig.observations.lines.allSatisfy { $0.hasSuffix("initializing healthy: well") })
        await rig.orchestrator.shutdown()
    }
}
