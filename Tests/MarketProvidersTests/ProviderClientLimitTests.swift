import HTTP
import MarketData
import MarketProviders
import Testing

@Suite("A provider is asked no more often than it wants, and left alone when it fails")
struct ProviderClientLimitTests {
    private static func rest(_ status: Int, _ retryAfter: String) -> ScriptedReply {
        ScriptedReply(status, "slow down", fields: ["Retry-After": retryAfter])
    }

    @Test("A short Retry-After is waited for", arguments: [429, 503])
    func shortRest(status: Int) async throws {
        let provider = try AskedProvider([Self.rest(status, "7"), ScriptedReply(200, "a")])
        #expect(await provider.ask() == .success("a"))
        // The backoff is part of the wait.
        #expect(provider.waits.reduce(0, +) == 7_000)
    }

    @Test(
        "During a long Retry-After nobody asks, whatever for",
        arguments: ["600", "Fri, 02 Jan 2026 03:14:05 GMT"])
    func longRest(retryAfter: String) async throws {
        let provider = try AskedProvider([Self.rest(429, retryAfter), ScriptedReply(200, "a")])
        let until = "it asked not to be asked until 2026-01-02T03:14:05.000Z"
        #expect(await provider.ask().failure == "binance: answered 429: slow down; \(until)")
        #expect(await provider.ask(ProviderRequest("/b")).failure == "binance: \(until)")
        #expect(provider.requests.count == 1)
        #expect(provider.health?.state == .rateLimited)
        #expect(provider.health?.retryAt?.rfc3339 == "2026-01-02T03:14:05.000Z")
        provider.pass(600_000)
        #expect(provider.health?.state == .degraded)
        #expect(await provider.ask() == .success("a"))
        #expect(provider.health?.retryAt == nil)
    }

    @Test("429 without a time is a minute; an unbelievable one is an hour")
    func unsaidRest() async throws {
        let silent = try AskedProvider([ScriptedReply(429)])
        #expect(await silent.ask().failure?.hasSuffix("until 2026-01-02T03:05:05.000Z") == true)
        let rude = try AskedProvider([Self.rest(429, "99999999999999999999999")])
        #expect(await rude.ask().failure?.hasSuffix("until 2026-01-02T04:04:05.000Z") == true)
    }

    @Test("A ban by another status is respected too: Binance says 418")
    func ban() async throws {
        let provider = try AskedProvider([Self.rest(418, "120"), ScriptedReply(200, "a")])
        #expect(await provider.ask().failure == "binance: answered 418: slow down")
        #expect(await provider.ask().failure?.hasPrefix("binance: it asked not to be asked") == true)
        #expect(provider.requests.count == 1)
    }

    @Test("Requests wait for their turn by the provider's rate, and are told when that takes too long")
    func rate() async throws {
        // 12 a minute: 6 at once, then one in 10 s, which is as long as anybody waits.
        let provider = try AskedProvider([ScriptedReply(200, "a")], requestsPerMinute: 12)
        for _ in 0..<7 { #expect(await provider.ask() == .success("a")) }
        #expect(provider.waits == [10_000])
        let slow = try AskedProvider([ScriptedReply(200, "a")], requestsPerMinute: 11)
        for _ in 0..<5 { #expect(await slow.ask() == .success("a")) }
        #expect(await slow.ask().failure == "binance: its rate of requests is used up")
        #expect(slow.waits.isEmpty)
        slow.pass(11_000)
        #expect(await slow.ask() == .success("a"))
    }

    @Test("A request that weighs more takes more of the rate; Binance's do as it says")
    func weight() async throws {
        // 120 a minute: 60 at once, then 1 a second.
        let provider = try AskedProvider([ScriptedReply(200, "a")], requestsPerMinute: 120)
        _ = await provider.ask(ProviderRequest("/a", weight: 50))
        _ = await provider.ask(ProviderRequest("/a", weight: 15))
        #expect(provider.waits == [5_000])
        #expect(
            await provider.ask(ProviderRequest("/a", weight: 11)).failure
                == "binance: its rate of requests is used up")
        // https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints
        let bitcoin = CompanyAnswers.bitcoin
        #expect(Binance.orderBook(of: bitcoin)?.request.query.last == ["limit", "5000"])
        #expect(Binance.orderBook(of: bitcoin)?.request.weight == 250)
        #expect(Binance.quote(of: bitcoin)?.request.weight == 2)
        #expect(Binance.bars(of: bitcoin, every: .day, limit: 100)?.request.weight == 2)
        #expect(Provider.of(.binance).rates == [RequestRate(6_000, in: .minute)])
    }

    @Test("After five failures in a row a provider is left alone for a minute, then one request tries")
    func circuit() async throws {
        let provider = try AskedProvider(
            Array(repeating: ScriptedReply(500), count: 6) + [ScriptedReply(200, "a")],
            limits: { $0.backoffMilliseconds = 0 })
        #expect(await provider.ask().failure == "binance: answered 500 (3 tries)")
        let until = "not asked until 2026-01-02T03:05:05.000Z after 5 failures in a row"
        #expect(await provider.ask().failure == "binance: answered 500; \(until)")
        #expect(await provider.ask().failure == "binance: \(until)")
        #expect(provider.requests.count == 5)
        #expect(provider.health?.state == .circuitOpen)
        #expect(provider.health?.retryAt?.rfc3339 == "2026-01-02T03:05:05.000Z")
        provider.pass(60_000)
        // The one that tries fails, and is not tried again.
        #expect(await provider.ask().failure?.hasPrefix("binance: answered 500; not asked until") == true)
        #expect(provider.requests.count == 6)
        provider.pass(60_000)
        #expect(await provider.ask() == .success("a"))
        #expect(provider.health?.state == .ok)
    }

    @Test(
        "A symbol that is not known is no fault of the provider: no circuit opens, nor is it degraded",
        arguments: [400, 404])
    func refusalsKeepClosed(status: Int) async throws {
        let replies = Array(repeating: ScriptedReply(status), count: 10)
        let provider = try AskedProvider([ScriptedReply(200, "a")] + replies)
        _ = await provider.ask()
        for _ in 0..<10 { #expect(await provider.ask().failure == "binance: answered \(status)") }
        #expect(provider.requests.count == 11)
        #expect(provider.health?.state == .ok)
        #expect(provider.health?.failures == 10)
        #expect(provider.health?.lastError == "answered \(status)")
    }

    @Test("Who refuses us is left alone for a minute too", arguments: [401, 403, 451])
    func refusalsOpen(status: Int) async throws {
        let provider = try AskedProvider([ScriptedReply(status)])
        for _ in 0..<10 { _ = await provider.ask() }
        #expect(provider.requests.count == 5)
        #expect(provider.health?.state == .circuitOpen)
    }

    /// What is made of an answer with status 200, how often it is asked of 10 times, and how it is then.
    private static let outcomes: [(MarketDataError.Cause, Int, ProviderHealth.State)] = [
        (.failure, 5, .circuitOpen), (.hasNone, 10, .unused), (.tooOften, 1, .rateLimited),
    ]

    @Test(
        "Answers that cannot be read open the circuit, those of none do not, a limit is rest",
        arguments: outcomes)
    func readings(cause: MarketDataError.Cause, requests: Int, state: ProviderHealth.State) async throws {
        let provider = try AskedProvider([ScriptedReply(200, "<html>")])
        for _ in 0..<10 {
            _ = await provider.ask(ProviderRequest("/a")) { (_) throws(MarketDataError) in
                throw MarketDataError("no", cause: cause)
            }
        }
        #expect(provider.requests.count == requests)
        #expect(provider.health?.state == state)
    }

    // MARK: - Keys

    private static let key = "k3y+0123456789abcdef"

    @Test("A key is in nothing that is told, wherever a provider repeats it")
    func keys() async throws {
        let key = Self.key
        let encoded = ProviderRequest("/a", query: [["apikey", key]])
        let field = ProviderRequest("/a", fields: [["Authorization", "Token \(key)"]])
        let complaints = [
            "We have detected your API key as \(key) and our rate limit",
            "{\"url\":\"/a?apikey=k3y%2B0123456789abcdef\"}",
            String(repeating: "x", count: 110) + key, String(repeating: "x", count: 4_090) + key,
        ]
        for request in [encoded, field] {
            for status in [200, 401, 429, 500] {
                for complaint in complaints {
                    let provider = try AskedProvider(
                        [ScriptedReply(status, complaint)], limits: { $0.tries = 1 })
                    let outcome = await provider.ask(request) { (body) throws(MarketDataError) in
                        throw MarketDataError(
                            "cannot read \(String(decoding: body, as: UTF8.self).prefix(60))")
                    }
                    let health = provider.health.map { "\($0.json)" } ?? ""
                    for text in [outcome.failure ?? "", health] {
                        #expect(!text.isEmpty)
                        #expect(!text.contains("k3y+") && !text.contains("k3y%2B"), "\(text)")
                    }
                }
            }
        }
    }

    @Test("A key is not in what is told of a connection either")
    func keysOfConnections() async throws {
        let provider = try AskedProvider([ScriptedReply(200)], baseURL: { _ in AskedProvider.nobody })
        let failure = await provider.ask(ProviderRequest("/a", query: [["token", Self.key]])).failure
        #expect(failure?.contains("k3y") == false)
        let several = ProviderRequest("/a", fields: [["X-Key", "\(Self.key)\r\nHost: b"]])
        let refused = await provider.ask(several).failure
        #expect(refused == "binance: a field of the request is not one line of text")
    }
}
