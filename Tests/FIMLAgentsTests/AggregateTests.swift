import Analysis
import FIMLCore
import Testing

@testable import FIMLAgents

@Suite("The verdict weighs each answer by its type and its confidence, and counts no failure")
struct AggregateTests {
    private static let moment = Timestamp(milliseconds: 0)

    /// A score and its confidence; nil is one that failed.
    private func aggregate(_ results: [WorkerType: (Double, Double)?]) -> Aggregate {
        Aggregate(
            results.map { type, answer in
                var result = WorkerResult(
                    type, .apple, answer == nil ? .failed : .completed, at: Self.moment)
                result.finding = answer.map { .scripted($0.0, confidence: $0.1) }
                return result
            })
    }

    private func near(_ value: Double?, _ expected: Double) -> Bool {
        value.map { abs($0 - expected) < 1e-9 } ?? false
    }

    @Test("The weights of all types make one")
    func weights() {
        #expect(Set(Aggregate.weights.keys) == Set(WorkerType.allCases))
        #expect(near(Aggregate.weights.values.reduce(0, +), 1))
    }

    @Test("Computed by hand")
    func table() {
        // One alone is what it says, whatever its confidence.
        #expect(near(aggregate([.macro: (7, 0.1)]).overallScore, 7))
        // 0.20 and 0.20, equally sure: the middle.
        #expect(near(aggregate([.fundamentals: (8, 1), .technical: (4, 1)]).overallScore, 6))
        // 0.20 × 1 and 0.20 × 0.5: (8 × 0.2 + 2 × 0.1) / 0.3.
        #expect(near(aggregate([.fundamentals: (8, 1), .technical: (2, 0.5)]).overallScore, 6))
        // 0.20, 0.15, 0.05: (10 × 0.20 + 4 × 0.15 + 2 × 0.05) / 0.40 = 2.7 / 0.4.
        let three = aggregate([.technical: (10, 1), .risk: (4, 1), .correlation: (2, 1)])
        #expect(near(three.overallScore, 6.75))
        #expect(near(three.appliedWeights[.technical], 0.5))
        #expect(near(three.appliedWeights[.risk], 0.375))
        #expect(near(three.appliedWeights[.correlation], 0.125))
        #expect(three.recommendation == .buy)
        #expect(three.scores == [.technical: 10, .risk: 4, .correlation: 2])
    }

    @Test("A failed worker changes nothing but the coverage")
    func failed() throws {
        let without = aggregate([.fundamentals: (8, 1), .macro: (2, 1)])
        let with = aggregate([.fundamentals: (8, 1), .macro: (2, 1), .risk: .none, .news: .none])
        // (8 × 0.2 + 2 × 0.1) / 0.3
        #expect(near(without.overallScore, 6))
        #expect(near(with.overallScore, 6))
        #expect(with.agentCount == 2)
        #expect(with.asked == 4)
        #expect(with.scores == without.scores)
        let json = try JSONValue.parse(with.json)
        #expect(json["coverage"] == ["answered": 2, "asked": 4, "fraction": 0.5])
        #expect(json["agent_count"]?.int64 == 2)
        #expect(Set(json["weights"]?.members?.keys.map { $0 } ?? []) == ["fundamentals", "macro"])
    }

    @Test("Where none answered, or none with any confidence, there is no verdict")
    func none() throws {
        for results: [WorkerType: (Double, Double)?] in [
            [:], [.risk: .none, .macro: .none], [.risk: (9, 0)], [.risk: (9, 0), .news: .none],
        ] {
            let aggregate = aggregate(results)
            #expect(aggregate.overallScore == nil)
            #expect(aggregate.recommendation == nil)
            let json = try JSONValue.parse(aggregate.json)
            #expect(json["overall_score"] == .null)
            #expect(json["recommendation"] == .null)
        }
    }

    @Test(
        "The recommendation goes by FIML's bounds",
        arguments: [
            (10, .strongBuy), (7.5, .strongBuy), (7.499, .buy), (6.5, .buy), (6.499, .hold), (5.5, .hold),
            (5.499, .sell), (4.5, .sell), (4.499, .strongSell), (0, .strongSell),
        ] as [(Double, Recommendation)])
    func recommendation(score: Double, expected: Recommendation) {
        #expect(Recommendation(score: score) == expected)
        #expect(aggregate([.technical: (score, 0.3)]).recommendation == expected)
    }

    @Test("Through the orchestrator: failed, insufficient and late workers count for nothing")
    func orchestrated() async throws {
        let rig = AnalysisRig([
            .fundamentals: ScriptedHost(.fundamentals) { _ in .score(9, confidence: 1) },
            .technical: ScriptedHost(.technical) { _ in .fail(.threw("no")) },
            .risk: ScriptedHost(.risk) { _ in .score(2, confidence: 1) },
            .news: ScriptedHost(.news) { _ in .answer(.insufficient([MissingFigures(.news, reason: "none")]))
            },
        ])
        let analysis = try await rig.orchestrator.analyzeAsset(
            .apple, agents: [.news, .risk, .technical, .fundamentals])
        // (9 × 0.20 + 2 × 0.15) / 0.35
        #expect(near(analysis.aggregate.overallScore, 6))
        #expect(analysis.aggregate.agentCount == 2)
        #expect(analysis.aggregate.asked == 4)
        let json = try JSONValue.parse(analysis.json)
        #expect(
            Set(json.members?.keys.map { $0 } ?? []) == [
                "asset", "asset_type", "analyses", "aggregate", "timestamp",
            ])
        let analyses = try #require(json["analyses"]?.members)
        #expect(Set(analyses.keys) == ["news", "risk", "technical", "fundamentals"])
        #expect(analyses["technical"]?["score"] == .null)
        #expect(analyses["news"]?["score"] == .null)
        #expect(json["aggregate"]?["scores"] == ["fundamentals": 9.0, "risk": 2.0])
        #expect(json["aggregate"]?["recommendation"]?.text == "hold")
    }
}
