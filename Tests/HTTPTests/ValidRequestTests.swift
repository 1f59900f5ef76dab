import GatewayTesting
import HTTP
import Testing

/// A request that must be understood, and how.
struct ValidVector: Sendable, CustomTestStringConvertible {
    let name: String
    let text: String
    let expected: [String]

    init(_ name: String, _ text: String, _ expected: String...) {
        self.name = name
        self.text = text
        self.expected = expected
    }

    var testDescription: String { name }
}

@Suite("Valid requests are understood the same however they are cut")
struct ValidRequestTests {
    static let vectors: [ValidVector] = [
        ValidVector(
            "RFC 9112 2.1: the example of the introduction",
            "GET /hello.txt HTTP/1.1\r\nUser-Agent: curl/7.64.1\r\nHost: www.example.com\r\n"
                + "Accept-Language: en, mi\r\n\r\n",
            "GET /hello.txt 1.1 path=/hello.txt query=[] authority=www.example.com keep-alive "
                + "fields=[User-Agent=curl/7.64.1|Host=www.example.com|Accept-Language=en, mi] body="),
        ValidVector(
            "RFC 9112 2.2: empty lines before a request line are ignored, also between requests",
            "\r\n\r\n\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n\r\nGET /b HTTP/1.1\r\nHost: a\r\n\r\n\r\n",
            "GET / 1.1 path=/ query=[] authority=a keep-alive fields=[Host=a] body=",
            "GET /b 1.1 path=/b query=[] authority=a keep-alive fields=[Host=a] body="),
        ValidVector(
            "RFC 9112 3.2.1: origin-form with a query",
            "GET /where?q=now&from=a%20b+c&q=&flag&=x&&%zz=%4 HTTP/1.1\r\nHost: www.example.org\r\n\r\n",
            "GET /where?q=now&from=a%20b+c&q=&flag&=x&&%zz=%4 1.1 path=/where "
                + "query=[q=now,from=a b c,q=,flag=,=x,%zz=%4] authority=www.example.org keep-alive "
                + "fields=[Host=www.example.org] body="),
        ValidVector(
            "RFC 9112 3.2.2: absolute-form, whose host counts more than Host",
            "GET HTTP://www.example.org:80/pub/WWW/TheProject.html?a=1 HTTP/1.1\r\nHost: other\r\n\r\n",
            "GET HTTP://www.example.org:80/pub/WWW/TheProject.html?a=1 1.1 path=/pub/WWW/TheProject.html "
                + "query=[a=1] authority=www.example.org:80 keep-alive fields=[Host=other] body="),
        ValidVector(
            "RFC 9110 4.2.3: an absolute-form without a path means the root",
            "GET https://[2001:db8::1]?a HTTP/1.0\r\n\r\n",
            "GET https://[2001:db8::1]?a 1.0 path=/ query=[a=] authority=[2001:db8::1] close "
                + "fields=[] body="),
        ValidVector(
            "RFC 9112 3.2.4: asterisk-form",
            "OPTIONS * HTTP/1.1\r\nHost: www.example.org:8001\r\n\r\n",
            "OPTIONS * 1.1 path=* query=[] authority=www.example.org:8001 keep-alive "
                + "fields=[Host=www.example.org:8001] body="),
        ValidVector(
            "RFC 3986 2.1: escapes of the path are decoded",
            "GET /a%2Fb%c3%A9%25/x HTTP/1.1\r\nHost: a\r\n\r\n",
            "GET /a%2Fb%c3%A9%25/x 1.1 path=/a/bé%/x query=[] authority=a keep-alive fields=[Host=a] body="),
        ValidVector(
            "RFC 9110 5.5: blanks around a value do not belong to it, tabs and obs-text within do",
            "GET / HTTP/1.1\r\nhOsT:a\r\nX: \t a\tb  c\u{e9} \t\r\nEmpty:\r\nBlank: \t\r\n\r\n",
            "GET / 1.1 path=/ query=[] authority=a keep-alive "
                + "fields=[hOsT=a|X=a\tb  c\u{e9}|Empty=|Blank=] body="
        ),
        ValidVector(
            "RFC 9112 6.2: a body by Content-Length, the next request right behind it",
            "POST /e HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nGET /"
                + "PUT / HTTP/1.1\r\nHost: a\r\ncontent-length: 00\r\n\r\n",
            "POST /e 1.1 path=/e query=[] authority=a keep-alive fields=[Host=a|Content-Length=5] body=GET /",
            "PUT / 1.1 path=/ query=[] authority=a keep-alive fields=[Host=a|content-length=00] body="),
        ValidVector(
            "RFC 9112 7.1: a chunked body with extensions and trailers, the next request right behind it",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: , Chunked ,\r\n\r\n"
                + "4\r\nWiki\r\n000C;a=\"b;c\";d\r\npedia in\r\n\r\n\r\n"
                + "0;last\r\nExpires: never\r\nX:\r\n\r\n"
                + "GET /next HTTP/1.1\r\nHost: a\r\n\r\n",
            "POST / 1.1 path=/ query=[] authority=a keep-alive "
                + "fields=[Host=a|Transfer-Encoding=, Chunked ,] body=Wikipedia in\r\n\r\n",
            "GET /next 1.1 path=/next query=[] authority=a keep-alive fields=[Host=a] body="),
        ValidVector(
            "RFC 9112 7.1: an empty chunked body",
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n00\r\n\r\n",
            "POST / 1.1 path=/ query=[] authority=a keep-alive "
                + "fields=[Host=a|Transfer-Encoding=chunked] body="
        ),
        ValidVector(
            "RFC 9112 9.3: close among other connection options",
            "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, CLOSE\r\n\r\n",
            "GET / 1.1 path=/ query=[] authority=a close fields=[Host=a|Connection=Upgrade, CLOSE] body="),
        ValidVector(
            "RFC 9112 9.3: HTTP/1.0 stays open only if asked to",
            "GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\nGET / HTTP/1.0\r\n\r\n",
            "GET / 1.0 path=/ query=[] authority= keep-alive fields=[Connection=Keep-Alive] body=",
            "GET / 1.0 path=/ query=[] authority= close fields=[] body="),
        ValidVector(
            "RFC 9110 9.1: any token is a method",
            "M-SEARCH!#$%&'*+.^_`|~0 / HTTP/1.1\r\nHost: a\r\n\r\n",
            "M-SEARCH!#$%&'*+.^_`|~0 / 1.1 path=/ query=[] authority=a keep-alive fields=[Host=a] body="),
        ValidVector(
            "RFC 9110 10.1.1: the expectation of HTTP/1.0 is ignored, whatever it is",
            "POST / HTTP/1.0\r\nExpect: magic\r\nContent-Length: 1\r\n\r\nx",
            "POST / 1.0 path=/ query=[] authority= close fields=[Expect=magic|Content-Length=1] body=x"),
    ]

    @Test("is understood whole, and at every split point", arguments: vectors)
    func vector(_ vector: ValidVector) {
        let bytes = Array(vector.text.utf8)
        let whole = ParserTranscript.whole(bytes)
        #expect(whole.requests == vector.expected)
        #expect(whole.violation == nil)
        let differing = ParserTranscript.everySplit(bytes).first { $0 != whole }
        #expect(differing == nil)
    }

    @Test("All vectors on one connection give all requests in order")
    func pipelining() {
        let bytes = ValidRequestTests.vectors.flatMap { Array($0.text.utf8) }
        let transcript = ParserTranscript.whole(bytes)
        #expect(transcript.requests == ValidRequestTests.vectors.flatMap(\.expected))
        #expect(transcript.violation == nil)
        let singleBytes = ParserTranscript(bytes.indices.map { bytes[$0...$0] })
        #expect(singleBytes.requests == transcript.requests)
    }

    @Test("A chunked body is what was put into chunks, for any chunk sizes")
    func chunkedRoundTrip() {
        var random = SeededGenerator(seed: 9112)
        for _ in 0..<100 {
            let body = (0..<Int.random(in: 0...2000, using: &random)).map { _ in
                UInt8.random(in: 0x20...0x7E, using: &random)
            }
            var wire = Array("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".utf8)
            var rest = body[...]
            while !rest.isEmpty {
                let chunk = rest.prefix(Int.random(in: 1...300, using: &random))
                rest = rest.dropFirst(chunk.count)
                wire += Array(String(chunk.count, radix: 16, uppercase: Bool.random(using: &random)).utf8)
                wire += Array("\r\n".utf8) + chunk + Array("\r\n".utf8)
            }
            wire += Array("0\r\n\r\n".utf8)
            let cut = Int.random(in: 0...wire.count, using: &random)
            let transcript = ParserTranscript([wire[..<cut], wire[cut...]])
            #expect(transcript.violation == nil)
            #expect(transcript.requests.count == 1)
            let text = "body=" + String(decoding: body, as: UTF8.self)
            #expect(transcript.requests.first?.hasSuffix(text) == true)
        }
    }
}
