import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import MarketProviders
@testable import WebClient

@Suite("When a provider may be asked follows from what came before, and from the time alone")
struct ProviderRulesTests {
    private func at(_ milliseconds: Int64) -> Timestamp {
        Timestamp(milliseconds: 1_767_323_045_000 + milliseconds)
    }

    @Test("The circuit opens at the fifth failure in a row, for a minute; one request decides then")
    func circuit() {
        var circuit = ProviderCircuit()
        for _ in 0..<4 { circuit.failed(at: at(0)) }
        circuit.succeeded()
        for _ in 0..<4 { circuit.failed(at: at(0)) }
        #expect(circuit.blocked(at: at(0)) == nil)
        circuit.failed(at: at(0))
        #expect(circuit.blocked(at: at(0)) == at(60_000))
        // Those that were under way do not lengthen it.
        circuit.failed(at: at(30_000))
        #expect(circuit.blocked(at: at(59_999)) == at(60_000))
        #expect(circuit.blocked(at: at(60_000)) == nil)
        circuit.began(at: at(60_000))
        #expect(circuit.blocked(at: at(60_001)) == at(120_000))
        circuit.failed(at: at(61_000))
        #expect(circuit.blocked(at: at(61_000)) == at(121_000))
        circuit.began(at: at(121_000))
        circuit.succeeded()
        #expect(circuit.state == .closed(failures: 0))
    }

    @Test("A trial of which nothing is heard gives way to another")
    func lostTrial() {
        var circuit = ProviderCircuit()
        for _ in 0..<5 { circuit.failed(at: at(0)) }
        circuit.began(at: at(60_000))
        #expect(circuit.blocked(at: at(119_999)) != nil)
        #expect(circuit.blocked(at: at(120_000)) == nil)
    }

    @Test(
        "No minute sees more requests than are allowed", arguments: [1, 2, 3, 5, 10, 60, 600],
        [nil, 1, 4, 20] as [Int?])
    func rate(perMinute: Int, burst: Int?) {
        if let burst, burst >= perMinute { return }
        var generator = SeededGenerator(seed: UInt64(perMinute))
        var bucket = TokenBucket(RequestRate(perMinute, in: .minute, burst: burst))
        var now: Int64 = 0
        var sent: [Int64] = []
        for _ in 0..<6_000 {
            now += Int64.random(in: 0...(60_000 / Int64(perMinute)), using: &generator)
            if let wait = bucket.take(at: at(now), within: 10_000) { sent.append(now + wait) }
        }
        #expect(sent.count > 2 * perMinute)
        sent.sort()
        for (first, last) in zip(sent, sent.dropFirst(perMinute)) where last - first < 59_999 {
            Issue.record("\(perMinute + 1) requests from \(first) to \(last)")
            return
        }
    }

    /// Who counts by the second may be asked so often at once.
    private static let bursts: [(ProviderName, Int)] = [
        (.kraken, 2), (.okx, 10), (.coinbaseExchange, 10), (.sec, 5),
    ]

    @Test("Who counts by the second is not asked half a minute's questions at once", arguments: bursts)
    func burst(name: ProviderName, most: Int) throws {
        var state = ProviderState(name, Provider.of(name).rates)
        for _ in 0..<most { #expect(try state.reserve(1, at: at(0), within: 0) == 0) }
        #expect(throws: MarketDataError.self) { try state.reserve(1, at: at(0), within: 0) }
    }

    /// Who counts by longer than a minute, the milliseconds by which, and how often in that time.
    private static let longRates: [(ProviderName, Int64, Int)] = [
        (.tiingo, 3_600_000, 50), (.alphaVantage, 86_400_000, 25), (.fmp, 86_400_000, 250),
        (.newsAPI, 86_400_000, 100),
    ]

    @Test("Who counts by the hour or day is asked no more often in one", arguments: longRates)
    func longRate(name: ProviderName, stretch: Int64, most: Int) {
        var state = ProviderState(name, Provider.of(name).rates)
        let granted = stride(from: 0, to: stretch, by: 1_000).count {
            (try? state.reserve(1, at: at($0), within: 0)) != nil
        }
        #expect(granted <= most && granted >= most - 1)
        // What one rate refuses takes nothing of another.
        #expect((try? state.reserve(1, at: at(3 * stretch), within: 0)) == 0)
    }

    @Test("Time that goes back gives no tokens")
    func rateBackwards() {
        var bucket = TokenBucket(RequestRate(2, in: .minute))
        #expect(bucket.take(at: at(60_000), within: 0) == 0)
        #expect(bucket.take(at: at(0), within: 0) == nil)
        #expect(bucket.take(at: at(60_000), within: 0) == nil)
        #expect(bucket.take(at: at(120_000), within: 0) == 0)
    }

    /// `Retry-After`, asked at 2026-01-02T03:04:05Z, and the milliseconds until then.
    private static let rests: [(String, Int64?)] = [
        ("0", nil), ("1", 1_000), ("120", 120_000), ("3600", 3_600_000), ("3601", 3_600_000),
        ("18446744073709551616", 3_600_000), ("Fri, 02 Jan 2026 03:04:06 GMT", 1_000),
        ("Fri, 02 Jan 2026 03:04:05 GMT", nil), ("Sun, 06 Nov 1994 08:49:37 GMT", nil),
        ("Thu, 31 Dec 2026 23:59:59 GMT", 3_600_000), ("Fri, 02 Feb 2026", nil), ("", nil), ("-1", nil),
        ("1.5", nil), ("soon", nil), ("Fri, 32 Jan 2026 03:04:06 GMT", nil),
        ("Fri, 02 Jan 2026 03:04:06 CET", nil), ("0x10", nil),
    ]

    @Test("Retry-After is seconds or a date (RFC 9110 section 10.2.3), at most an hour", arguments: rests)
    func retryAfter(field: String, milliseconds: Int64?) {
        #expect(RetryAfter.moment(field, at: at(0)) == milliseconds.map(at))
    }

    @Test(
        "Backoff is anything up to a bound that doubles and ends", arguments: [1, 2, 3, 4, 5, 6, 60, 1_000])
    func backoff(number: Int) {
        let longest = [1: 500, 2: 1_000, 3: 2_000, 4: 4_000][number, default: 8_000] as Int64
        let limits = ProviderLimits()
        #expect(limits.backoff(before: number, random: 1) == longest)
        #expect(limits.backoff(before: number, random: 0.5) == longest / 2)
        #expect(limits.backoff(before: number, random: 0) == 0)
    }

    @Test(
        "A try ends before the check that wanted it",
        arguments: [(1, 1_000), (3, 1_000), (6, 2_000), (10, 3_333), (30, 10_000), (3_600, 10_000)])
    func withinCheck(seconds: Int, milliseconds: Int64) {
        let limit = ProviderLimits(within: .seconds(seconds)).timeLimit
        #expect(limit >= .milliseconds(milliseconds) && limit < .milliseconds(milliseconds + 1))
    }

    /// What a provider may say to a request with the cookie `A3=d=SECRET`, and what is told of it.
    private static let echoes = [
        ("bad A3=d=SECRET", "bad …"), ("bad d=SECRET; try again", "bad …; try again"),
        ("d=SEC", "…"), ("\"d=SEC\" is cut off", "\"…\" is cut off"), ("d%3DSECRET", "…"), ("A3", "A3"),
        ("", ""),
        ("d=SECRETd=SECRET", "……"), ("ä d=SECRET\u{301}", "ä …\u{301}"),
    ]

    @Test("The value of a cookie is as secret as the whole", arguments: echoes)
    func cookie(said: String, told: String) {
        let request = ProviderRequest("/", fields: [["Cookie", "A3=d=SECRET"]])
        #expect(ProviderSecrets(request).removed(from: said) == told)
    }

    @Test(
        "Secrets are removed at the speed of the text, however long and alike they are",
        .timeLimit(.minutes(1)))
    func longSecrets() {
        let cookie = "A3=" + String(repeating: "ab", count: 2_000)
        let secrets = ProviderSecrets(ProviderRequest("/", fields: [["Cookie", cookie]]))
        let text = [UInt8](String(repeating: "abaab", count: 820).utf8)
        for _ in 0..<100 { #expect(!secrets.excerpt(of: text).contains("abab")) }
    }

    private func response(_ size: Int, _ fields: [String: String] = ["etag": "\"a\""]) -> WebResponse {
        WebResponse(
            status: 200, body: Array(repeating: 0, count: size), elapsed: .zero, fields: fields)
    }

    private func key(_ path: String) -> AnswerCache.Key {
        AnswerCache.Key(provider: .sec, request: ProviderRequest(path))
    }

    @Test("Kept answers are bounded in number and bytes; what was used least lately goes")
    func cache() {
        var cache = AnswerCache(maxEntries: 3, maxBytes: 100)
        for path in ["/a", "/b", "/c"] { cache.keep(response(10), for: key(path)) }
        #expect(cache.entry(key("/a")) != nil)
        cache.keep(response(10), for: key("/d"))
        #expect(["/a", "/b", "/c", "/d"].map { cache.entry(key($0)) != nil } == [true, false, true, true])
        cache.keep(response(80), for: key("/d"))
        #expect(["/a", "/c", "/d"].map { cache.entry(key($0))?.body.count } == [10, 10, 80])
        cache.keep(response(85), for: key("/d"))
        #expect(["/a", "/c", "/d"].map { cache.entry(key($0))?.body.count } == [nil, 10, 85])
        // Too large for the whole: not even what was there before stays.
        cache.keep(response(101), for: key("/d"))
        #expect(["/c", "/d"].map { cache.entry(key($0))?.body.count } == [10, nil])
    }

    @Test(
        "An answer is not kept without a validator that can be sent back",
        arguments: [[:], ["etag": ""], ["etag": "ä"], ["etag": String(repeating: "a", count: 257)]])
    func validators(fields: [String: String]) {
        var cache = AnswerCache()
        cache.keep(response(10, fields), for: key("/a"))
        #expect(cache.entry(key("/a")) == nil)
    }

    @Test("Every provider is asked over HTTPS, at a place of its own, at least once a minute")
    func table() {
        let providers = ProviderName.allCases.map(Provider.of)
        #expect(providers.map(\.name) == ProviderName.allCases)
        #expect(providers.allSatisfy { $0.baseURL.hasPrefix("https://") && !$0.baseURL.hasSuffix("/") })
        #expect(Set(providers.map(\.baseURL)).count == providers.count)
        #expect(providers.allSatisfy { !$0.rates.isEmpty })
    }

    @Test("The health of providers is summed up in one word, and every state is counted")
    func summary() {
        func health(_ states: ProviderHealth.State...) -> JSONValue {
            ProviderHealth.summary(
                states.map { state in
                    var health = ProviderHealth(name: .kraken)
                    health.state = state
                    return health
                }, source: "live")
        }
        #expect(health()["status"] == "unused")
        #expect(health(.unused, .unused)["status"] == "unused")
        #expect(health(.ok, .unused)["status"] == "ok")
        #expect(health(.ok, .degraded)["status"] == "degraded")
        #expect(health(.circuitOpen, .rateLimited, .unused)["status"] == "unhealthy")
        let counts: JSONValue = ["unused": 1, "ok": 2, "degraded": 0, "circuit_open": 0, "rate_limited": 1]
        #expect(health(.ok, .unused, .ok, .rateLimited)["states"] == counts)
        #expect(health(.ok)["providers"]?.elements?.first?["name"] == "kraken")
    }
}
