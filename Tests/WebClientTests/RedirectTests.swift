import HTTP
import MarketProviders
import Testing
import WebClient

@Suite("Redirects are followed, three of them, and never with what is for another server")
struct RedirectTests {
    private let client: WebClient

    init() throws {
        client = try WebClient()
    }

    /// Redirects `/3` to `/2` to `/1` to `/0`, which answers 200.
    private static func countdown(_ request: HTTPRequest) -> ScriptedReply {
        guard let number = Int(request.path.dropFirst()), number > 0 else {
            return ScriptedReply(200, request.fields["x-key"] ?? "no key")
        }
        return ScriptedReply(302, "gone", fields: ["Location": "/\(number - 1)"])
    }

    @Test(
        "Three are followed; the fourth is the answer", arguments: [(0, 200), (1, 200), (3, 200), (4, 302)])
    func count(number: Int, status: Int) async throws {
        let server = try ScriptedServer(Self.countdown)
        let response = try await client.fetch(
            WebRequest("\(server.baseURL)/\(number)", fields: [(name: "X-Key", value: "k")]))
        #expect(response.status == status)
        #expect(String(decoding: response.body, as: UTF8.self) == (status == 200 ? "k" : "gone"))
    }

    @Test("Another server does not see the fields of the request")
    func otherServer() async throws {
        let other = try ScriptedServer(Self.countdown)
        let target = other.baseURL + "/0"
        let server = try ScriptedServer { _ in ScriptedReply(301, fields: ["Location": target]) }
        let response = try await client.fetch(
            WebRequest(server.baseURL, fields: [(name: "X-Key", value: "secret")]))
        #expect(String(decoding: response.body, as: UTF8.self) == "no key")
    }

    @Test(
        "What points to something else than HTTP is the answer",
        arguments: ["file:///etc/passwd", "ftp://127.0.0.1/a", "gopher://127.0.0.1/", ""])
    func otherProtocol(location: String) async throws {
        let server = try ScriptedServer { _ in ScriptedReply(302, "here", fields: ["Location": location]) }
        let response = try await client.fetch(WebRequest(server.baseURL))
        #expect(response.status == 302)
        #expect(String(decoding: response.body, as: UTF8.self) == "here")
    }

    @Test("A POST is not sent elsewhere, nor a request that is not to be")
    func notFollowed() async throws {
        let server = try ScriptedServer(Self.countdown)
        #expect(try await client.fetch(WebRequest(server.baseURL + "/1", body: [1])).status == 302)
        #expect(
            try await client.fetch(WebRequest(server.baseURL + "/1", followsRedirects: false)).status == 302)
    }
}
