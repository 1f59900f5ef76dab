import GatewayTesting
import HTTP
import MarketProviders
import Synchronization
import Testing
import WebClient

@Suite("Requests to other servers end in an answer or in an error that says why, whatever comes")
struct WebClientTests {
    private let client: WebClient

    init() throws {
        client = try WebClient()
    }

    /// What comes of one request to a server that answers everything alike.
    private func outcome(
        _ reply: ScriptedReply, timeLimit: Duration = .seconds(10), maxBytes: Int = 1 << 20
    ) async throws -> Result<WebResponse, WebError> {
        let server = try ScriptedServer { _ in reply }
        return await outcome(WebRequest(server.baseURL, timeLimit: timeLimit, maxBytes: maxBytes))
    }

    private func outcome(_ request: WebRequest) async -> Result<WebResponse, WebError> {
        do throws(WebError) {
            return .success(try await client.fetch(request))
        } catch {
            return .failure(error)
        }
    }

    @Test("An answer has its status, its fields by any case of their names, and its body")
    func answer() async throws {
        let fields: HTTPFields = ["ETag": "\"a\"", "X-Twice": "1", "X-Twice": "2", "X-Padded": "  b\t"]
        let response = try await outcome(ScriptedReply(404, "not here", fields: fields)).get()
        #expect(response.status == 404)
        #expect(response.body == Array("not here".utf8))
        #expect(response.field("etag") == "\"a\"")
        #expect(response.field("X-TWICE") == "1, 2")
        #expect(response.field("x-padded") == "b")
        #expect(response.field("x-none") == nil)
    }

    @Test("A request says what it is told to; with a body it is a POST")
    func request() async throws {
        let server = try ScriptedServer { request in
            ScriptedReply(
                200,
                [
                    request.method, request.target, request.fields["x-empty"] ?? "missing",
                    request.fields["x-key"] ?? "", String(decoding: request.body, as: UTF8.self),
                ].joined(separator: "|"))
        }
        let fields = [(name: "X-Empty", value: ""), (name: "X-Key", value: "k: v")]
        let get = try await client.fetch(WebRequest(server.baseURL + "/a%20b?c=d", fields: fields))
        #expect(String(decoding: get.body, as: UTF8.self) == "GET|/a%20b?c=d||k: v|")
        let body: [UInt8] = Array("{\"id\":1}".utf8)
        let post = try await client.fetch(WebRequest(server.baseURL + "/", body: body))
        #expect(String(decoding: post.body, as: UTF8.self) == "POST|/|missing||{\"id\":1}")
        let empty = try await client.fetch(WebRequest(server.baseURL + "/", body: []))
        #expect(String(decoding: empty.body, as: UTF8.self) == "POST|/|missing||")
    }

    @Test("An answer that takes its time is awaited, and the time is told")
    func delayed() async throws {
        var reply = ScriptedReply(200, "late")
        reply.delay = .milliseconds(40)
        let response = try await outcome(reply).get()
        #expect(response.elapsed >= .milliseconds(35))
    }

    /// Answers that are none; nil for any reason of libcurl's.
    private static let faults: [(String, ScriptedReply.Fault, WebError?)] = [
        ("closed without an answer", .cutOff(afterBytes: 0), nil),
        ("cut off in its body", .cutOff(afterBytes: 200), nil),
        ("not HTTP", .garbled(Array("SSH-2.0-OpenSSH_9.2\r\n".utf8)), .unreachable("the answer is not HTTP")),
        ("a negative length", .garbled(Array("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nab".utf8)), nil),
        (
            "a chunk that is no number",
            .garbled(Array("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n".utf8)), nil
        ),
        (
            "gzip that is none",
            .garbled(
                Array("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nabcd".utf8)), nil
        ),
    ]

    @Test("A fault of the server is an error", arguments: faults)
    func fault(name: String, fault: ScriptedReply.Fault, error: WebError?) async throws {
        let text = String(repeating: "x", count: 1000)
        let reply = ScriptedReply(
            HTTPResponse(status: 200, body: Array(text.utf8)), fault: fault)
        let outcome = try await outcome(reply)
        guard case .failure(let failure) = outcome else {
            Issue.record("\(name): \(outcome)")
            return
        }
        if let error { #expect(failure == error) }
        guard case .unreachable(let reason) = failure else {
            Issue.record("\(name): \(failure)")
            return
        }
        #expect(!reason.isEmpty)
    }

    @Test("A server that never answers is left after the time limit")
    func timeLimit() async throws {
        let silence = ScriptedReply(HTTPResponse(status: 200), fault: .silence)
        #expect(try await failure(silence, timeLimit: .milliseconds(100)) == .timedOut)
    }

    @Test("Nobody listens: that is told")
    func unreachable() async throws {
        // Not a port that was free a moment ago: another test's server may have it by now.
        let nobody = WebRequest("http://127.0.0.1:1/")
        guard case .failure(.unreachable(let reason)) = await outcome(nobody) else {
            Issue.record("somebody answered")
            return
        }
        #expect(reason.lowercased().contains("connect"))
    }

    @Test("HTTPS is not spoken with a server that has no certificate")
    func noTLS() async throws {
        let server = try ScriptedServer { _ in ScriptedReply(200) }
        let outcome = await outcome(WebRequest("https://127.0.0.1:\(server.port)/", timeLimit: .seconds(2)))
        guard case .failure(.unreachable) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    // MARK: - Bounds

    @Test("Many requests at once share a few connections, and each has its own answer")
    func many() async throws {
        let server = try ScriptedServer { request in ScriptedReply(200, request.path) }
        let (client, url) = (client, server.baseURL)
        let wrong = await withTaskGroup(of: Bool.self) { group in
            for number in 0..<300 {
                group.addTask {
                    let response = try? await client.fetch(WebRequest("\(url)/\(number)"))
                    return response?.body != Array("/\(number)".utf8)
                }
            }
            return await group.reduce(0) { $1 ? $0 + 1 : $0 }
        }
        #expect(wrong == 0)
    }

    /// 1,000 times "a", by gzip(1).
    private static let gzippedThousand: [UInt8] = [
        0x1F, 0x8B, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4B, 0x4C, 0x1C, 0x05, 0xA3, 0x60, 0x14,
        0x0C, 0x77, 0x00, 0x00, 0x03, 0xDA, 0x38, 0x9A, 0xE8, 0x03, 0x00, 0x00,
    ]

    @Test("An answer may be as large as was said and not one byte larger, also when it is compressed")
    func bodyLimit() async throws {
        let plain = ScriptedReply(200, String(repeating: "a", count: 1000))
        #expect(try await outcome(plain, maxBytes: 1000).get().body.count == 1000)
        #expect(try await failure(plain, maxBytes: 999) == .tooLarge)
        let compressed = ScriptedReply(
            HTTPResponse(
                status: 200, fields: ["Content-Encoding": "gzip"], body: Self.gzippedThousand))
        let response = try await outcome(compressed, maxBytes: 1000).get()
        #expect(response.body == Array(repeating: UInt8(ascii: "a"), count: 1000))
        #expect(try await failure(compressed, maxBytes: 999) == .tooLarge)
    }

    @Test("Fields of more than 64 KiB are refused")
    func fieldLimit() async throws {
        func reply(_ count: Int) -> ScriptedReply {
            ScriptedReply(200, fields: ["X-Long": String(repeating: "a", count: count)])
        }
        #expect(try await outcome(reply(60_000)).get().field("x-long")?.utf8.count == 60_000)
        #expect(try await failure(reply(66_000)) == .tooLarge)
    }

    @Test("Whatever bytes a server sends, the request ends", arguments: 0..<40)
    func anyBytes(seed: UInt64) async throws {
        var generator = SeededGenerator(seed: seed)
        let head = Array("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nETag: a\r\n\r\nabc".utf8)
        // A good answer of which some bytes are other ones.
        var bytes = head
        for _ in 0..<Int.random(in: 1...6, using: &generator) {
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                in: 0...255, using: &generator)
        }
        let outcome = try await outcome(
            ScriptedReply(HTTPResponse(status: 200), fault: .garbled(bytes)), timeLimit: .seconds(2))
        switch outcome {
        case .success(let response): #expect(response.body.count <= bytes.count)
        case .failure(let error): #expect(!error.description.isEmpty)
        }
    }

    @Test("More requests than may wait are refused, and there is room again when they are over")
    func busy() async throws {
        let small = try WebClient(maxOpen: 1)
        let arrived = AsyncStream.makeStream(of: Void.self)
        let server = try ScriptedServer { request in
            guard request.path == "/hang" else { return ScriptedReply(200) }
            arrived.continuation.yield()
            return ScriptedReply(HTTPResponse(status: 200), fault: .silence)
        }
        let hanging = Task { try await small.fetch(WebRequest(server.baseURL + "/hang")) }
        for await _ in arrived.stream { break }
        await #expect(throws: WebError.busy) { try await small.fetch(WebRequest(server.baseURL)) }
        hanging.cancel()
        await #expect(throws: WebError.cancelled) { try await hanging.value }
        #expect(try await small.fetch(WebRequest(server.baseURL)).status == 200)
    }

    @Test("A task that is cancelled has its request ended, also when it was cancelled before")
    func cancelled() async throws {
        let server = try ScriptedServer { _ in
            ScriptedReply(HTTPResponse(status: 200), fault: .silence)
        }
        let (client, url) = (client, server.baseURL)
        let task = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            return try await client.fetch(WebRequest(url))
        }
        await #expect(throws: WebError.cancelled) { try await task.value }
    }

    @Test(
        "What is no URL of HTTP is refused",
        arguments: [
            "", "/a", "ftp://a/b", "file:///etc/passwd", "http://", "http:///a", "https://a b",
            "http://a/\r\nX: y",
            "http://ä/", "//a", "http:/a", "http://a:99999999/",
        ])
    func badURL(url: String) async {
        #expect(await outcome(WebRequest(url)).failure == .badURL)
    }

    @Test("A field that would be several lines is refused", arguments: ["a\r\nb: c", "a\nb", "a\0"])
    func badField(text: String) async throws {
        let server = try ScriptedServer { _ in ScriptedReply(200) }
        let value = WebRequest(server.baseURL, fields: [(name: "X", value: text)])
        #expect(await outcome(value).failure == .badField)
        let name = WebRequest(server.baseURL, fields: [(name: text, value: "x")])
        #expect(await outcome(name).failure == .badField)
    }

    private func failure(
        _ reply: ScriptedReply, timeLimit: Duration = .seconds(10), maxBytes: Int = 1 << 20
    ) async throws -> WebError? {
        try await outcome(reply, timeLimit: timeLimit, maxBytes: maxBytes).failure
    }
}

extension Result {
    /// Why there is no success.
    var failure: Failure? {
        if case .failure(let failure) = self { failure } else { nil }
    }
}
