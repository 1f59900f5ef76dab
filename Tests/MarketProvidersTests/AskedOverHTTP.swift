import HTTP
import MarketData
import Testing
import WebClient

@testable import MarketProviders

/// An endpoint with an answer that it can read, its figures' type erased, to be asked over real HTTP.
struct AskedOverHTTP: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let provider: ProviderName
    let request: ProviderRequest
    let answer: String
    /// Whether the figures keep what their types promise. Throws what the client throws.
    let ask: @Sendable (ProviderClient) async throws -> Bool

    init<Figures>(
        _ name: String, _ endpoint: Endpoint<Figures>, _ answer: String,
        isSound: @escaping @Sendable (Figures) -> Bool
    ) {
        testDescription = name
        provider = endpoint.provider
        request = endpoint.request
        self.answer = answer
        ask = { client in isSound(try await client.ask(endpoint)) }
    }

    /// Those of all providers.
    static let all: [AskedOverHTTP] =
        CryptoDecoder.all.compactMap(\.overHTTP) + PromiseCheck.all.compactMap(\.overHTTP)

    /// A client of its own, for which every provider is at `baseURL`; it does not try twice.
    static func client(at baseURL: String, _ web: WebClient) -> ProviderClient {
        var limits = ProviderLimits()
        limits.tries = 1
        limits.timeLimit = .milliseconds(400)
        return ProviderClient(
            web, baseURLs: Dictionary(ProviderName.allCases.map { ($0, baseURL) }) { first, _ in first },
            limits: limits)
    }
}

@Suite("Every provider is read over real HTTP, from its real paths, and every fault is an error")
struct AskedOverHTTPTests {
    private let web: WebClient

    init() throws {
        web = try WebClient()
    }

    @Test("no provider of figures is left out")
    func completeness() {
        // Coinbase is only asked whether it is there, Yahoo's other host for a cookie; Stooq answers CSV.
        let others: Set<ProviderName> = [.coinbase, .yahooCookie, .stooq]
        let asked = Set(AskedOverHTTP.all.map(\.provider))
        #expect(asked.union(others) == Set(ProviderName.allCases))
        #expect(AskedOverHTTP.all.count > 45)
    }

    @Test("asked at its path, by its method, each brings sound figures", arguments: AskedOverHTTP.all)
    func sound(asked: AskedOverHTTP) async throws {
        let method = asked.request.body == nil ? "GET" : "POST"
        let server = try ScriptedServer { request in
            request.path == asked.request.path && request.method == method
                ? ScriptedReply(200, asked.answer) : ScriptedReply(404, "{}")
        }
        #expect(try await asked.ask(AskedOverHTTP.client(at: server.baseURL, web)))
    }

    private static let faults: [(String, @Sendable (String) -> ScriptedReply)] = [
        ("silent", { faulty($0, .silence) }),
        ("closed without an answer", { faulty($0, .cutOff(afterBytes: 0)) }),
        ("cut off", { faulty($0, .cutOff(afterBytes: 100 + $0.utf8.count / 2)) }),
        ("garbled", { faulty($0, .garbled([0x48, 0xFF, 0x00, 0x0D, 0x0A, 0x0D, 0x0A])) }),
        ("empty", { _ in ScriptedReply(200, "") }),
        ("429", { _ in ScriptedReply(429, "slow down") }),
        ("500", { ScriptedReply(500, $0) }),
        ("half a body", { ScriptedReply(200, String($0.prefix($0.count / 2))) }),
    ]

    private static func faulty(_ answer: String, _ fault: ScriptedReply.Fault) -> ScriptedReply {
        var reply = ScriptedReply(200, answer)
        reply.fault = fault
        return reply
    }

    @Test("a fault is an error that is told, whichever endpoint it meets", arguments: AskedOverHTTP.all)
    func faults(asked: AskedOverHTTP) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (name, reply) in Self.faults {
                group.addTask {
                    let server = try ScriptedServer { _ in reply(asked.answer) }
                    await #expect(throws: MarketDataError.self, "\(name)") {
                        try await asked.ask(AskedOverHTTP.client(at: server.baseURL, web))
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}
