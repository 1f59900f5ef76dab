import Analysis
import Configuration
import FIMLCore
import MarketData
import Testing

@testable import FIMLAgents

@Suite("Workers of the program's own process are asked like those of a host, and believed as little")
struct InProcessOrchestratorTests {
    /// Answers with what an initialiser would not let pass.
    private struct CarelessWorker: Worker {
        let type: WorkerType
        let score: Double
        let confidence: Double

        func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
            var finding = Finding(score: 5, confidence: 0.5, asOf: figures.moment, details: [:])
            (finding.score, finding.confidence) = (score, confidence)
            return finding
        }
    }

    private static let recorded = Result {
        let directory = #filePath.replacing(
            "Tests/FIMLAgentsTests/InProcessOrchestratorTests.swift", with: "Sources/MarketData/Recording")
        return AnalysisMarket(
            recorded: try ReplayMarket(Recording.load(directory: directory), from: nil, speed: 1))
    }

    private static func market() throws -> AnalysisMarket { try recorded.get() }

    private static let apple = Asset(symbol: "AAPL", assetType: .equity)

    private static let careless: [(score: Double, confidence: Double, problem: String)] = [
        (.nan, 0.5, "a score of nan"), (.infinity, 0.5, "a score of inf"),
        (-0.001, 0.5, "a score of -0.001"), (10.001, 0.5, "a score of 10.001"),
        (5, .nan, "a confidence of nan"), (5, -1, "a confidence of -1.0"), (5, 1.5, "a confidence of 1.5"),
    ]

    @Test("A finding out of its ranges is none, fails the worker, and leaves the verdict alone")
    func careless() async throws {
        for (score, confidence, problem) in Self.careless {
            var settings = Settings()
            settings.workers.poolSize = 1
            settings.workers.retryAttempts = 1
            settings.workers.retryDelay = .zero
            let orchestrator = AgentOrchestrator(
                settings, market: try Self.market(),
                hosts: { type in
                    InProcessHost(type) {
                        type == .risk
                            ? CarelessWorker(type: type, score: score, confidence: confidence)
                            : CarelessWorker(type: type, score: 8, confidence: 1)
                    }
                })
            let analysis = try await orchestrator.analyzeAsset(Self.apple, agents: [.technical, .risk])
            let result = try #require(analysis[.risk])
            #expect((result.status, result.attempts) == (.failed, 2))
            #expect(result.error == "an answer that cannot be used: \(problem)")
            #expect(result.finding == nil)
            #expect((analysis.aggregate.overallScore, analysis.aggregate.agentCount) == (8, 1))
            let worker = try #require(orchestrator.healthMonitor.metrics(of: "risk_0"))
            #expect((worker.tally.failed, worker.tally.completed) == (2, 0))
            await orchestrator.shutdown()
        }
    }

    @Test("The ends of the ranges are findings", arguments: [(0.0, 1.0), (10.0, 1.0), (10.0, 0.0)])
    func ends(score: Double, confidence: Double) async throws {
        let orchestrator = AgentOrchestrator(
            Settings(), market: try Self.market(),
            hosts: { type in
                InProcessHost(type) { CarelessWorker(type: type, score: score, confidence: confidence) }
            })
        let analysis = try await orchestrator.analyzeAsset(Self.apple, agents: [.risk])
        #expect(analysis[.risk]?.finding?.score == score)
        #expect(analysis.aggregate.overallScore == (confidence > 0 ? score : nil))
        await orchestrator.shutdown()
    }

    @Test("The verdict does not depend on who answers first")
    func order() {
        let scores = [3.7, 9.1, 0.3, 6.6, 5.2, 8.8, 1.9, 7.4]
        let results = zip(WorkerType.allCases, scores).map { type, score in
            var result = WorkerResult(type, Self.apple, .completed, at: Timestamp(milliseconds: 0))
            result.finding = Finding(
                score: score, confidence: score / 13, asOf: Timestamp(milliseconds: 0), details: [:])
            return result
        }
        let orders = results.indices.map { Array(results[$0...] + results[..<$0]) }
        let verdicts = orders.map { AssetAnalysis(Self.apple, $0, at: Timestamp(milliseconds: 0)).json }
        #expect(Set(verdicts).count == 1)
        // These are confidences of which sums in another order differ.
        #expect(Set(orders.map { Aggregate($0).json }).count > 1)
    }

    @Test("Of 1,000 analyses asked for at once by all workers none is lost, and each pair is judged once")
    func crowd() async throws {
        var settings = Settings()
        settings.workers.poolSize = 2
        // So that none has to be judged again however slow the machine is.
        settings.analysis.priceTTL = .seconds(3_600)
        let market = try Self.market()
        let assets = (0..<1_000).map { market.otherBenchmarks[$0 % market.otherBenchmarks.count] }
        let orchestrator = AgentOrchestrator(settings, market: market)
        let answers = await orchestrator.analyzeMultiple(assets)
        let summary = orchestrator.healthMonitor.healthSummary()
        await orchestrator.shutdown()

        #expect(answers.count == 1_000)
        var verdicts: [Asset: Set<Double?>] = [:]
        for (asset, answer) in zip(assets, answers) {
            let analysis = try answer.get()
            #expect(analysis.asset == asset && analysis.results.count == 8)
            verdicts[asset, default: []].insert(analysis.aggregate.overallScore)
        }
        #expect(verdicts.count == market.otherBenchmarks.count)
        #expect(verdicts.values.allSatisfy { $0.count == 1 })
        // At least the three that every asset with bars has figures for, and each pair at most once.
        #expect(summary.totalTasks >= 3 * verdicts.count && summary.totalTasks <= 8 * verdicts.count)
        #expect((summary.totalFailures, summary.workers.map(\.tasksInProgress).max()) == (0, 0))
    }

    @Test("Each of many answers is at its asset's place, those that were refused too")
    func places() async throws {
        var settings = Settings()
        settings.workers.poolSize = 1
        settings.analysis.maxConcurrent = 2
        settings.analysis.maxQueued = 6
        // Nothing is kept, so that every analysis has to wait for its workers.
        settings.analysis.technicalTTL = .zero
        let market = try Self.market()
        let assets = (0..<100).map { market.otherBenchmarks[$0 % market.otherBenchmarks.count] }
        let orchestrator = AgentOrchestrator(settings, market: market)
        let answers = await orchestrator.analyzeMultiple(assets, agents: [.technical, .risk])
        await orchestrator.shutdown()

        var (made, refused) = (0, 0)
        for (asset, answer) in zip(assets, answers) {
            switch answer {
            case .success(let analysis):
                #expect(analysis.asset == asset && analysis.results.allSatisfy { $0.asset == asset })
                made += 1
            case .failure(.overloaded(let seconds)):
                #expect((1...60).contains(seconds))
                refused += 1
            case .failure(let refusal): Issue.record("\(refusal)")
            }
        }
        #expect(made >= 8 && made + refused == 100)
    }
}
