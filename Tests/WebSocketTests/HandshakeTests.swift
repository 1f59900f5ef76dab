import Testing
import WebSocket

@Suite("RFC 6455 §4: the opening handshake")
struct HandshakeTests {
    @Test(
        "the key is answered",
        arguments: [
            ("§1.3", "dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
            (
                "hybi-17 example in many servers' documentation", "x3JJHMbDL1EzLkh9GBhXDw==",
                "HSmrc0sMlYUkAGmm5OPpG2HaGWk="
            ),
        ])
    func accept(source: String, key: String, accept: String) {
        #expect(Handshake.acceptKey(for: key) == accept)
    }

    @Test(
        "a key is the base64 form of 16 bytes (§4.2.1, item 5)",
        arguments: [
            ("dGhlIHNhbXBsZSBub25jZQ==", true),
            ("AAAAAAAAAAAAAAAAAAAAAA==", true),
            ("+/+/+/+/+/+/+/+/+/+/+w==", true),
            ("", false),
            ("dGhlIHNhbXBsZSBub25jZQ=", false),
            ("dGhlIHNhbXBsZSBub25jZQ", false),
            ("dGhlIHNhbXBsZSBub25jZ===", false),
            ("dGhlIHNhbXBsZSBub25jZQA=", false),
            ("dGhlIHNhbXBsZSBub25jZQAAAA==", false),
            ("dGhlIHNhbXBsZSBub25j-_==", false),
            ("dGhlIHNhbXBs ZSBub25jZ==", false),
            ("dGhlIHNhbXBsZSBub25jé==", false),
        ])
    func keys(key: String, isValid: Bool) {
        #expect(Handshake.isValidKey(key) == isValid)
    }

    @Test(
        "the first offered subprotocol that is supported is chosen (§4.2.2, item 5)",
        arguments: [
            ([], nil),
            (["fiml.v1.json"], "fiml.v1.json"),
            (["chat, fiml.v1.json"], "fiml.v1.json"),
            (["fiml.v0.json,fiml.v1.json"], "fiml.v0.json"),
            (["chat", "\tfiml.v1.json , fiml.v0.json"], "fiml.v1.json"),
            (["bearer.eyJhbGciOi.x-y_z, fiml.v1.json"], "fiml.v1.json"),
            (["FIML.V1.JSON"], nil),
            ([" , ,"], nil),
        ] as [([String], String?)])
    func subprotocols(offers: [String], chosen: String?) {
        #expect(
            Handshake.selectSubprotocol(offers: offers, supported: ["fiml.v1.json", "fiml.v0.json"]) == chosen
        )
    }

    @Test("all offers can be listed, for a token among them")
    func list() {
        #expect(Handshake.subprotocols(in: ["a,b ,", "", " bearer.t"]) == ["a", "b", "bearer.t"])
    }
}
