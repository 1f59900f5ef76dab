import Analysis
import FIMLAgents
import FIMLCore
import Glibc
import Testing

/// Answers with its number of bars; waits where it is told to.
private struct CountingWorker: Worker {
    let type = WorkerType.technical

    func analyze(_ figures: Figures) throws(InsufficientData) -> Finding {
        if figures.asset.symbol == "SLOW" { poll(nil, 0, 3_000) }
        guard !figures.bars.isEmpty else { throw InsufficientData([MissingFigures(.bars, reason: "none")]) }
        return Finding(
            score: 5, confidence: 1, asOf: figures.moment,
            details: ["bars": .integer(Int64(figures.bars.count))])
    }
}

@Suite("Workers can run in the program's own process", .serialized)
struct InProcessHostTests {
    private let host = InProcessHost(.technical, workers: 2) { CountingWorker() }

    private func failure(_ symbol: String, by worker: Int = 0, within limit: Duration = .seconds(120)) async
        -> WorkerFailure?
    {
        do throws(WorkerFailure) {
            _ = try await host.run(FaultyHost.figures(symbol), by: worker, within: limit)
            return nil
        } catch {
            return error
        }
    }

    @Test("A worker answers, or says what is missing")
    func answers() async throws {
        let answer = try await host.run(FaultyHost.figures("AAPL"), by: 1, within: .seconds(120))
        guard case .finding(let finding) = answer else {
            Issue.record("no finding")
            return
        }
        #expect(finding.details["bars"] == 3)
        #expect(
            try await host.run(FaultyHost.figures("AAPL", bars: 0), by: 0, within: .seconds(120))
                == .insufficient([MissingFigures(.bars, reason: "none")]))
        #expect(await failure("AAPL", by: 2) == .threw("there is no worker 2"))
    }

    @Test("Whoever waits is answered in time, though the worker goes on")
    func timedOut() async {
        #expect(await failure("SLOW", within: .milliseconds(50)) == .timedOut(.milliseconds(50)))
    }

    @Test("A cancelled task is stopped")
    func cancelled() async {
        let task = Task { await failure("SLOW") }
        task.cancel()
        #expect(await task.value == .stopped)
    }

    @Test("Its status says that nothing limits it; shut down it takes no more")
    func status() async {
        let status = host.status()
        #expect(status.state == .running)
        #expect(status.processID == getpid())
        #expect(status.memoryLimitedBy == nil)
        #expect(status.cpuLimitedBy == nil)
        #expect(status.memoryMB > 1)
        await host.shutDown()
        #expect(host.status().state == .stopped)
        #expect(await failure("AAPL") == .stopped)
    }
}
