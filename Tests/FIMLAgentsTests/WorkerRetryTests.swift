import Analysis
import FIMLCore
import Locking
import Testing

@testable import FIMLAgents

@Suite("A task that a worker fails at is tried again, so often as is set")
struct WorkerRetryTests {
    struct Row: Sendable, CustomTestStringConvertible {
        let failure: WorkerFailure
        let status: WorkerResult.Status
        let error: String
        var testDescription: String { "\(failure)" }
    }

    private static let rows = [
        Row(failure: .threw("division by zero"), status: .failed, error: "division by zero"),
        Row(failure: .rubbish("no JSON"), status: .failed, error: "an answer that cannot be used: no JSON"),
        Row(failure: .hostLost("signal 9"), status: .failed, error: "the worker's process is gone: signal 9"),
        Row(failure: .timedOut(.seconds(120)), status: .timedOut, error: "no answer within 120 s"),
    ]

    @Test("Whatever the failure, three more tries follow, then the result says why", arguments: rows)
    func exhausted(row: Row) async throws {
        let rig = AnalysisRig([.technical: ScriptedHost(.technical) { _ in .fail(row.failure) }])
        let result = try await rig.result(.technical)
        #expect(result.status == row.status)
        #expect(result.error == row.error)
        #expect(result.attempts == 4)
        #expect(result.finding == nil)
        #expect(result.workerID == "tech_3")
        let calls = rig.host(.technical).calls
        #expect(calls.count == 4)
        #expect(calls.allSatisfy { $0.limit == .seconds(120) })
        for (earlier, later) in zip(calls, calls.dropFirst()) { #expect(earlier.worker != later.worker) }
    }

    @Test("An answer ends the tries, and says how many it took", arguments: rows)
    func recovered(row: Row) async throws {
        let host = ScriptedHost(.technical) { call in
            call.number < 2 ? .fail(row.failure) : .score(7, confidence: 1)
        }
        let result = try await AnalysisRig([.technical: host]).result(.technical)
        #expect(result.status == .completed)
        #expect(result.error == nil)
        #expect(result.attempts == 3)
        #expect(result.finding?.score == 7)
        #expect(host.calls.count == 3)
    }

    @Test("How often is a setting", arguments: [0, 1, 7])
    func counts(retries: Int) async throws {
        let host = ScriptedHost(.technical) { _ in .fail(.threw("no")) }
        let rig = AnalysisRig([.technical: host]) { $0.workers.retryAttempts = retries }
        #expect(try await rig.result(.technical).attempts == retries + 1)
        #expect(host.calls.count == retries + 1)
    }

    @Test("Between tries there is a pause")
    func pauses() async throws {
        let host = ScriptedHost(.technical) { _ in .fail(.threw("no")) }
        let rig = AnalysisRig([.technical: host]) {
            $0.workers.retryAttempts = 2
            $0.workers.retryDelay = .milliseconds(100)
        }
        let begun = ContinuousClock.now
        _ = try await rig.result(.technical)
        // Each is at least three quarters of what is set.
        #expect(ContinuousClock.now - begun >= .milliseconds(150))
    }

    @Test("Too few figures are an answer: they are not tried again")
    func insufficient() async throws {
        let missing = [MissingFigures(.bars, "sma_200", reason: "20 of 200 bars")]
        let host = ScriptedHost(.technical) { _ in .answer(.insufficient(missing)) }
        let result = try await AnalysisRig([.technical: host]).result(.technical)
        #expect(result.status == .insufficientData)
        #expect(result.missing == missing)
        #expect(result.error == nil)
        #expect(host.calls.count == 1)
    }

    @Test("A host that is being stopped is not tried again")
    func stopped() async throws {
        let host = ScriptedHost(.technical) { _ in .fail(.stopped) }
        let result = try await AnalysisRig([.technical: host]).result(.technical)
        #expect(result.status == .cancelled)
        #expect(host.calls.count == 1)
    }

    @Test("Where no circuit admits a task the result says so, with the last failure")
    func unavailable() async throws {
        let host = ScriptedHost(.risk) { _ in .fail(.threw("out of order")) }
        // One worker, whose circuit is open after two.
        let rig = AnalysisRig([.risk: host]) {
            $0.workers.poolSize = 2
            $0.workers.circuitBreakerThreshold = 2
        }
        let first = try await rig.result(.risk)
        #expect(first.status == .unavailable)
        #expect(first.attempts == 2)
        #expect(first.error?.contains("out of order") == true)
        let second = try await rig.result(.risk)
        #expect(second.status == .unavailable)
        #expect(second.attempts == 0)
        #expect(host.calls.count == 2)
    }
}
