import Analysis
import FIMLCore
import Testing

@testable import FIMLAgents

@Suite("Analyses under way and waiting are bounded, first come first served")
struct AnalysisBoundsTests {
    private func held(_ latch: Latch, places: Int, waiting: Int) -> AnalysisRig {
        let host = ScriptedHost(.technical) { _ in .hold(latch, then: .score(6, confidence: 1)) }
        return AnalysisRig([.technical: host]) {
            $0.analysis.maxConcurrent = places
            $0.analysis.maxQueued = waiting
        }
    }

    private func analyze(_ rig: AnalysisRig, _ number: Int) -> Task<AssetAnalysis, any Error> {
        Task { try await rig.orchestrator.analyzeAsset(.numbered(number), agents: [.technical]) }
    }

    @Test("What is too much is refused at once, with a time to come again")
    func overloaded() async throws {
        let latch = Latch()
        let rig = held(latch, places: 2, waiting: 3)
        let tasks = (0..<5).map { analyze(rig, $0) }
        await until("two run, three wait") {
            rig.host(.technical).running == 2 && rig.orchestrator.waiting == 3
        }
        for _ in 0..<3 {
            await #expect {
                try await analyze(rig, 9).value
            } throws: { error in
                guard case .overloaded(let seconds) = error as? AnalysisRefusal else { return false }
                return (1...60).contains(seconds)
            }
        }
        #expect(throws: AnalysisRefusal.self) { try rig.orchestrator.begin(.numbered(9)) }
        latch.open()
        for task in tasks { #expect(try await task.value[.technical]?.status == .completed) }
        #expect(rig.orchestrator.underWay == 0)
        _ = try await analyze(rig, 9).value
    }

    @Test("The time to come again grows with what waits and how long analyses take, from 1 to 60 s")
    func retryAfter() throws {
        func seconds(_ waiting: Int, _ milliseconds: UInt64) throws -> Int {
            let line = AnalysisLine(places: 10, waiting: waiting)
            // So often that what it was assumed to be no longer counts.
            for _ in 0..<200 {
                let ticket = try line.book()
                #expect(line.isGranted(ticket))
                line.leave(after: milliseconds)
            }
            for _ in 0..<(10 + waiting) { _ = try line.book() }
            do throws(AnalysisRefusal) {
                _ = try line.book()
            } catch {
                if case .overloaded(let seconds) = error { return seconds }
            }
            return -1
        }
        #expect(try seconds(0, 1) == 1)
        // 100 turns of 10 each: 10.1 turns of 2 s.
        #expect(try seconds(100, 2_000) == 21)
        #expect(try seconds(1_000, 100_000) == 60)
    }

    @Test("Turns come in the order of asking")
    func order() async throws {
        let latch = Latch()
        let rig = held(latch, places: 1, waiting: 50)
        var tasks: [Task<AssetAnalysis, any Error>] = [analyze(rig, 0)]
        await until("the first runs") { rig.host(.technical).running == 1 }
        for number in 1...20 {
            tasks.append(analyze(rig, number))
            await until("it waits") { rig.orchestrator.waiting == number }
        }
        latch.open()
        for task in tasks { _ = try await task.value }
        #expect(rig.host(.technical).calls.map(\.figures.asset) == (0...20).map(Asset.numbered))
    }

    @Test("One whose turn does not come in time is refused, and its place in the line is free")
    func turnDoesNotCome() async throws {
        let latch = Latch()
        let host = ScriptedHost(.technical) { _ in .hold(latch, then: .score(6, confidence: 1)) }
        let rig = AnalysisRig([.technical: host]) {
            $0.analysis.maxConcurrent = 1
            $0.analysis.maxQueued = 1
            $0.analysis.timeout = .milliseconds(300)
        }
        let first = analyze(rig, 0)
        await until("the first runs") { host.running == 1 }
        // By the real clock the first ends first: whether it gives its turn in time is not certain.
        let line = AnalysisLine(places: 1, waiting: 1)
        _ = try line.book()
        _ = try line.book()
        #expect(throws: AnalysisRefusal.self) { try line.book() }
        let second = Task { await line.turn(of: try line.book()) }
        _ = await second.result
        let late = try await first.value
        #expect(late[.technical]?.status == .timedOut)
        #expect(late.aggregate.overallScore == nil)
        latch.open()
    }

    @Test("A place is never lost where turns come just as time is up or the task is cancelled")
    func noPlaceIsLost() async throws {
        let line = AnalysisLine(places: 1, waiting: 10)
        for round in 0..<500 {
            let running = try line.book()
            #expect(line.isGranted(running))
            let ticket = try line.book()
            let waiting = Task { await line.turn(of: ticket) }
            if round.isMultiple(of: 2) { await Task.yield() }
            let leaving = Task { line.leave(after: 1) }
            waiting.cancel()
            await leaving.value
            if await waiting.value { line.leave(after: 1) }
            #expect(line.underWay == 0)
            #expect(line.waiting == 0)
        }
    }

    @Test("ASYNC_TASK_TIMEOUT in the middle gives what came, and says what did not")
    func timeout() async throws {
        let latch = Latch()
        let slow = ScriptedHost(.risk) { _ in .hold(latch, then: .score(1, confidence: 1)) }
        let rig = AnalysisRig([.risk: slow]) { $0.analysis.timeout = .seconds(1) }
        let analysis = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(analysis.results.count == 8)
        for result in analysis.results {
            #expect(result.status == (result.type == .risk ? .timedOut : .completed), "\(result.type)")
        }
        #expect(analysis[.risk]?.error == "not there when the analysis had to end, after 1 s")
        #expect(analysis.aggregate.agentCount == 7)
        #expect(analysis.aggregate.asked == 8)
        #expect(rig.orchestrator.cachedAnswer(.apple) == nil)
        await until("the slow one was told to stop") { slow.running == 0 }
        latch.open()
    }

    @Test("A market that does not answer does not keep an analysis beyond its time")
    func slowMarket() async throws {
        let latch = Latch()
        let rig = AnalysisRig(market: ScriptedMarket { $0.latch = latch }) {
            $0.analysis.timeout = .milliseconds(200)
        }
        let analysis = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(analysis.results.map(\.status) == Array(repeating: .timedOut, count: 8))
        #expect(rig.orchestrator.underWay == 0)
        latch.open()
        await until("nothing is left") { rig.orchestrator.flights.withLock { $0.isEmpty } }
    }

    @Test("Of a thousand at once none is lost, and never more than a hundred are under way")
    func thousand() async throws {
        let hosts = WorkerType.allCases.map { type in
            (type, ScriptedHost(type) { call in .score(Double(call.number % 11), confidence: 0.5) })
        }
        let rig = AnalysisRig(Dictionary(uniqueKeysWithValues: hosts))
        let answers = await rig.orchestrator.analyzeMultiple((0..<1_000).map(Asset.numbered))
        #expect(answers.count == 1_000)
        for (number, answer) in answers.enumerated() {
            let analysis = try answer.get()
            #expect(analysis.asset == .numbered(number))
            #expect(analysis.results.count == 8)
            #expect(analysis.results.allSatisfy { $0.status == .completed })
        }
        for type in WorkerType.allCases {
            #expect(rig.host(type).calls.count == 1_000)
            #expect(rig.host(type).mostRunning <= 100)
        }
        #expect(rig.orchestrator.underWay == 0)
    }

    @Test("A hundred of a thousand run at once, no more")
    func hundred() async throws {
        let latch = Latch()
        let rig = held(latch, places: 100, waiting: 1_000)
        let all = Task {
            await rig.orchestrator.analyzeMultiple((0..<1_100).map(Asset.numbered), agents: [.technical])
        }
        await until("100 run and 1,000 wait") {
            rig.host(.technical).running == 100 && rig.orchestrator.waiting == 1_000
        }
        latch.open()
        #expect(await all.value.count { (try? $0.get()) != nil } == 1_100)
        #expect(rig.host(.technical).mostRunning == 100)
    }
}
