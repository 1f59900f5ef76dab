import Testing

@testable import GatewayClient

@Suite("The URL of a gateway is read strictly")
struct GatewayURLTests {
    private static let rightCases: [(String, String, String)] = [
        ("ws://127.0.0.1:8000/ws/events", "ws://127.0.0.1:8000/ws/events", "127.0.0.1:8000"),
        ("ws://127.0.0.1:8000", "ws://127.0.0.1:8000/ws/events", "127.0.0.1:8000"),
        ("http://127.0.0.1:8000/", "ws://127.0.0.1:8000/ws/events", "127.0.0.1:8000"),
        ("https://gw.example", "wss://gw.example/ws/events", "gw.example"),
        ("WSS://gw.example:8443/a?b=c", "wss://gw.example:8443/a?b=c", "gw.example:8443"),
        ("ws://gw.example?x=1", "ws://gw.example/ws/events?x=1", "gw.example"),
        ("ws://gw.example:443", "ws://gw.example:443/ws/events", "gw.example:443"),
        ("ws://[::1]:80/x", "ws://[::1]/x", "[::1]"),
        ("wss://[fe80::1]", "wss://[fe80::1]/ws/events", "[fe80::1]"),
    ]

    @Test("Scheme, host, port and path are taken as RFC 6455 §3 has them", arguments: rightCases)
    func right(text: String, printed: String, hostField: String) throws {
        let url = try #require(GatewayURL(text))
        #expect(url.description == printed)
        #expect(url.hostField == hostField)
        #expect(GatewayURL(printed) == url)
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "ws://", "127.0.0.1:8000", "tcp://x", "ws://:80", "ws://x:", "ws://x:0", "ws://x:65536",
            "ws://x:+80", "ws://x:8 0", "ws://u:p@x", "ws://x/#f", "ws://x/\r\nEvil: 1", "ws://[::1",
            "ws://[]",
            "ws://[::1]x", "ws://é",
        ])
    func wrong(text: String) {
        #expect(GatewayURL(text) == nil)
    }
}
