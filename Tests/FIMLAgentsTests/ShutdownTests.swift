import Analysis
import FIMLCore
import Testing

@testable import FIMLAgents

@Suite("An end refuses what waits, lets finish what runs, and does not last")
struct ShutdownTests {
    private func held(_ latch: Latch, ending: Latch? = nil) -> AnalysisRig {
        let host = ScriptedHost(.technical, ending: ending) { _ in
            .hold(latch, then: .score(6, confidence: 1))
        }
        return AnalysisRig([.technical: host]) { $0.analysis.maxConcurrent = 1 }
    }

    @Test("Draining refuses what waits and what comes; what runs goes on")
    func drain() async throws {
        let latch = Latch()
        let rig = held(latch)
        let running = Task { try await rig.result(.technical) }
        await until("it runs") { rig.host(.technical).running == 1 }
        let waiting = Task { try await rig.result(.technical, .bitcoin) }
        let id = try rig.orchestrator.begin(.numbered(1))
        await until("two wait") { rig.orchestrator.waiting == 2 }
        rig.orchestrator.drain()
        await #expect(throws: AnalysisRefusal.shuttingDown) { try await waiting.value }
        await until("the task was refused") { rig.orchestrator.task(id)?.progress.status == .failed }
        #expect(rig.orchestrator.task(id)?.progress.refusal == .shuttingDown)
        await #expect(throws: AnalysisRefusal.shuttingDown) { try await rig.result(.technical) }
        #expect(throws: AnalysisRefusal.shuttingDown) { try rig.orchestrator.begin(.apple) }
        latch.open()
        #expect(try await running.value.status == .completed)
        #expect(rig.orchestrator.underWay == 0)
        #expect(rig.orchestrator.cachedAnswer(.apple, agents: [.technical]) == nil)
    }

    @Test("A shutdown waits for what runs, ends each host, and may be asked for twice")
    func shutdown() async throws {
        let latch = Latch()
        let rig = held(latch)
        let running = Task { try await rig.result(.technical) }
        await until("it runs") { rig.host(.technical).running == 1 }
        let first = Task { await rig.orchestrator.shutdown() }
        let second = Task { await rig.orchestrator.shutdown() }
        await until("it drains") { (try? rig.orchestrator.begin(.apple)) == nil }
        #expect(rig.host(.technical).shutDowns == 0)
        latch.open()
        #expect(try await running.value.status == .completed)
        await first.value
        await second.value
        await rig.orchestrator.shutdown()
        for type in WorkerType.allCases { #expect(rig.host(type).shutDowns >= 1) }
        #expect(rig.orchestrator.healthMonitor.allMetrics().allSatisfy { $0.status == .shutdown })
    }

    @Test(
        "A host that hangs and a task that does not end keep it for some seconds at most",
        .timeLimit(.minutes(5)))
    func hanging() async throws {
        let latch = Latch()
        let ending = Latch()
        let rig = held(latch, ending: ending)
        let running = Task { try await rig.result(.technical) }
        await until("it runs") { rig.host(.technical).running == 1 }
        let begun = ContinuousClock.now
        await rig.orchestrator.shutdown()
        #expect(ContinuousClock.now - begun < .seconds(120))
        #expect(rig.host(.technical).shutDowns == 1)
        latch.open()
        ending.open()
        _ = try await running.value
    }
}
