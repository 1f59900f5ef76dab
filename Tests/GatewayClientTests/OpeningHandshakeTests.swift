import Testing
import WebSocket

@testable import GatewayClient

@Suite("The opening handshake is checked as RFC 6455 §4.1 demands of a client")
struct OpeningHandshakeTests {
    /// Key and answer of RFC 6455 §1.3.
    private static let handshake = OpeningHandshake(key: "dGhlIHNhbXBsZSBub25jZQ==")

    private static let rightHead = """
        HTTP/1.1 101 Switching Protocols\r
        Upgrade: websocket\r
        Connection: Upgrade\r
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r
        Sec-WebSocket-Protocol: fiml.v1.json\r
        \r

        """

    private static func check(_ head: String, _ content: String = "") throws(ConnectionEnd)
        -> DeflateParameters?
    {
        try handshake.check(head: Array(head.utf8)[...], content: Array(content.utf8)[...])
    }

    private static func changed(_ old: String, _ new: String) -> String {
        let start = rightHead.utf8.indices.first { rightHead[$0...].hasPrefix(old) }
        guard let start else { return "" }
        return rightHead[..<start] + new + rightHead[start...].dropFirst(old.count)
    }

    @Test("The request asks for the subprotocol, and offers compression")
    func request() throws {
        let url = try #require(GatewayURL("ws://127.0.0.1:8000/ws/events?a=b"))
        let lines = String(decoding: Self.handshake.request(url), as: UTF8.self).split(separator: "\r\n")
        #expect(lines[0] == "GET /ws/events?a=b HTTP/1.1")
        #expect(lines.contains("Host: 127.0.0.1:8000"))
        #expect(lines.contains("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
        #expect(lines.contains("Sec-WebSocket-Protocol: fiml.v1.json"))
        #expect(lines.contains { $0.hasPrefix("Sec-WebSocket-Extensions: permessage-deflate;") })
        #expect(Self.handshake.request(url).suffix(4) == [13, 10, 13, 10])
    }

    @Test("A head is complete with its empty line, wherever it is cut")
    func headLength() {
        let bytes = Array((Self.rightHead + "rest").utf8)
        let length = Self.rightHead.utf8.count
        for cut in 0...bytes.count {
            #expect(OpeningHandshake.headLength(Array(bytes[..<cut])) == (cut < length ? nil : length))
        }
    }

    @Test("A right answer is accepted, names of fields and words in any case")
    func accepted() throws {
        #expect(try Self.check(Self.rightHead) == nil)
        #expect(try Self.check(Self.changed("Upgrade: websocket", "UPGRADE:WebSocket ")) == nil)
        #expect(try Self.check(Self.changed("Connection: Upgrade", "connection: keep-alive, upgrade")) == nil)
        let extensions =
            "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r\nUpgrade:"
        #expect(try Self.check(Self.changed("Upgrade:", extensions))?.serverNoContextTakeover == true)
    }

    private static let wrongCases: [(String, String, String)] = [
        ("no upgrade", "Upgrade: websocket", "X: y"),
        ("another upgrade", "websocket", "h2c"),
        ("no Upgrade in Connection", "Connection: Upgrade", "Connection: close"),
        ("the accept of another key", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "S3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
        ("no accept", "Sec-WebSocket-Accept", "X"),
        (
            "an extension that was not offered", "Upgrade:",
            "Sec-WebSocket-Extensions: x-webkit-deflate-frame\r\nUpgrade:"
        ),
        (
            "compression with context, which was not offered", "Upgrade:",
            "Sec-WebSocket-Extensions: permessage-deflate\r\nUpgrade:"
        ),
        ("no HTTP", "HTTP/1.1", "SIP/2.0"),
        ("no status", "101", "1O1"),
        ("a field without a colon", "Upgrade:", "Upgrade"),
    ]

    @Test("A wrong answer loses the connection", arguments: wrongCases)
    func wrong(name: String, old: String, new: String) {
        let error = #expect(throws: ConnectionEnd.self) { try Self.check(Self.changed(old, new)) }
        guard case .lost = error else {
            Issue.record("\(name): \(String(describing: error))")
            return
        }
    }

    @Test("A server without our subprotocol is not asked again")
    func subprotocol() {
        #expect(throws: ConnectionEnd.hopeless("the server does not speak fiml.v1.json: is this a gateway?"))
        {
            try Self.check(Self.changed("fiml.v1.json", "mqtt"))
        }
    }

    @Test("A refusal carries status, detail and Retry-After")
    func refused() {
        #expect(
            throws: ConnectionEnd.refused(
                status: 503, reason: "503 Service Unavailable: draining", retryAfterSeconds: 7)
        ) {
            try Self.check(
                "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 7\r\n\r\n", #"{"detail":"draining"}"#)
        }
        #expect(throws: ConnectionEnd.refused(status: 404, reason: "404 Not Found", retryAfterSeconds: nil)) {
            try Self.check("HTTP/1.0 404 Not Found\r\n\r\n", "<html>")
        }
    }
}
