import HTTP
import Testing

@Suite("A request made in code is checked like one from the wire")
struct HTTPRequestTests {
    @Test(
        "RFC 9110 7.2, RFC 3986 3.2.2: hosts that are valid",
        arguments: [
            "a", "A-b.example.", "127.0.0.1", "a:", "a:65535", "[::1]", "[::ffff:127.0.0.1]:80",
            "_x~!$&'()*+,;=",
        ])
    func validHosts(host: String) throws {
        let request = try HTTPRequest(method: "GET", target: "/", fields: ["Host": host])
        #expect(request.authority == host)
    }

    @Test("The target is taken apart and refused as on the wire")
    func target() throws {
        let request = try HTTPRequest(
            method: "POST", target: "/a%20b?x=1?", fields: ["Host": "a"], body: Array("hi".utf8))
        #expect(request.path == "/a b")
        #expect(request.queryText == "x=1?")
        #expect(request.body == Array("hi".utf8))
        #expect(throws: HTTPViolation.invalidTarget) {
            try HTTPRequest(method: "GET", target: "", fields: ["Host": "a"])
        }
        #expect(throws: HTTPViolation.missingHost) { try HTTPRequest(method: "GET", target: "/") }
    }

    @Test(
        "WHATWG URL 5.1: queries are decoded as forms, and none is refused",
        arguments: [
            ("", []), ("a", ["a="]), ("a=1&b=2", ["a=1", "b=2"]), ("a=b=c", ["a=b=c"]), ("&&a=&", ["a="]),
            ("=1", ["=1"]), ("a+b=c+d", ["a b=c d"]), ("a%2Bb=%26%3d", ["a+b=&="]),
            ("%C3%A9=%f0%9f%9a%80", ["é=🚀"]),
            ("a=%", ["a=%"]), ("a=%4", ["a=%4"]), ("a=%zz%41", ["a=%zzA"]), ("a=%FF", ["a=\u{FFFD}"]),
            ("a=b?c/d", ["a=b?c/d"]), ("a=1&a=2", ["a=1", "a=2"]),
        ] as [(String, [String])])
    func query(text: String, expected: [String]) throws {
        let request = try HTTPRequest(method: "GET", target: "/?" + text, fields: ["Host": "a"])
        #expect(request.query.map { "\($0.name)=\($0.value)" } == expected)
    }
}
