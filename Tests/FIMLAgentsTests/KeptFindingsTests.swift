import Analysis
import Configuration
import FIMLCore
import LinuxSystem
import Testing

@testable import FIMLAgents

@Suite("A finding that still counts is given again after a restart")
struct KeptFindingsTests {
    private let store = ScriptedStore()

    init() {
        // Results say the system's time: the store's is the same.
        store.advance(seconds: (wallMilliseconds() - store.now) / 1000)
    }

    @Test("It has the same members as before, and no worker is asked")
    func again() async throws {
        let before = try await AnalysisRig(keeping: store.keeping()).result(.technical)
        let rig = AnalysisRig(keeping: store.keeping(life: "second"))
        let again = try await rig.result(.technical)
        #expect(again.json == before.json)
        #expect(rig.host(.technical).calls.isEmpty)
        // From then on out of memory.
        let asked = store.asked.count
        #expect(try await rig.result(.technical).json == before.json)
        #expect(store.asked.count == asked)
    }

    @Test("It counts until its own time is over, not for as long again")
    func rest() async throws {
        _ = try await AnalysisRig(keeping: store.keeping()).result(.technical)
        store.advance(seconds: 200)
        let rig = AnalysisRig(keeping: store.keeping(life: "second"))
        _ = try await rig.result(.technical)
        rig.clock.advance(seconds: 90)
        _ = try await rig.result(.technical)
        #expect(rig.host(.technical).calls.isEmpty)
        store.advance(seconds: 110)
        rig.clock.advance(seconds: 20)
        _ = try await rig.result(.technical)
        #expect(rig.host(.technical).calls.count == 1)
    }

    @Test("A shorter time that was set since counts for what is stored, too")
    func shorter() async throws {
        let before = try await AnalysisRig(keeping: store.keeping()).result(.technical)
        store.move(to: before.timestamp, plus: 60)
        let rig = AnalysisRig(keeping: store.keeping(life: "second")) { settings in
            settings.analysis.technicalTTL = .seconds(50)
        }
        _ = try await rig.result(.technical)
        #expect(rig.host(.technical).calls.count == 1)
    }

    @Test("One that rests on something else, is of another asset or cannot be read is judged anew")
    func others() async throws {
        let first = AnalysisRig(keeping: store.keeping())
        _ = try await first.result(.technical)
        let key = try #require(store.entries.keys.first)

        let live = AnalysisRig(keeping: store.keeping(life: "second", basis: "live"))
        _ = try await live.result(.technical)
        #expect(live.host(.technical).calls.count == 1)

        var elsewhere = Asset.apple
        elsewhere.market = .uk
        let other = AnalysisRig(keeping: store.keeping(life: "second"))
        _ = try await other.result(.technical, elsewhere)
        #expect(other.host(.technical).calls.count == 1)

        let written = try #require(store.entries[key])
        let text = String(decoding: written.value, as: UTF8.self)
        for broken in ["", "{", "{}", "[1]", text.replacing("AAPL", with: "MSFT"), String(text.dropLast(9))] {
            store.set(key, StoredResult(Array(broken.utf8), expiresAt: written.expiresAt))
            let rig = AnalysisRig(keeping: store.keeping(life: "second"))
            #expect(try await rig.result(.technical).status == .completed)
            #expect(rig.host(.technical).calls.count == 1, "\(broken)")
        }
    }

    @Test(
        "A moment, number or time limit that no gateway writes is no finding, and ends none",
        arguments: [
            ("at", Int64.max), ("at", .min), ("at", -1), ("at", Timestamp.last.milliseconds + 1),
            ("attempts", -1), ("attempts", .min), ("duration_ms", -1), ("duration_ms", .min),
        ])
    func hostile(member: String, number: Int64) async throws {
        _ = try await AnalysisRig(keeping: store.keeping()).result(.technical)
        let (key, written) = try #require(store.entries.first)
        var members = try #require(JSONValue.parse(written.value).members)
        members[member] = .integer(number)
        store.set(key, StoredResult(JSONValue.object(members).json, expiresAt: .max))
        let rig = AnalysisRig(keeping: store.keeping(life: "second"))
        #expect(try await rig.result(.technical).status == .completed)
        #expect(rig.host(.technical).calls.count == 1)
    }

    @Test("One of the last moment there is, kept for ever, counts for no longer than any other")
    func future() async throws {
        _ = try await AnalysisRig(keeping: store.keeping()).result(.technical)
        let (key, written) = try #require(store.entries.first)
        var members = try #require(JSONValue.parse(written.value).members)
        members["at"] = .integer(Timestamp.last.milliseconds)
        store.set(key, StoredResult(JSONValue.object(members).json, expiresAt: .max))
        for ttl in [Duration.seconds(300), .seconds(Int64.max / 1000)] {
            let findings = KeptFindings(store.keeping(life: "second"))
            let lifetime = UInt64(ttl.components.seconds) * 1000
            let kept = try #require(await findings.finding(.technical, .apple) { _ in lifetime })
            #expect(kept.milliseconds <= lifetime)
            #expect(kept.result.timestamp == .last)
        }
    }

    @Test("What counts for some seconds only is not stored, nor what failed")
    func notStored() async throws {
        let missing = [MissingFigures(.bars, reason: "too few")]
        let rig = AnalysisRig(
            [
                .technical: ScriptedHost(.technical) { _ in .answer(.insufficient(missing)) },
                .risk: ScriptedHost(.risk) { _ in .fail(.threw("no")) },
            ], keeping: store.keeping())
        for type in [WorkerType.technical, .risk, .options] { _ = try await rig.result(type) }
        #expect(store.entries.isEmpty)
    }

    @Test("Without the store everything goes on, and so it does while the store is away")
    func away() async throws {
        store.goAway()
        let rig = AnalysisRig(keeping: store.keeping())
        #expect(try await rig.orchestrator.analyzeAsset(.apple).aggregate.agentCount == 8)
        #expect(rig.orchestrator.cachedAnswer(.apple) != nil)
    }

    @Test("All members survive being written and read")
    func roundTrip() throws {
        var results: [WorkerResult] = []
        for status in WorkerResult.Status.allCases {
            for by in [WorkerResult.Interpreted.byModel, .byRules(nil), .byRules("no \"tokens\" left")] {
                var result = WorkerResult(
                    .news, .bitcoin, status, at: Timestamp(milliseconds: 1_800_000_000_123))
                if status == .completed {
                    var finding = Finding.scripted(7.25, confidence: 0.5)
                    finding.details = ["a": .null, "b": [1, 2.5, "x", ["c": true]]]
                    finding.missing = [MissingFigures(.news, "BTC", reason: "ß")]
                    result.finding = finding
                } else {
                    result.missing = [MissingFigures(.bars, reason: "none")]
                    result.error = "it\nbroke"
                }
                result.interpreted = by
                result.workerID = by == .byModel ? "news_3" : nil
                result.attempts = 3
                result.durationMS = 412
                result.isPartial = by == .byModel
                results.append(result)
            }
        }
        for result in results {
            let read = try WorkerResult.parse(JSONValue.parse(KeptWorkerResult(result: result).json))
            #expect(read.json == result.json)
            #expect(read.isPartial == result.isPartial)
            #expect(read.asset == result.asset)
        }
    }
}
