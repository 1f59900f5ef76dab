import Analysis
import Configuration
import FIMLCore
import LinuxSystem
import Testing

@testable import FIMLAgents

@Suite("A task can be asked after when the gateway was restarted, and at other gateways")
struct KeptTasksTests {
    private let store = ScriptedStore()

    init() {
        store.advance(seconds: (wallMilliseconds() - store.now) / 1000)
    }

    /// A task that is at it until the latch is opened.
    private func begun(_ keeping: ResultKeeping, _ latch: Latch) throws -> (rig: AnalysisRig, id: String) {
        let host = ScriptedHost(.risk) { _ in .hold(latch, then: .score(6, confidence: 1)) }
        let rig = AnalysisRig([.risk: host], keeping: keeping)
        return (rig, try rig.orchestrator.begin(.apple, agents: [.risk]))
    }

    private func members(_ task: KeptTask?) throws -> [String: JSONValue] {
        let json: [UInt8]? =
            switch task {
            case .ended(let json), .running(let json, _): json
            case nil: nil
            }
        let text = try #require(json)
        return try #require(JSONValue.parse(text).members)
    }

    private func node(of task: KeptTask?) -> String? {
        if case .running(_, let node) = task { node } else { nil }
    }

    @Test("One that has ended is told byte for byte as before, for TASK_RESULT_TTL")
    func ended() async throws {
        let rig = AnalysisRig(keeping: store.keeping())
        let id = try rig.orchestrator.begin(.apple)
        await until("the end is stored") {
            store.entries["task:\(id)"].map {
                !String(decoding: $0.value, as: UTF8.self).contains("\"node\"")
            }
                ?? false
        }
        let told = try #require(rig.orchestrator.task(id))
        #expect(told.progress.status == .completed)
        let second = AnalysisRig(keeping: store.keeping(life: "second"))
        #expect(await second.orchestrator.keptTask(id) == .ended(told.json))
        let other = AnalysisRig(keeping: store.keeping("b"))
        #expect(await other.orchestrator.keptTask(id) == .ended(told.json))
        store.advance(seconds: 3_600)
        #expect(await second.orchestrator.keptTask(id) == nil)
    }

    @Test("One that the restart has ended has failed, says why, and stays so")
    func lost() async throws {
        let latch = Latch()
        let (rig, id) = try begun(store.keeping(), latch)
        let second = AnalysisRig(keeping: store.keeping(life: "second"))
        let lost = await second.orchestrator.keptTask(id)
        let members = try members(lost)
        #expect(members["status"] == "failed")
        #expect(members["error"] == "the gateway was restarted before it ended")
        #expect(members["asset"] == "AAPL")
        #expect(members["total_steps"] == 1)
        #expect(members["created_at"] == rig.orchestrator.task(id).map { .string($0.createdAt.rfc3339) })
        #expect(members["finished_at"]?.text != nil)
        store.advance(seconds: 60)
        #expect(await second.orchestrator.keptTask(id) == lost)
        latch.open()
    }

    @Test("One of another gateway runs for as long as it may")
    func elsewhere() async throws {
        let latch = Latch()
        let (rig, id) = try begun(store.keeping(), latch)
        let createdAt = try #require(rig.orchestrator.task(id)).createdAt
        let other = AnalysisRig(keeping: store.keeping("b"))
        #expect(node(of: await other.orchestrator.keptTask(id)) == "a")
        #expect(try members(await other.orchestrator.keptTask(id))["status"] == "running")
        store.move(to: createdAt, plus: 300)
        // Clocks may differ by some seconds.
        #expect(node(of: await other.orchestrator.keptTask(id)) == "a")
        store.move(to: createdAt, plus: 360)
        let late = try members(await other.orchestrator.keptTask(id))
        #expect(late["status"] == "failed")
        #expect(late["error"] == "the gateway a stopped before it ended")
        latch.open()
    }

    @Test("One of a gateway that is known to be gone has failed, unless that may just be starting")
    func gone() async throws {
        let latch = Latch()
        let (rig, id) = try begun(store.keeping(), latch)
        let createdAt = try #require(rig.orchestrator.task(id)).createdAt
        let keeping = store.keeping("b") { node, incarnation in node != "a" || incarnation != "first" }
        let other = AnalysisRig(keeping: keeping).orchestrator
        #expect(node(of: await other.keptTask(id)) == "a")
        store.move(to: createdAt, plus: 10)
        let members = try members(await other.keptTask(id))
        #expect(members["status"] == "failed")
        latch.open()
    }

    @Test("What nobody has begun is not there, and what is no task's id is not even looked up")
    func unknown() async throws {
        let rig = AnalysisRig(keeping: store.keeping())
        let hostile = [
            "", "task", "x", "task_A", "task_/../..", "task_%00", "task_" + String(repeating: "a", count: 60),
        ]
        for id in hostile {
            #expect(await rig.orchestrator.keptTask(id) == nil)
        }
        #expect(store.asked.isEmpty)
        #expect(await rig.orchestrator.keptTask("task_0198d8f2") == nil)
        for broken in ["", "{}", "[]", "{\"node\":\"a\"}", "{\"node\":1,\"task_id\":\"x\"}"] {
            store.set("task:task_1", StoredResult(Array(broken.utf8), expiresAt: .max))
            #expect(await rig.orchestrator.keptTask("task_1") == nil, "\(broken)")
        }
    }

    @Test(
        "A record with moments and numbers that no gateway writes ends nothing",
        arguments: ["9223372036854775807", "-9223372036854775808", "1e308", "\"9999-12-31T23:59:59Z\""])
    func hostile(value: String) async throws {
        let asset = String(decoding: Asset.apple.json, as: UTF8.self)
        for name in ["created_at", "total_steps"] {
            var parts = ["created_at": "\"1970-01-01T00:00:00Z\"", "total_steps": "1"]
            parts[name] = value
            let more = parts.map { ",\"\($0.key)\":\($0.value)" }.joined()
            let text =
                "{\"node\":\"a\",\"incarnation\":\"x\",\"task_id\":\"task_1\",\"asset\":\(asset)\(more)}"
            for node in ["a", "b"] {
                store.set("task:task_1", StoredResult(Array(text.utf8), expiresAt: .max))
                let other = AnalysisRig(keeping: store.keeping(node, life: "y")).orchestrator
                if let task = await other.keptTask("task_1") {
                    #expect(try members(task)["task_id"] == "task_1")
                }
            }
        }
    }

    @Test("With a TASK_RESULT_TTL of nothing, nothing is kept")
    func never() async throws {
        let rig = AnalysisRig(keeping: store.keeping()) { $0.analysis.resultTTL = .zero }
        let id = try rig.orchestrator.begin(.apple, agents: [.options])
        await until("it has ended") { rig.orchestrator.task(id) == nil }
        #expect(store.entries.keys.allSatisfy { !$0.hasPrefix("task:") })
    }
}
