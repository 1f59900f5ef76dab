import Analysis
import FIMLCore
import Locking
import Testing

@testable import FIMLAgents

@Suite("The same judgement asked for several times at once is made once")
struct SingleFlightTests {
    private static func held(_ latch: Latch) -> ScriptedHost {
        ScriptedHost(.technical) { _ in .hold(latch, then: .score(7, confidence: 1)) }
    }

    @Test("Twenty analyses of one asset at once call the worker once, and all have its answer")
    func once() async throws {
        let latch = Latch()
        let rig = AnalysisRig([.technical: Self.held(latch)])
        let tasks = (0..<20).map { _ in Task { try await rig.result(.technical) } }
        await until("all are under way, one for all") {
            rig.host(.technical).running == 1 && rig.orchestrator.underWay == 20
        }
        latch.open()
        for task in tasks { #expect(try await task.value.finding?.score == 7) }
        #expect(rig.host(.technical).calls.count == 1)
        #expect(rig.market.asked == ["bars AAPL closed 260"])
    }

    @Test("Different assets, and the same symbol of another kind, are judged apart")
    func apart() async throws {
        let rig = AnalysisRig()
        let coin = Asset(symbol: "AAPL", assetType: .crypto)
        for asset in [Asset.apple, coin, .bitcoin] { _ = try await rig.result(.technical, asset) }
        #expect(rig.host(.technical).calls.map(\.figures.asset) == [.apple, coin, .bitcoin])
    }

    @Test("Who is cancelled goes at once; who waits for the same has it")
    func oneCancelled() async throws {
        let latch = Latch()
        let rig = AnalysisRig([.technical: Self.held(latch)])
        let first = Task { try await rig.result(.technical) }
        await until("the worker has it") { rig.host(.technical).running == 1 }
        let second = Task { try await rig.result(.technical) }
        await until("both wait for it") {
            let flights = rig.orchestrator.flights.withLock { Array($0.values) }
            return flights.map(\.waitingCount) == [2]
        }
        first.cancel()
        await #expect(throws: AnalysisRefusal.cancelled) { try await first.value }
        #expect(rig.host(.technical).running == 1)
        latch.open()
        #expect(try await second.value.finding?.score == 7)
        #expect(rig.host(.technical).calls.count == 1)
    }

    @Test("When the last who waits is cancelled the worker is told to stop")
    func allCancelled() async throws {
        let latch = Latch()
        let rig = AnalysisRig([.technical: Self.held(latch)])
        let tasks = (0..<3).map { _ in Task { try await rig.result(.technical) } }
        await until("all wait") {
            rig.orchestrator.underWay == 3 && rig.host(.technical).running == 1
        }
        for task in tasks { task.cancel() }
        for task in tasks { await #expect(throws: AnalysisRefusal.cancelled) { try await task.value } }
        await until("the worker has stopped") { rig.host(.technical).running == 0 }
        await until("nothing is left") { rig.orchestrator.flights.withLock { $0.isEmpty } }
        latch.open()
        #expect(try await rig.result(.technical).finding?.score == 7)
        #expect(rig.host(.technical).calls.count == 2)
    }

    @Test("Who comes while all others go is answered, never cancelled with them")
    func comesWhileOthersGo() async throws {
        let rig = AnalysisRig { $0.analysis.technicalTTL = .zero }
        for _ in 0..<500 {
            let going = (0..<3).map { _ in Task { try await rig.result(.technical) } }
            let staying = Task { try await rig.result(.technical) }
            for task in going { task.cancel() }
            #expect(try await staying.value.status == .completed)
            for task in going { _ = await task.result }
        }
        await until("nothing is left") { rig.orchestrator.flights.withLock { $0.isEmpty } }
    }

    @Test("A flight lands for all who wait, also where it is begun after they came")
    func landing() async {
        for _ in 0..<200 {
            let flight = Flight<Int>()
            let landed = Locked(0)
            let waiters = (0..<5).map { _ in Task { await flight.value() } }
            let gone = Task { await flight.value() }
            gone.cancel()
            flight.begin {
                7
            } land: { value in
                landed.withLock { $0 += value }
            }
            for waiter in waiters {
                // Where the one that went was alone for a moment, all who come later have nothing.
                let value = await waiter.value
                #expect(value == 7 || flight.isAbandoned)
            }
            _ = await gone.value
            await until("it has landed once") { landed.withLock { $0 } == 7 }
        }
    }
}
