import HTTP
import Testing

@Suite("Fields are found by name and by list member (RFC 9110 5)")
struct HTTPFieldsTests {
    private let fields: HTTPFields = [
        "Accept": "text/html", "Connection": "keep-alive , Upgrade", "accept": "*/*", "CONNECTION": ",x,",
    ]

    @Test("Names compare without case, order and spelling stay")
    func lookup() {
        #expect(fields["ACCEPT"] == "text/html")
        #expect(fields.values("accept") == ["text/html", "*/*"])
        #expect(fields["Accept-Language"] == nil)
        #expect(fields.values("").isEmpty)
        #expect(fields.map(\.name) == ["Accept", "Connection", "accept", "CONNECTION"])
        #expect(fields.count == 4)
    }

    @Test("A token is a whole member of any of the lists")
    func tokens() {
        #expect(fields.containsToken("upgrade", in: "connection"))
        #expect(fields.containsToken("Keep-Alive", in: "connection"))
        #expect(fields.containsToken("x", in: "connection"))
        #expect(!fields.containsToken("keep", in: "connection"))
        #expect(!fields.containsToken("", in: "connection"))
        #expect(!fields.containsToken("upgrade", in: "upgrade"))
    }

    @Test("RFC 9110 5.5: a control character in a value becomes a space, tab and what is beyond ASCII stay")
    func values() {
        var fields = HTTPFields()
        fields.append("X", "a\r\nb\0c\u{7F}d\te é")
        #expect(fields["x"] == "a  b c d\te é")
    }

    @Test("RFC 9110 5.5: bytes of a value that are not UTF-8 are replaced in its text")
    func obsText() {
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\nX: b".utf8) + [0xE9] + Array("\r\n\r\n".utf8)
        #expect(ParserTranscript.whole(bytes).requests.first?.contains("X=b\u{FFFD}]") == true)
    }
}
