import FIMLCore
import HTTP
import MarketData
import Synchronization
import Testing

@testable import MarketProviders

/// Answers each request in turn with what the test says, and remembers what it was asked.
private actor ScriptedYahoo: ProviderAsking {
    private var answers: [String]
    private(set) var asked: [ProviderRequest] = []
    /// By whose limits.
    private(set) var providers: [ProviderName] = []

    init(_ answers: [String]) {
        self.answers = answers
    }

    func ask<Figures>(_ endpoint: Endpoint<Figures>) async throws(MarketDataError) -> Figures {
        asked.append(endpoint.request)
        providers.append(endpoint.provider)
        // Others get their turn, as they would while the network is waited for.
        await Task.yield()
        guard !answers.isEmpty else { throw MarketDataError("no answer") }
        return try endpoint.decode(Array(answers.removeFirst().utf8)).figures
    }
}

@Suite("Yahoo's cookie and crumb are fetched once and kept")
struct YahooSessionTests {
    private static let cookie =
        "A3=d=AQABBN&S=AQAAAk; Expires=Wed, 24 Nov 2027 16:00:00 GMT; Domain=.yahoo.com"

    @Test("The cookie is read up to its attributes and sent with the request for the crumb")
    func credentials() async throws {
        let yahoo = ScriptedYahoo([Self.cookie, "wF3b.Xy/12Q"])
        let session = YahooSession(asking: yahoo)
        let credentials = try await session.credentials()
        #expect(credentials.cookie == "A3=d=AQABBN&S=AQAAAk")
        #expect(credentials.crumb == "wF3b.Xy/12Q")
        #expect(
            await yahoo.asked == [
                ProviderRequest("/", answerField: "Set-Cookie"),
                ProviderRequest(
                    "/v1/test/getcrumb", fields: [["Cookie", "A3=d=AQABBN&S=AQAAAk"]], sentTo: .yahoo),
            ])
        #expect(try await session.credentials() == credentials)
        #expect(await yahoo.asked.count == 2)
    }

    @Test("All who ask at once wait for one fetch")
    func together() async throws {
        let yahoo = ScriptedYahoo([Self.cookie, "crumb"])
        let session = YahooSession(asking: yahoo)
        let crumbs = await withTaskGroup(of: String?.self) { group in
            for _ in 0..<20 {
                group.addTask { try? await session.credentials().crumb }
            }
            return await group.reduce(into: Set()) { $0.insert($1) }
        }
        #expect(crumbs == ["crumb"])
        #expect(await yahoo.asked.count == 2)
    }

    @Test("After a failure nothing is fetched for five minutes")
    func failure() async throws {
        let yahoo = ScriptedYahoo([Self.cookie, "Too Many Requests", Self.cookie, "crumb"])
        let time = Mutex(AskedProvider.begin)
        let session = YahooSession(asking: yahoo, now: { time.withLock { $0 } })
        for passed in [0, 1, 299_998] as [Int64] {
            time.withLock { $0.milliseconds += passed }
            await #expect(throws: MarketDataError("the answer is not a crumb")) {
                try await session.credentials()
            }
        }
        #expect(await yahoo.asked.count == 2)
        time.withLock { $0.milliseconds += 1 }
        #expect(try await session.credentials().crumb == "crumb")
    }

    @Test("Credentials that Yahoo refuses are fetched anew, others are kept")
    func refused() async throws {
        let yahoo = ScriptedYahoo([Self.cookie, "first", Self.cookie, "second"])
        let session = YahooSession(asking: yahoo)
        let first = try await session.credentials()
        await session.refused(.init(cookie: "A3=x", crumb: "another"))
        #expect(try await session.credentials() == first)
        await session.refused(first)
        let second = try await session.credentials()
        #expect(second.crumb == "second")
        await session.refused(first)
        #expect(try await session.credentials() == second)
    }

    @Test("What is about a company is asked with the credentials, everything else without")
    func asking() async throws {
        let yahoo = ScriptedYahoo([YahooFixtures.chart, Self.cookie, "crumb", YahooFixtures.earnings])
        let session = YahooSession(asking: yahoo)
        let apple = CompanyAnswers.apple
        _ = try await session.ask(try #require(Yahoo.quote(of: apple)))
        #expect(await yahoo.asked.count == 1)
        let earnings = try #require(Yahoo.earnings(of: apple))
        #expect(try await session.ask(earnings).count == 2)
        let last = try #require(await yahoo.asked.last)
        #expect(last.query == earnings.request.query + [["crumb", "crumb"]])
        #expect(last.fields == [["Cookie", "A3=d=AQABBN&S=AQAAAk"]])
        #expect(last.sentTo == .yahoo)
        // A refusal of what needs the cookie leaves the chart alone.
        #expect(await yahoo.providers == [.yahoo, .yahooCookie, .yahooCookie, .yahooCookie])
    }

    @Test("What fails for another reason than the credentials leaves them")
    func keepsCredentials() async throws {
        let yahoo = ScriptedYahoo([Self.cookie, "crumb", "<html>", YahooFixtures.earnings])
        let session = YahooSession(asking: yahoo)
        let earnings = try #require(Yahoo.earnings(of: CompanyAnswers.apple))
        await #expect(throws: MarketDataError.self) { try await session.ask(earnings) }
        #expect(try await session.ask(earnings).count == 2)
        #expect(await yahoo.asked.count == 4)
    }

    @Test("A status of refusal costs the credentials, others do not", arguments: [401, 403, 404, 500])
    func refusedByStatus(status: Int) async throws {
        var fields = HTTPFields()
        fields.append("Set-Cookie", Self.cookie)
        let provider = try AskedProvider(
            [
                ScriptedReply(200, "", fields: fields), ScriptedReply(200, "old"), ScriptedReply(status),
                ScriptedReply(200, "", fields: fields), ScriptedReply(200, "new"),
            ], as: .yahooCookie, alsoAs: .yahoo, limits: { $0.tries = 1 })
        let session = YahooSession(asking: provider.client)
        let earnings = try #require(Yahoo.earnings(of: CompanyAnswers.apple))
        await #expect(throws: MarketDataError.self) { try await session.ask(earnings) }
        let isRefusal = status == 401 || status == 403
        #expect(try await session.credentials().crumb == (isRefusal ? "new" : "old"))
        #expect(provider.requests.allSatisfy { $0.fields["user-agent"]?.hasPrefix("Mozilla/5.0 ") == true })
        #expect(provider.client.health().first { $0.name == .yahoo }?.state == .unused)
    }

    @Test("After a refusal the next who asks has new credentials")
    func asksAnew() async throws {
        let yahoo = ScriptedYahoo([
            Self.cookie, "old", #"{"finance":{"error":{"description":"Invalid Crumb"}}}"#,
            Self.cookie, "new", YahooFixtures.earnings,
        ])
        let session = YahooSession(asking: yahoo)
        let earnings = try #require(Yahoo.earnings(of: CompanyAnswers.apple))
        await #expect(throws: MarketDataError.self) { try await session.ask(earnings) }
        #expect(try await session.ask(earnings).count == 2)
        #expect(await yahoo.asked.last?.query.last == ["crumb", "new"])
    }

    @Test("The field of the answer is read over real HTTP, whatever the status", arguments: [200, 404])
    func cookieOverHTTP(status: Int) async throws {
        var fields = HTTPFields()
        fields.append("Set-Cookie", Self.cookie)
        let provider = try AskedProvider(
            [ScriptedReply(status, "Not Found", fields: fields), ScriptedReply(status, "without")],
            as: .yahooCookie)
        #expect(try await provider.client.ask(Yahoo.cookie) == "A3=d=AQABBN&S=AQAAAk")
        #expect(provider.health?.consecutiveFailures == 0)
        await #expect(throws: MarketDataError.self) { try await provider.client.ask(Yahoo.cookie) }
    }

    @Test(
        "What is no cookie is refused",
        arguments: ["", "A3", "=", "A3=a b;", "A3=a\r\nX: y", "A3=ä", String(repeating: "x=", count: 513)])
    func noCookie(field: String) {
        #expect(throws: MarketDataError.self) { try reading(field, with: Yahoo.cookie) }
    }

    @Test("What is no crumb is refused", arguments: ["", "Too Many Requests", "<html>", #"{"finance":{}}"#])
    func noCrumb(body: String) {
        #expect(throws: MarketDataError.self) { try reading(body, with: Yahoo.crumb(cookie: "A3=x")) }
    }
}
