import Analysis
import Configuration
import FIMLCore
import Testing

@testable import FIMLAgents

@Suite("A finding counts for as long as is set for its type")
struct ResultCacheTests {
    @Test(
        "It is judged again when its time is over, not before",
        arguments: [
            (WorkerType.options, 10), (.technical, 300), (.risk, 300), (.correlation, 300), (.news, 600),
            (.sentiment, 600), (.fundamentals, 3_600), (.macro, 86_400),
        ] as [(WorkerType, UInt64)])
    func lifetimes(type: WorkerType, seconds: UInt64) async throws {
        let rig = AnalysisRig()
        _ = try await rig.result(type)
        rig.clock.advance(milliseconds: seconds * 1000 - 1)
        _ = try await rig.result(type)
        #expect(rig.host(type).calls.count == 1)
        rig.clock.advance(milliseconds: 1)
        _ = try await rig.result(type)
        #expect(rig.host(type).calls.count == 2)
    }

    @Test("Each type goes by its own setting")
    func settings() async throws {
        let settings: [(WorkerType, WritableKeyPath<Settings.Analysis, Duration>)] = [
            (.options, \.priceTTL), (.technical, \.technicalTTL), (.risk, \.technicalTTL),
            (.correlation, \.technicalTTL), (.news, \.newsTTL), (.sentiment, \.newsTTL),
            (.fundamentals, \.fundamentalsTTL), (.macro, \.macroTTL),
        ]
        for (type, path) in settings {
            let short = AnalysisRig { $0.analysis[keyPath: path] = .seconds(2) }
            _ = try await short.result(type)
            short.clock.advance(seconds: 2)
            _ = try await short.result(type)
            #expect(short.host(type).calls.count == 2, "\(type)")
            let never = AnalysisRig { $0.analysis[keyPath: path] = .zero }
            _ = try await never.result(type)
            _ = try await never.result(type)
            #expect(never.host(type).calls.count == 2, "\(type)")
            #expect(never.orchestrator.cachedAnswer(.apple, agents: [type]) == nil)
        }
    }

    @Test("Too few figures count for ten seconds, failures not at all")
    func others() async throws {
        let missing = [MissingFigures(.bars, reason: "too few")]
        let few = ScriptedHost(.technical) { _ in .answer(.insufficient(missing)) }
        let rig = AnalysisRig([
            .technical: few, .risk: ScriptedHost(.risk) { _ in .fail(.threw("no")) },
            .news: ScriptedHost(.news) { _ in .fail(.timedOut(.seconds(1))) },
        ])
        for advance: UInt64 in [0, 9_999] {
            rig.clock.advance(milliseconds: advance)
            #expect(try await rig.result(.technical).missing == missing)
        }
        #expect(few.calls.count == 1)
        rig.clock.advance(milliseconds: 1)
        _ = try await rig.result(.technical)
        #expect(few.calls.count == 2)
        for type in [WorkerType.risk, .news] {
            _ = try await rig.result(type)
            _ = try await rig.result(type)
            #expect(rig.host(type).calls.count == 8, "\(type)")
            #expect(rig.orchestrator.cachedAnswer(.apple, agents: [type]) == nil)
        }
    }

    @Test("The whole answer is kept byte for byte, until the first of its parts no longer counts")
    func answers() async throws {
        let rig = AnalysisRig()
        #expect(rig.orchestrator.cachedAnswer(.apple) == nil)
        let analysis = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(rig.orchestrator.cachedAnswer(.apple) == analysis.json)
        #expect(rig.orchestrator.cachedAnswer(.bitcoin) == nil)
        #expect(rig.orchestrator.cachedAnswer(.apple, agents: [.technical]) == nil)
        let two = try await rig.orchestrator.analyzeAsset(.apple, agents: [.risk, .technical])
        #expect(rig.orchestrator.cachedAnswer(.apple, agents: [.technical, .risk]) == two.json)
        rig.clock.advance(milliseconds: 9_999)
        #expect(rig.orchestrator.cachedAnswer(.apple) == analysis.json)
        rig.clock.advance(milliseconds: 1)
        #expect(rig.orchestrator.cachedAnswer(.apple) == nil)
        #expect(rig.orchestrator.cachedAnswer(.apple, agents: [.technical, .risk]) == two.json)
        _ = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(rig.host(.options).calls.count == 2)
        #expect(rig.host(.technical).calls.count == 1)
    }

    @Test("An answer in which one failed is not kept, though the others are")
    func failedPart() async throws {
        let rig = AnalysisRig([.risk: ScriptedHost(.risk) { _ in .fail(.threw("no")) }])
        _ = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(rig.orchestrator.cachedAnswer(.apple) == nil)
        _ = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(rig.host(.technical).calls.count == 1)
        #expect(rig.host(.risk).calls.count == 8)
    }

    @Test("An answer with a part that came too late is not kept, though someone else got that part since")
    func latePart() {
        let clock = ManualClock()
        let cache = ResultCache(Settings.Analysis(), now: { clock.now })
        let moment = Timestamp(milliseconds: 0)
        var came = WorkerResult(.risk, .apple, .completed, at: moment)
        came.finding = .scripted(6, confidence: 1)
        cache.keep(came)
        let late = WorkerResult(.risk, .apple, .timedOut, at: moment)
        cache.keep(AssetAnalysis(.apple, [late], at: moment), [.risk])
        #expect(cache.answer(.apple, [.risk]) == nil)
        cache.keep(AssetAnalysis(.apple, [came], at: moment), [.risk])
        #expect(cache.answer(.apple, [.risk]) != nil)
    }

    @Test("It is bounded: what has expired goes first, then all")
    func bounds() {
        let clock = ManualClock()
        let cache = ResultCache(Settings.Analysis(), now: { clock.now })
        func keep(_ type: WorkerType, _ numbers: Range<Int>) {
            for number in numbers {
                let moment = Timestamp(milliseconds: 0)
                cache.keep(WorkerResult(type, .numbered(number), .completed, at: moment))
            }
        }
        func count(_ type: WorkerType, _ numbers: Range<Int>) -> Int {
            numbers.count { cache.result(type, .numbered($0)) != nil }
        }
        keep(.technical, 0..<4_000)
        keep(.options, 0..<6_000)
        #expect(count(.technical, 0..<4_000) == 4_000)
        #expect(count(.options, 0..<6_000) == 6_000)
        clock.advance(seconds: 10)
        keep(.risk, 0..<1)
        #expect(count(.technical, 0..<4_000) == 4_000)
        #expect(count(.risk, 0..<1) == 1)
        keep(.risk, 1..<6_001)
        #expect(count(.technical, 0..<4_000) == 0)
        #expect(count(.risk, 0..<6_001) < 6_001)
        #expect(count(.risk, 6_000..<6_001) == 1)
    }

    @Test("A worker that is switched off is not asked, and its name is refused")
    func switchedOff() async throws {
        let rig = AnalysisRig { $0.workers[isEnabled: "macro"] = false }
        #expect(rig.orchestrator.enabledTypes == WorkerType.allCases.filter { $0 != .macro })
        let analysis = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(analysis[.macro] == nil)
        #expect(analysis.aggregate.asked == 7)
        await #expect(throws: AnalysisRefusal.switchedOff([.macro])) {
            try await rig.orchestrator.analyzeAsset(.apple, agents: [.risk, .macro])
        }
        #expect(rig.host(.macro).calls.isEmpty)
    }
}
