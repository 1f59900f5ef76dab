import Configuration
import FIMLAgents
import FIMLCore
import MarketData
import Testing

@Suite("The library is used as the production guide's example uses FIML's")
struct GuideExampleTests {
    @Test("initialise, analyse with all workers and with some, look at health, shut down")
    func example() async throws {
        // Initialise the orchestrator: settings by their names, and the recorded market.
        let settings = try Settings.load(environment: ["WORKER_POOL_SIZE": "2"]).settings
        let market = try ReplayMarket(Recording.load(directory: Self.recording), from: nil, speed: 86_400)
        let orchestrator = AgentOrchestrator(settings, market: AnalysisMarket(recorded: market))
        await orchestrator.initialize()

        // Analyse an asset with all enabled workers.
        let asset = Asset(symbol: "AAPL", assetType: .equity)
        let all = try await orchestrator.analyzeAsset(asset)

        // Analyse with specific workers only.
        let some = try await orchestrator.analyzeAsset(asset, agents: [.fundamentals, .technical, .options])

        // Look at their health.
        let monitor = orchestrator.healthMonitor
        let summary = monitor.healthSummary()
        let metrics = monitor.metrics(of: "fund_0")
        let unhealthy = monitor.unhealthyWorkers()

        // Shut down.
        await orchestrator.shutdown()

        #expect(all.results.map(\.type) == WorkerType.allCases)
        #expect(all.results.map(\.status) == WorkerType.allCases.map { _ in .completed })
        #expect((all.aggregate.agentCount, all.aggregate.recommendation != nil) == (8, true))
        #expect(some.results.map(\.type) == [.fundamentals, .technical, .options])
        #expect((summary.workers.count, summary.healthyWorkers, summary.totalFailures) == (12, 12, 0))
        #expect(metrics?.type == .fundamentals && unhealthy.isEmpty)
        #expect(monitor.allMetrics().allSatisfy { $0.status == .shutdown })
    }

    private static let recording = #filePath.replacing(
        "Tests/FIMLAgentsTests/GuideExampleTests.swift", with: "Sources/MarketData/Recording")
}
