import Analysis
import FIMLCore
import Locking
import Testing

@testable import FIMLAgents

@Suite("A task can be followed, asked after and cancelled")
struct AnalysisTaskTests {
    /// Writes down what is told of a task.
    private final class Told: Sendable {
        private let progress = Locked<[TaskProgress]>([])

        var all: [TaskProgress] { progress.withLock { $0 } }
        var isFinal: Bool { all.last?.status.isFinal ?? false }

        func add(_ progress: TaskProgress) { self.progress.withLock { $0.append(progress) } }
    }

    private func held(_ latch: Latch, places: Int = 100) -> AnalysisRig {
        let host = ScriptedHost(.technical) { _ in .hold(latch, then: .score(6, confidence: 1)) }
        return AnalysisRig([.technical: host]) { $0.analysis.maxConcurrent = places }
    }

    @Test("It is queued, then runs, tells each worker that ends, and completes")
    func progress() async throws {
        let latch = Latch()
        let rig = held(latch, places: 1)
        let first = try rig.orchestrator.begin(.bitcoin, agents: [.technical])
        await until("the first runs") { rig.host(.technical).running == 1 }
        let told = Told()
        let id = try rig.orchestrator.begin(.apple, told: told.add)
        #expect(id.hasPrefix("task_"))
        #expect(id != first)
        let queued = try #require(rig.orchestrator.task(id))
        #expect(queued.progress.status == .queued)
        #expect(queued.progress.totalSteps == 8)
        #expect(queued.finishedAt == nil)
        #expect(told.all.isEmpty)
        latch.open()
        await until("it has ended") { told.isFinal }
        let all = told.all
        #expect(all.map(\.status) == Array(repeating: .running, count: 9) + [.completed])
        #expect(all.map(\.completedSteps) == [0, 1, 2, 3, 4, 5, 6, 7, 8, 8])
        #expect(all.map(\.progress) == [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1])
        #expect(Set(all.compactMap(\.step?.worker)) == Set(WorkerType.allCases))
        #expect(all.compactMap(\.step?.status) == Array(repeating: .completed, count: 8))
        #expect(all.compactMap(\.step?.score) == Array(repeating: 6, count: 8))
        #expect(all.allSatisfy { $0.taskID == id && $0.asset == .apple })
        let ended = try #require(rig.orchestrator.task(id))
        #expect(ended.progress.status == .completed)
        #expect(ended.finishedAt != nil)
        #expect(ended.progress.analysis?.results.count == 8)
    }

    @Test("While it runs it says how far it is")
    func running() async throws {
        let latch = Latch()
        let rig = held(latch)
        let id = try rig.orchestrator.begin(.apple, agents: [.risk, .technical])
        await until("one of two is done") { rig.orchestrator.task(id)?.progress.completedSteps == 1 }
        #expect(rig.orchestrator.task(id)?.progress.status == .running)
        #expect(rig.orchestrator.task(id)?.progress.analysis == nil)
        latch.open()
        await until("it has ended") { rig.orchestrator.task(id)?.progress.status == .completed }
    }

    @Test("Its result can be asked for during TASK_RESULT_TTL after its end")
    func lifetime() async throws {
        let latch = Latch()
        let rig = held(latch)
        let id = try rig.orchestrator.begin(.apple, agents: [.technical])
        rig.clock.advance(seconds: 7_200)
        #expect(rig.orchestrator.task(id) != nil)
        latch.open()
        await until("it has ended") { rig.orchestrator.task(id)?.progress.status == .completed }
        rig.clock.advance(milliseconds: 3_599_999)
        #expect(rig.orchestrator.task(id)?.progress.analysis != nil)
        rig.clock.advance(milliseconds: 1)
        #expect(rig.orchestrator.task(id) == nil)
        #expect(rig.orchestrator.cancel(id) == nil)
    }

    @Test("One that waits for its turn can be cancelled, and never runs")
    func cancelQueued() async throws {
        let latch = Latch()
        let rig = held(latch, places: 1)
        let first = try rig.orchestrator.begin(.bitcoin, agents: [.technical])
        await until("the first runs") { rig.host(.technical).running == 1 }
        let told = Told()
        let id = try rig.orchestrator.begin(.apple, agents: [.technical], told: told.add)
        #expect(rig.orchestrator.cancel(id)?.progress.status == .cancelled)
        #expect(rig.orchestrator.task(id)?.progress.status == .cancelled)
        await until("it has ended") { rig.orchestrator.task(id)?.finishedAt != nil && told.isFinal }
        #expect(told.all.map(\.status) == [.cancelled])
        #expect(told.all.map(\.refusal) == [.cancelled])
        latch.open()
        await until("the first has ended") { rig.orchestrator.task(first)?.progress.status == .completed }
        #expect(rig.host(.technical).calls.map(\.figures.asset) == [.bitcoin])
        await until("its place is free") { rig.orchestrator.underWay == 0 }
    }

    @Test("One that runs can be cancelled, and its workers stop")
    func cancelRunning() async throws {
        let latch = Latch()
        let rig = held(latch)
        let told = Told()
        let id = try rig.orchestrator.begin(.apple, told: told.add)
        await until("seven are done") { rig.orchestrator.task(id)?.progress.completedSteps == 7 }
        let cancelled = try #require(rig.orchestrator.cancel(id))
        #expect(cancelled.progress.status == .cancelled)
        #expect(cancelled.progress.refusal == .cancelled)
        await until("it has ended") { told.isFinal }
        #expect(told.all.last?.status == .cancelled)
        await until("the worker has stopped") { rig.host(.technical).running == 0 }
        #expect(rig.orchestrator.task(id)?.progress.status == .cancelled)
        #expect(rig.orchestrator.task(id)?.progress.analysis == nil)
        await until("its place is free") { rig.orchestrator.underWay == 0 }
        latch.open()
    }

    @Test("One that has ended stays as it is")
    func cancelEnded() async throws {
        let rig = AnalysisRig()
        let id = try rig.orchestrator.begin(.apple)
        await until("it has ended") { rig.orchestrator.task(id)?.progress.status == .completed }
        #expect(rig.orchestrator.cancel(id)?.progress.status == .completed)
        #expect(rig.orchestrator.task(id)?.progress.analysis != nil)
    }

    @Test("Cancelled at any moment, what is answered to that stays true")
    func cancelAnytime() async throws {
        let rig = AnalysisRig { $0.analysis.technicalTTL = .zero }
        for round in 0..<300 {
            let told = Told()
            let id = try rig.orchestrator.begin(.apple, agents: [.technical], told: told.add)
            for _ in 0..<(round % 30) { await Task.yield() }
            let status = try #require(rig.orchestrator.cancel(id)?.progress.status)
            #expect(status == .cancelled || status == .completed)
            await until("it has ended") { told.isFinal }
            #expect(told.all.last?.status == status)
            #expect(rig.orchestrator.task(id)?.progress.status == status)
            #expect(told.all.count { $0.status.isFinal } == 1)
        }
        await until("all places are free") { rig.orchestrator.underWay == 0 }
    }

    @Test("An unknown id is nobody's")
    func unknown() {
        let rig = AnalysisRig()
        #expect(rig.orchestrator.task("task_0") == nil)
        #expect(rig.orchestrator.cancel("task_0") == nil)
    }

    @Test("The newest 2,000 that have ended are kept")
    func bounds() {
        let board = TaskBoard(ttl: .seconds(3_600), now: { 1 })
        for number in 0..<2_100 {
            var progress = TaskProgress(taskID: "\(number)", asset: .apple, totalSteps: 0)
            _ = board.add(progress)
            progress.status = .completed
            #expect(board.end(progress).status == .completed)
        }
        #expect((0..<2_100).count { board.task("\($0)") != nil } == 2_000)
        #expect(board.task("99") == nil)
        #expect(board.task("100") != nil)
    }

    @Test("It is written by the names of the interface")
    func json() async throws {
        let rig = AnalysisRig()
        let id = try rig.orchestrator.begin(.apple, agents: [.technical])
        await until("it has ended") { rig.orchestrator.task(id)?.progress.status == .completed }
        let task = try #require(rig.orchestrator.task(id))
        let json = try JSONValue.parse(task.json)
        #expect(
            Set(json.members?.keys.map { $0 } ?? []) == [
                "task_id", "asset", "status", "progress", "completed_steps", "total_steps", "created_at",
                "finished_at", "error", "result",
            ])
        #expect(json["task_id"]?.text == id)
        #expect(json["asset"]?.text == "AAPL")
        #expect(json["status"]?.text == "completed")
        #expect(json["progress"]?.double == 1)
        #expect(json["error"] == .null)
        #expect(json["result"]?["analyses"]?["technical"]?["score"]?.double == 6)
    }
}
