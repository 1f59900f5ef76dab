import Testing
import WebSocket

@Suite("RFC 7692 §7.1: permessage-deflate is negotiated")
struct DeflateParametersTests {
    private static let plain = "permessage-deflate; server_no_context_takeover; client_no_context_takeover"

    @Test(
        "each offer gets its answer",
        arguments: [
            ("§7.1 the plain offer", ["permessage-deflate"], plain),
            ("§7.1 browsers", ["permessage-deflate; client_max_window_bits"], plain),
            (
                "§7.1.1 both takeovers offered",
                ["permessage-deflate; client_no_context_takeover; server_no_context_takeover"], plain
            ),
            (
                "§7.1.2.1 server window", ["permessage-deflate; server_max_window_bits=10"],
                plain + "; server_max_window_bits=10"
            ),
            (
                "§7.1.2.1 smallest server window", ["permessage-deflate; server_max_window_bits=8"],
                plain + "; server_max_window_bits=8"
            ),
            (
                "§7.1.2.1 largest server window is repeated too",
                ["permessage-deflate; server_max_window_bits=15"],
                plain + "; server_max_window_bits=15"
            ),
            (
                "§7.1.2.2 client window with a value", ["permessage-deflate; client_max_window_bits=9"],
                plain + "; client_max_window_bits=9"
            ),
            (
                "§5.2 quoted value", ["permessage-deflate; server_max_window_bits=\"10\""],
                plain + "; server_max_window_bits=10"
            ),
            (
                "RFC 6455 §9.1 quoted value with an escape",
                ["permessage-deflate; server_max_window_bits=\"1\\0\""],
                plain + "; server_max_window_bits=10"
            ),
            (
                "§5.2 the first that is acceptable",
                [
                    "permessage-deflate; server_max_window_bits=7, "
                        + "permessage-deflate; server_max_window_bits=12"
                ],
                plain + "; server_max_window_bits=12"
            ),
            (
                "§7.1.3 the client's order counts",
                ["permessage-deflate; client_max_window_bits; server_max_window_bits=10, permessage-deflate"],
                plain + "; server_max_window_bits=10"
            ),
            (
                "§5 other extensions are passed over",
                ["x-webkit-deflate-frame, bar; baz=2, permessage-deflate"], plain
            ),
            ("RFC 6455 §9.1 several fields", ["foo; x=\"y\"", "permessage-deflate"], plain),
            (
                "whitespace and empty elements",
                [" ,\tpermessage-deflate ;\tclient_max_window_bits = 15 ,, "],
                plain + "; client_max_window_bits=15"
            ),
            ("a broken field, and a good one", ["permessage-deflate; =", "permessage-deflate"], plain),
        ])
    func accepted(name: String, offers: [String], response: String) throws {
        let agreed = try #require(DeflateParameters.negotiate(offers: offers))
        #expect(agreed.responseHeader == response)
        #expect(agreed.serverNoContextTakeover && agreed.clientNoContextTakeover)
    }

    @Test(
        "an offer that breaks a rule is declined, and the connection goes on without",
        arguments: [
            ("nothing offered", []),
            ("an empty field", [""]),
            ("another extension", ["permessage-bzip2"]),
            ("an unknown parameter", ["permessage-deflate; foo"]),
            (
                "a repeated parameter",
                ["permessage-deflate; client_max_window_bits; client_max_window_bits=10"]
            ),
            (
                "a repeated takeover",
                ["permessage-deflate; server_no_context_takeover; server_no_context_takeover"]
            ),
            ("a takeover with a value", ["permessage-deflate; server_no_context_takeover=1"]),
            ("a client takeover with a value", ["permessage-deflate; client_no_context_takeover=\"true\""]),
            ("a server window without a value", ["permessage-deflate; server_max_window_bits"]),
            ("a window of 7", ["permessage-deflate; server_max_window_bits=7"]),
            ("a window of 16", ["permessage-deflate; client_max_window_bits=16"]),
            ("a leading zero", ["permessage-deflate; server_max_window_bits=08"]),
            ("a sign", ["permessage-deflate; server_max_window_bits=+8"]),
            ("not a number", ["permessage-deflate; client_max_window_bits=ten"]),
            ("beyond every integer", ["permessage-deflate; client_max_window_bits=99999999999999999999"]),
            ("an empty value", ["permessage-deflate; client_max_window_bits="]),
            ("an empty quoted value", ["permessage-deflate; client_max_window_bits=\"\""]),
            ("an open quote", ["permessage-deflate; client_max_window_bits=\"10"]),
            ("a quote that ends in its escape", ["permessage-deflate; client_max_window_bits=\"10\\"]),
            ("a quoted value that is no token", ["permessage-deflate; client_max_window_bits=\"1 0\""]),
            ("a parameter without a name", ["permessage-deflate;"]),
            ("two names", ["permessage-deflate client_max_window_bits"]),
            ("not a token", ["permessage-deflate; ünknown"]),
        ] as [(String, [String])])
    func declined(name: String, offers: [String]) {
        #expect(DeflateParameters.negotiate(offers: offers) == nil)
    }

    @Test("the windows that were agreed are those to deflate with; unsaid, they are 15 (§7.1.2)")
    func windows() throws {
        let offer = "permessage-deflate; server_max_window_bits=9; client_max_window_bits=11"
        let agreed = try #require(DeflateParameters.negotiate(offers: [offer]))
        #expect((agreed.serverMaxWindowBits, agreed.clientMaxWindowBits) == (9, 11))
        let unsaid = try #require(DeflateParameters.negotiate(offers: ["permessage-deflate"]))
        #expect((unsaid.serverMaxWindowBits, unsaid.clientMaxWindowBits) == (15, 15))
    }

    @Test("our server's answer to our client's offer is one that our client takes")
    func bothOurs() throws {
        let agreed = try #require(DeflateParameters.negotiate(offers: [DeflateParameters.clientOffer]))
        #expect(DeflateParameters.parseResponse(agreed.responseHeader) == agreed)
    }

    @Test(
        "answers that our client takes",
        arguments: [
            ("permessage-deflate; server_no_context_takeover", 15, 15),
            (
                "permessage-deflate;server_no_context_takeover;client_max_window_bits=8",
                15, 8
            ),
            ("permessage-deflate; server_max_window_bits=\"12\"; server_no_context_takeover", 12, 15),
        ])
    func responses(field: String, serverBits: Int, clientBits: Int) throws {
        let agreed = try #require(DeflateParameters.parseResponse(field))
        #expect((agreed.serverMaxWindowBits, agreed.clientMaxWindowBits) == (serverBits, clientBits))
    }

    @Test(
        "answers that fail the connection (§5, §7.1)",
        arguments: [
            "", "permessage-deflate", "permessage-bzip2",
            "permessage-deflate; server_no_context_takeover, permessage-deflate; server_no_context_takeover",
            "permessage-deflate; server_no_context_takeover; client_max_window_bits",
            "permessage-deflate; server_no_context_takeover; server_max_window_bits=16",
            "permessage-deflate; server_no_context_takeover; foo=1",
            "permessage-deflate; server_no_context_takeover; server_no_context_takeover",
        ])
    func wrongResponses(field: String) {
        #expect(DeflateParameters.parseResponse(field) == nil)
    }
}
