import HTTP
import MarketData
import MarketProviders
import Testing
import WebClient

@Suite("A provider's failures that may pass are tried again, the others are told at once")
struct ProviderClientTests {
    @Test("The request is the endpoint's, against the base URL, with everything encoded")
    func request() async throws {
        let provider = try AskedProvider([ScriptedReply(200, "a")], baseURL: { $0 + "/mirror//" })
        let request = ProviderRequest(
            "/v1/x", query: [["symbols", "[\"A&B\"]"], ["from", "2026-01-01 +ä"]], fields: [["X-Own", "1"]])
        #expect(await provider.ask(request) == .success("a"))
        let seen = try #require(provider.requests.first)
        #expect(seen.target == "/mirror/v1/x?symbols=%5B%22A%26B%22%5D&from=2026-01-01%20%2B%C3%A4")
        #expect(seen.fields["user-agent"] == "fiml-gateway/0.1")
        #expect(seen.fields["x-own"] == "1")
        #expect(seen.method == "GET")
    }

    @Test("A JSON body is posted as such, and tried again as a question is")
    func post() async throws {
        let provider = try AskedProvider([ScriptedReply(502), ScriptedReply(200, "{}")], as: .ethereum)
        let request = ProviderRequest("/", body: Array("{\"id\":1}".utf8))
        #expect(await provider.ask(request) == .success("{}"))
        #expect(provider.requests.map(\.method) == ["POST", "POST"])
        #expect(provider.requests.map(\.body) == [Array("{\"id\":1}".utf8), Array("{\"id\":1}".utf8)])
        #expect(provider.requests[0].fields["content-type"] == "application/json")
    }

    @Test("A failure that passes does not show, but for the wait", arguments: [500, 502, 503, 504])
    func passing(status: Int) async throws {
        let provider = try AskedProvider([ScriptedReply(status, "oh"), ScriptedReply(200, "a")])
        #expect(await provider.ask() == .success("a"))
        #expect(provider.waits == [500])
        let health = try #require(provider.health)
        #expect(health.state == .ok)
        #expect(health.requests == 2)
        #expect(health.failures == 1)
        #expect(health.consecutiveFailures == 0)
        #expect(health.lastError == "answered \(status): oh")
    }

    @Test("Three tries are all, with growing waits between them")
    func threeTries() async throws {
        let provider = try AskedProvider([ScriptedReply(500, "no\n\t money\u{7}")])
        #expect(await provider.ask().failure == "binance: answered 500: no money (3 tries)")
        #expect(provider.waits == [500, 1_000])
        #expect(provider.requests.count == 3)
        #expect(provider.health?.state == .degraded)
        #expect(provider.health?.consecutiveFailures == 3)
    }

    @Test("An answer that says no is not asked for again", arguments: [400, 401, 403, 404, 418, 451, 302])
    func refused(status: Int) async throws {
        let provider = try AskedProvider([ScriptedReply(status, String(repeating: "x", count: 500))])
        let told = "binance: answered \(status): \(String(repeating: "x", count: 120))"
        #expect(await provider.ask().failure == told)
        #expect(provider.requests.count == 1)
        #expect(provider.waits.isEmpty)
    }

    /// Faults that a second try does not see.
    private static let faults: [(String, ScriptedReply.Fault)] = [
        ("never answered", .silence), ("closed without an answer", .cutOff(afterBytes: 0)),
        ("cut off", .cutOff(afterBytes: 80)), ("garbled", .garbled(Array("\u{1}\u{2}\r\n\r\n".utf8))),
    ]

    @Test("A connection that fails is tried again", arguments: faults)
    func connectionFails(name: String, fault: ScriptedReply.Fault) async throws {
        let long = HTTPResponse(status: 200, body: Array(repeating: 0x61, count: 1_000))
        let provider = try AskedProvider(
            [ScriptedReply(long, fault: fault), ScriptedReply(200, "a")],
            limits: {
                if case .silence = fault { $0.timeLimit = .milliseconds(200) }
            })
        #expect(await provider.ask() == .success("a"))
        // More where this machine is so busy that an answer takes longer than 200 ms.
        #expect(provider.requests.count >= 2)
        #expect(provider.health.map { $0.requests - $0.failures } == 1)
    }

    @Test("An answer that is too large is not read a second time")
    func tooLarge() async throws {
        let provider = try AskedProvider([ScriptedReply(200, "0123456789")], limits: { $0.maxBytes = 9 })
        #expect(await provider.ask().failure == "binance: the answer is too large")
        #expect(provider.requests.count == 1)
    }

    @Test("A provider that nobody can reach is told to be so")
    func unreachable() async throws {
        let provider = try AskedProvider([ScriptedReply(200)], baseURL: { _ in AskedProvider.nobody })
        let failure = try #require(await provider.ask().failure)
        #expect(failure.hasPrefix("binance: ") && failure.hasSuffix("(3 tries)"))
    }

    @Test("A base URL that is none is told, not tried again")
    func badBaseURL() async throws {
        let provider = try AskedProvider([ScriptedReply(200)], baseURL: { _ in "localhost:80" })
        #expect(await provider.ask().failure == "binance: the URL is not an absolute one of http or https")
    }

    @Test("Who is cancelled stops asking, and the provider is not to blame")
    func cancelled() async throws {
        let provider = try AskedProvider([ScriptedReply(HTTPResponse(status: 200), fault: .silence)])
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return await provider.ask()
        }
        #expect(await task.value.failure == "binance: the request was cancelled")
        #expect(provider.health?.failures == 0)
        #expect(provider.health?.state == .unused)
    }

    @Test("What is not new is answered with what was there; what is new replaces it")
    func notModified() async throws {
        let provider = try AskedProvider([
            ScriptedReply(200, "one", fields: ["ETag": "\"1\"", "Last-Modified": "x"]),
            ScriptedReply(304, fields: ["ETag": "\"1\""]),
            ScriptedReply(200, "two", fields: ["Last-Modified": "Fri, 02 Jan 2026 03:04:05 GMT"]),
            ScriptedReply(304), ScriptedReply(200, "three"), ScriptedReply(304),
        ])
        for text in ["one", "one", "two", "two", "three"] {
            #expect(await provider.ask() == .success(text))
        }
        // Nothing was asked conditionally: there is nothing that could be meant.
        #expect(await provider.ask().failure == "binance: answered 304")
        let conditions = provider.requests.map { request in
            request.fields["if-none-match"] ?? request.fields["if-modified-since"]
        }
        let date = "Fri, 02 Jan 2026 03:04:05 GMT"
        #expect(conditions == [nil, "\"1\"", "\"1\"", date, date, nil])
    }

    @Test("An answer that cannot be read is not kept: the next is asked for without a condition")
    func garbledIsNotKept() async throws {
        let provider = try AskedProvider([
            ScriptedReply(200, "one", fields: ["ETag": "\"1\""]),
            ScriptedReply(200, "}", fields: ["ETag": "\"2\""]),
            ScriptedReply(304),
        ])
        let asked = { @Sendable in
            await provider.ask(ProviderRequest("/a")) { (body) throws(MarketDataError) in
                guard body != Array("}".utf8) else { throw MarketDataError("garbled") }
                return Decoded(String(decoding: body, as: UTF8.self))
            }
        }
        #expect(await asked() == .success("one"))
        #expect(await asked().failure == "binance: garbled")
        // What was kept before is still what the provider is asked about.
        #expect(await asked() == .success("one"))
        #expect(provider.requests.map { $0.fields["if-none-match"] } == [nil, "\"1\"", "\"1\""])
    }

    @Test("What counts from the moment of reading is always asked for anew, as all that tell no time are")
    func countsFromReading() async throws {
        let provider = try AskedProvider([ScriptedReply(200, "one", fields: ["ETag": "\"1\""])])
        for _ in 0..<2 { _ = await provider.ask(ProviderRequest("/a", countsFromReading: true)) }
        #expect(provider.requests.allSatisfy { $0.fields["if-none-match"] == nil })
        let bitcoin = CompanyAnswers.bitcoin
        #expect(Kraken.quote(of: bitcoin)?.request.countsFromReading == true)
        let books = [Kraken.orderBook, Binance.orderBook, CoinbaseExchange.orderBook]
        #expect(books.allSatisfy { $0(bitcoin)?.request.countsFromReading == true })
    }

    @Test("Another request, and another provider's, does not see what is kept")
    func keptApart() async throws {
        let provider = try AskedProvider([ScriptedReply(200, "one", fields: ["ETag": "\"1\""])])
        _ = await provider.ask(ProviderRequest("/a", query: [["b", "c"]]))
        _ = await provider.ask(ProviderRequest("/a", query: [["b", "d"]]))
        _ = await provider.ask(ProviderRequest("/a", query: [["b", "c"]], body: []))
        #expect(provider.requests.allSatisfy { $0.fields["if-none-match"] == nil })
    }

    @Test("Figures that were refused, and answers that cannot be read, show in the health")
    func refusedFigures() async throws {
        let provider = try AskedProvider([ScriptedReply(200, "a")])
        let some = await provider.ask(ProviderRequest("/a")) { (_) throws(MarketDataError) in
            var refused = RefusedFigures()
            for number in 1...5 { refused.add("bar \(number) is null") }
            return Decoded("some", refused: refused)
        }
        #expect(some == .success("some"))
        #expect(provider.health?.refusedFigures == 5)
        #expect(provider.health?.refusedReasons == ["bar 1 is null", "bar 2 is null", "bar 3 is null"])
        #expect(provider.health?.state == .ok)
        let none = await provider.ask(ProviderRequest("/a")) { (_) throws(MarketDataError) in
            throw MarketDataError("nothing in it")
        }
        #expect(none.failure == "binance: nothing in it")
        #expect(provider.health?.state == .degraded)
        #expect(provider.health?.lastError == "nothing in it")
    }
}

extension Result<String, MarketDataError> {
    /// What is told of the failure, if it is one.
    var failure: String? {
        if case .failure(let failure) = self { failure.description } else { nil }
    }
}
