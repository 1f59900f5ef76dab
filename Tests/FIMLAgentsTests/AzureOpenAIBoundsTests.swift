import FIMLAgents
import FIMLCore
import MarketProviders
import Testing

@Suite("A language model that fails, limits or costs is left alone as documented")
struct AzureOpenAIBoundsTests {
    @Test("Five failures in a row open the circuit for a minute; then one question tries")
    func circuit() async throws {
        let scripted = try ScriptedModel { $0 < 6 ? ScriptedReply(500) : ScriptedModel.good }
        for _ in 0..<5 { #expect(await scripted.reason()?.contains("status 500") == true) }
        #expect(scripted.model.status()["circuit"] == "open")
        #expect(scripted.model.status()["blocked_until"]?.text == "2023-11-14T22:14:20.000Z")
        #expect(await scripted.reason()?.contains("left alone") == true)
        #expect(scripted.questions.count == 5)
        scripted.advance(seconds: 60)
        #expect(scripted.model.status()["circuit"] == "half_open")
        #expect(await scripted.reason()?.contains("status 500") == true)
        #expect(await scripted.reason()?.contains("left alone") == true)
        scripted.advance(seconds: 60)
        #expect(await scripted.reason() == nil)
        #expect(scripted.model.status()["circuit"] == "closed")
        #expect(scripted.questions.count == 7)
    }

    @Test("An answer between failures starts the count again; a refused question is an answer")
    func notInARow() async throws {
        let scripted = try ScriptedModel { number in
            number == 4
                ? ScriptedModel.good
                : number == 9 ? ScriptedModel.error(400, "content_filter") : ScriptedReply(503)
        }
        for _ in 0..<14 { _ = await scripted.interpret() }
        #expect(scripted.questions.count == 14)
        #expect(scripted.model.status()["circuit"] == "closed")
    }

    /// A `Retry-After`, and how many seconds nobody asks.
    private static let pauses: [(String?, Int64)] = [
        ("7", 7), (nil, 60), ("soon", 60), ("", 60), ("-3", 60), ("0", 1), ("86400", 3_600),
        ("99999999999999999999999", 3_600), ("Wed, 21 Oct 2026 07:28:00 GMT", 60),
    ]

    @Test("After 429 nothing is asked until Retry-After has passed", arguments: pauses)
    func rateLimit(retryAfter: String?, seconds: Int64) async throws {
        let limited = ScriptedModel.error(
            429, "429", fields: retryAfter.map { ["Retry-After": $0] } ?? [:])
        let scripted = try ScriptedModel { $0 == 0 ? limited : ScriptedModel.good }
        #expect(await scripted.reason()?.contains("status 429") == true)
        scripted.advance(seconds: seconds - 1)
        if seconds > 1 { #expect(await scripted.reason()?.contains("left alone") == true) }
        #expect(scripted.questions.count == 1)
        scripted.advance(seconds: 1)
        #expect(await scripted.reason() == nil)
        #expect(scripted.questions.count == 2)
    }

    @Test("The tokens of a day are not overspent, and the next day of UTC has its own")
    func budget() async throws {
        let scripted = try ScriptedModel({ _ in ScriptedModel.good }, { $0.tokensPerDay = 2_600 })
        var asked = 0
        while asked < 100, await scripted.reason() == nil { asked += 1 }
        #expect((1...8).contains(asked))
        #expect(scripted.model.status()["tokens_used_today"]?.int64 == Int64(asked * 321))
        #expect(await scripted.reason()?.contains("tokens of the day") == true)
        #expect(scripted.questions.count == asked)
        // It is 22:13:20 UTC.
        scripted.advance(seconds: 6_399)
        #expect(await scripted.reason() != nil)
        scripted.advance(seconds: 1)
        #expect(await scripted.reason() == nil)
        #expect(scripted.model.status()["tokens_used_today"] == 321)
    }

    @Test("A budget of nothing asks nothing")
    func noBudget() async throws {
        let scripted = try ScriptedModel({ _ in ScriptedModel.good }, { $0.tokensPerDay = 0 })
        #expect(await scripted.reason() != nil)
        #expect(scripted.questions.isEmpty)
    }

    /// What `usage` says, and whether the reserved estimate counts instead of it.
    private static let usages: [(JSONValue?, Bool)] = [
        (nil, true), (.null, true), ([:], true), (["total_tokens": -5], true),
        (["total_tokens": 1e300], true), (["total_tokens": "321"], true), (["total_tokens": 0.5], true),
        (["total_tokens": 9_000_000_000_000_000_000], true), (["total_tokens": 700], false),
    ]

    @Test("Without a usage that can be, the estimate counts, and the answer is used", arguments: usages)
    func usage(usage: JSONValue?, isEstimate: Bool) async throws {
        let content = JSONValue.string(ScriptedModel.text(ScriptedModel.said))
        let scripted = try ScriptedModel { _ in
            ScriptedModel.reply(ScriptedModel.completion(content, usage: usage))
        }
        #expect(await scripted.reason() == nil)
        let used = try #require(scripted.model.status()["tokens_used_today"]?.int64)
        #expect(isEstimate ? (800...3_000).contains(used) : used == 700)
    }

    @Test("At most eight questions are under way at once; what is over is left to the rules")
    func concurrency() async throws {
        let slow = ScriptedReply(ScriptedModel.good.response, delay: .milliseconds(400))
        let scripted = try ScriptedModel { _ in slow }
        let reasons = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<20 { group.addTask { await scripted.reason() } }
            var reasons: [String?] = []
            for await reason in group { reasons.append(reason) }
            return reasons
        }
        #expect(reasons.count { $0 == nil } == 8)
        #expect(reasons.count { $0?.contains("busy") == true } == 12)
        #expect(scripted.questions.count == 8)
        #expect(scripted.model.status()["in_progress"] == 0)
    }

    @Test("Who goes away in the middle ends the question, which counts neither as failure nor as answer")
    func cancelled() async throws {
        let silent = ScriptedReply(ScriptedModel.good.response, fault: .silence)
        let scripted = try ScriptedModel({ _ in silent }, { $0.timeout = .seconds(300) })
        for number in 1...6 {
            let task = Task { await scripted.reason() }
            let deadline = ContinuousClock.now + .seconds(120)
            while scripted.questions.count < number, ContinuousClock.now < deadline { await Task.yield() }
            task.cancel()
            #expect(await task.value?.contains("cancelled") == true)
        }
        #expect(scripted.model.status()["circuit"] == "closed")
    }
}
