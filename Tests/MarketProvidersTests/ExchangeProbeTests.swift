import FIMLCore
import HTTP
import MarketData
import MarketProviders
import Synchronization
import Testing
import WebClient

@Suite("Exchanges are asked whether they are there, and what they answer is told as it is")
struct ExchangeProbeTests {
    private let client: WebClient

    init() throws {
        client = try WebClient()
    }

    private func at(_ seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: 1_767_323_045_000 + seconds * 1_000)
    }

    private func codes(_ statuses: [[ExchangeStatus]]) -> [[Int?]] {
        statuses.map { $0.map(\.statusCode) }
    }

    @Test("Each is asked at its real path, once for a moment, all at once")
    func paths() async throws {
        let asked = SharedList()
        let server = try ScriptedServer { request in
            asked.append(request.path)
            return ScriptedReply(request.path == "/v2/time" ? 503 : 200)
        }
        let names: [ProviderName] = [.binance, .coinbase, .kraken, .bybit, .okx]
        let probe = ExchangeProbe(
            client: client,
            baseURLs: Dictionary(uniqueKeysWithValues: names.map { ($0, server.baseURL) }),
            intervalSeconds: 30)
        async let first = probe.exchangeStatuses(of: names.map(\.rawValue), at: at(0))
        async let second = probe.exchangeStatuses(of: names.map(\.rawValue), at: at(0))
        let (statuses, again) = await (first, second)
        #expect(statuses == again)
        #expect(
            statuses.map { $0.map(\.exchange) } == [
                ["binance"], ["bybit"], ["coinbase"], ["kraken"], ["okx"],
            ])
        #expect(codes(statuses) == [[200], [200], [503], [200], [200]])
        #expect(
            asked.elements.sorted() == [
                "/0/public/Time", "/api/v3/ping", "/api/v5/public/time", "/v2/time", "/v5/market/time",
            ])
        for status in statuses.joined() {
            #expect(status.observedAt == at(0))
            #expect(status.intervalSeconds == 30)
            #expect(status.responseMilliseconds > 0 && status.responseMilliseconds < 5_000)
            #expect(status.error == nil)
        }
    }

    @Test("The last two are told, the newest last; of a market that begins anew only what was before")
    func lastTwo() async throws {
        let count = SharedList()
        let server = try ScriptedServer { request in
            count.append(request.path)
            return ScriptedReply(200 + count.elements.count)
        }
        let probe = ExchangeProbe(client: client, baseURLs: [.kraken: server.baseURL])
        #expect(codes(await probe.exchangeStatuses(of: ["kraken"], at: at(0))) == [[201]])
        #expect(codes(await probe.exchangeStatuses(of: ["kraken"], at: at(60))) == [[201, 202]])
        #expect(codes(await probe.exchangeStatuses(of: ["kraken"], at: at(120))) == [[202, 203]])
        #expect(codes(await probe.exchangeStatuses(of: ["kraken"], at: at(120))) == [[202, 203]])
        #expect(codes(await probe.exchangeStatuses(of: ["kraken"], at: at(0))) == [[204]])
    }

    /// What an exchange does, and what is told of it: its status, whether there is an error.
    private static let answers: [(String, ScriptedReply, Int?)] = [
        ("500", ScriptedReply(500), 500),
        ("moved to a page of its own", ScriptedReply(302, fields: ["Location": "/status"]), 302),
        ("silence", ScriptedReply(HTTPResponse(status: 200), fault: .silence), nil),
        ("closed", ScriptedReply(HTTPResponse(status: 200), fault: .cutOff(afterBytes: 0)), nil),
        ("garbled", ScriptedReply(HTTPResponse(status: 200), fault: .garbled([1, 2, 3])), nil),
    ]

    @Test("An exchange that does not answer has a status that says why", arguments: answers)
    func noAnswer(name: String, reply: ScriptedReply, code: Int?) async throws {
        let asked = SharedList()
        let server = try ScriptedServer { request in
            asked.append(request.path)
            return reply
        }
        let probe = ExchangeProbe(
            client: client, baseURLs: [.coinbase: server.baseURL],
            timeLimit: name == "silence" ? .milliseconds(150) : ExchangeProbe.timeLimit)
        let status = try #require(await probe.exchangeStatuses(of: ["coinbase"], at: at(0)).first?.first)
        #expect(status.statusCode == code)
        #expect((status.error == nil) == (code != nil))
        #expect(status.responseMilliseconds > 0)
        if name == "silence" {
            #expect(status.error == "no answer within the time limit")
            #expect(status.responseMilliseconds >= 145)
        }
        // It is measured, not coaxed.
        #expect(asked.elements == ["/v2/time"])
    }

    @Test("An exchange that could not be asked has no new status: our own load is not its outage")
    func notAsked() async throws {
        let asked = SharedList()
        let server = try ScriptedServer { request in
            asked.append(request.path)
            return request.path == "/slow"
                ? ScriptedReply(HTTPResponse(status: 200), fault: .silence) : ScriptedReply(200)
        }
        let client = try WebClient(maxOpen: 1)
        let probe = ExchangeProbe(client: client, baseURLs: [.kraken: server.baseURL])
        let before = await probe.exchangeStatuses(of: ["kraken"], at: at(0))
        #expect(codes(before) == [[200]])
        // Takes the only place that the client has.
        let other = Task { try await client.fetch(WebRequest(server.baseURL + "/slow")) }
        while !asked.elements.contains("/slow") { await Task.yield() }
        #expect(await probe.exchangeStatuses(of: ["kraken"], at: at(60)) == before)
        #expect(await ExchangeProbe(client: client).exchangeStatuses(of: ["kraken"], at: at(60)) == [])
        other.cancel()
        _ = await other.result
    }

    @Test("An exchange that is not known is left out")
    func unknown() async {
        #expect(await ExchangeProbe(client: client).exchangeStatuses(of: ["mtgox"], at: at(0)) == [])
    }

    @Test("A script decides how the exchanges of a replayed market answer, each from its moments on")
    func script() async throws {
        let names = ["binance", "coinbase", "kraken"]
        let exchanges = try ScriptedExchanges(
            script: [
                ExchangeScriptEntry(
                    time: at(120), exchange: "coinbase", statusCode: 200, delayMilliseconds: 0),
                ExchangeScriptEntry(
                    time: at(60), exchange: "coinbase", statusCode: 503, delayMilliseconds: 0),
                ExchangeScriptEntry(time: at(60), exchange: "kraken", statusCode: nil, delayMilliseconds: 0),
                ExchangeScriptEntry(
                    time: at(120), exchange: "binance", statusCode: 200, delayMilliseconds: 60),
            ], client: client, timeLimit: .seconds(2))
        #expect(codes(await exchanges.exchangeStatuses(of: names, at: at(0))) == [[200], [200], [200]])
        #expect(
            codes(await exchanges.exchangeStatuses(of: names, at: at(59))) == [
                [200, 200], [200, 200], [200, 200],
            ])
        #expect(
            codes(await exchanges.exchangeStatuses(of: names, at: at(60))) == [
                [200, 200], [200, 503], [200, nil],
            ])
        let last = await exchanges.exchangeStatuses(of: names, at: at(120))
        #expect(codes(last) == [[200, 200], [503, 200], [nil, nil]])
        #expect(last[0][1].responseMilliseconds >= 55)
    }

    @Test("A script with a status that no answer has is refused", arguments: [-1, 0, 100, 199, 600, .max])
    func badScript(status: Int) {
        let entry = ExchangeScriptEntry(
            time: at(0), exchange: "kraken", statusCode: status, delayMilliseconds: 0)
        #expect(throws: MarketDataError.self) {
            try ScriptedExchanges(script: [entry], client: client)
        }
    }

    /// What a server saw, in order.
    private final class SharedList: Sendable {
        private let list = Mutex<[String]>([])

        var elements: [String] { list.withLock { $0 } }

        func append(_ element: String) {
            list.withLock { $0.append(element) }
        }
    }
}
