import Analysis
import FIMLCore
import Locking
import Testing

@testable import FIMLAgents

@Suite("A result says who interpreted it, by FIML's names")
struct InterpretedResultTests {
    private struct ScriptedInterpreter: Interpreter {
        let answer: Interpretation
        let calls = Locked<[WorkerType]>([])

        func interpret(_ finding: Finding, of type: WorkerType, asset: Asset) async -> Interpretation {
            calls.withLock { $0.append(type) }
            return answer
        }
    }

    private func json(_ result: WorkerResult) throws -> JSONValue { try JSONValue.parse(result.json) }

    private static let common: Set<String> = [
        "asset", "analysis_type", "status", "score", "confidence", "as_of", "timestamp", "interpreted_by",
        "worker_id", "attempts", "duration_ms", "missing", "error",
    ]

    @Test("The model's finding stands in for the rules', and is said to be the model's")
    func model() async throws {
        var finding = Finding.scripted(9, confidence: 0.9)
        finding.details = ["trend": "down", "pattern_analysis": "a falling wedge"]
        let interpreter = ScriptedInterpreter(answer: .model(finding))
        let result = try await AnalysisRig(interpreter: interpreter).result(.technical)
        #expect(result.interpreted == .byModel)
        #expect(result.finding == finding)
        let json = try json(result)
        #expect(json["interpreted_by"]?.text == "model")
        #expect(json["model_declined"] == nil)
        #expect(json["score"]?.double == 9)
        #expect(json["pattern_analysis"]?.text == "a falling wedge")
        #expect(interpreter.calls.withLock { $0 } == [.technical])
    }

    @Test("Where the model does not, the rules' finding stands, with the reason")
    func rules() async throws {
        let interpreter = ScriptedInterpreter(answer: .rules("the model did not answer in 20 s"))
        let result = try await AnalysisRig(interpreter: interpreter).result(.technical)
        #expect(result.interpreted == .byRules("the model did not answer in 20 s"))
        #expect(result.finding == .scripted(6, confidence: 0.5))
        let json = try json(result)
        #expect(json["interpreted_by"]?.text == "rules")
        #expect(json["model_declined"]?.text == "the model did not answer in 20 s")
    }

    @Test("Where there is nothing to interpret no model is asked")
    func nothing() async throws {
        let interpreter = ScriptedInterpreter(answer: .rules("no"))
        let few = WorkerAnswer.insufficient([MissingFigures(.bars, reason: "too few")])
        let rig = AnalysisRig(
            [
                .technical: ScriptedHost(.technical) { _ in .fail(.threw("no")) },
                .risk: ScriptedHost(.risk) { _ in .answer(few) },
            ], interpreter: interpreter)
        _ = try await rig.result(.technical)
        _ = try await rig.result(.risk)
        #expect(interpreter.calls.withLock { $0 }.isEmpty)
    }

    @Test("A result has what every worker says, and the worker's own keys")
    func completed() async throws {
        let result = try await AnalysisRig().result(.technical)
        let json = try json(result)
        #expect(Set(json.members?.keys.map { $0 } ?? []) == Self.common.union(["trend"]))
        #expect(json["asset"]?.text == "AAPL")
        #expect(json["analysis_type"]?.text == "technical")
        #expect(json["status"]?.text == "completed")
        #expect(json["score"]?.double == 6)
        #expect(json["confidence"]?.double == 0.5)
        #expect(json["as_of"]?.text == "2023-11-14T22:13:20.000Z")
        #expect(json["worker_id"]?.text == "tech_0")
        #expect(json["attempts"]?.int64 == 1)
        #expect(json["missing"] == [])
        #expect(json["error"] == .null)
    }

    @Test("One without a finding has nulls, and says what is missing or went wrong")
    func incomplete() async throws {
        let few = WorkerAnswer.insufficient([MissingFigures(.bars, "sma_200", reason: "20 of 200 bars")])
        let rig = AnalysisRig([
            .technical: ScriptedHost(.technical) { _ in .answer(few) },
            .risk: ScriptedHost(.risk) { _ in .fail(.rubbish("no JSON")) },
        ])
        let insufficient = try json(try await rig.result(.technical))
        #expect(Set(insufficient.members?.keys.map { $0 } ?? []) == Self.common)
        #expect(insufficient["status"]?.text == "insufficient_data")
        #expect(
            insufficient["missing"] == [["need": "bars", "subject": "sma_200", "reason": "20 of 200 bars"]])
        let failed = try json(try await rig.result(.risk))
        #expect(failed["status"]?.text == "failed")
        #expect(failed["error"]?.text == "an answer that cannot be used: no JSON")
        for json in [insufficient, failed] {
            for name in ["score", "confidence", "as_of"] { #expect(json[name] == .null) }
        }
    }
}
