import HTTP
import Testing

/// A request that must be refused, and why. Small limits keep the vectors short.
struct ViolationVector: Sendable, CustomTestStringConvertible {
    static let limits = HTTPLimits(requestLineBytes: 64, fieldSectionBytes: 128, fieldCount: 6, bodyBytes: 32)

    let name: String
    let bytes: [UInt8]
    let violation: HTTPViolation
    let status: Int

    init(_ name: String, _ text: String, _ violation: HTTPViolation, _ status: Int) {
        self.init(name, Array(text.utf8), violation, status)
    }

    init(_ name: String, _ bytes: [UInt8], _ violation: HTTPViolation, _ status: Int) {
        self.name = name
        self.bytes = bytes
        self.violation = violation
        self.status = status
    }

    /// A good request line and Host, then `fields`.
    static func fields(
        _ name: String, _ fields: String, _ violation: HTTPViolation, _ status: Int
    ) -> ViolationVector {
        ViolationVector(name, "POST / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n\r\n", violation, status)
    }

    /// A request line between a good method and field section.
    static func line(
        _ name: String, _ line: String, _ violation: HTTPViolation, _ status: Int
    ) -> ViolationVector {
        ViolationVector(name, "\(line)\r\nHost: a\r\n\r\n", violation, status)
    }

    /// A good head of a chunked request, then `body`.
    static func chunked(
        _ name: String, _ body: String, _ violation: HTTPViolation, _ status: Int
    ) -> ViolationVector {
        ViolationVector(
            name, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(body)", violation, status
        )
    }

    var testDescription: String { name }
}

@Suite("Every wrong request is refused the same however it is cut")
struct HTTPViolationTests {
    static let requestLines: [ViolationVector] = [
        ViolationVector(
            "RFC 9112 2.2: five empty lines", "\r\n\r\n\r\n\r\n\r\nGET", .tooManyEmptyLines(limit: 4), 400),
        .line("RFC 9112 3: two spaces after the method", "GET  / HTTP/1.1", .malformedRequestLine, 400),
        .line("RFC 9112 3: two spaces after the target", "GET /  HTTP/1.1", .malformedRequestLine, 400),
        .line("RFC 9112 3: a space at the end", "GET / HTTP/1.1 ", .malformedRequestLine, 400),
        .line("RFC 9112 3: a space in the target", "GET /a b HTTP/1.1", .malformedRequestLine, 400),
        .line("RFC 9112 3: no version (HTTP/0.9)", "GET /", .malformedRequestLine, 400),
        .line("RFC 9112 3: no target", "GET HTTP/1.1", .malformedRequestLine, 400),
        .line("RFC 9112 3: a method alone", "GET", .malformedRequestLine, 400),
        .line("RFC 9112 3: tabs for spaces", "GET\t/\tHTTP/1.1", .malformedRequestLine, 400),
        .line("RFC 9112 2.3: the version in lower case", "GET / http/1.1", .malformedRequestLine, 400),
        .line("RFC 9112 2.3: a version of two digits", "GET / HTTP/1.10", .malformedRequestLine, 400),
        .line("RFC 9112 2.3: a version without dot", "GET / HTTP/101", .malformedRequestLine, 400),
        .line("RFC 9110 9.1: a method that is no token", "GE(T / HTTP/1.1", .invalidMethod, 400),
        ViolationVector("RFC 9112 3: a leading space", " GET", .invalidMethod, 400),
        ViolationVector("RFC 8446: a TLS hello", [0x16, 0x03, 0x01, 0x02], .invalidMethod, 400),
        .line("RFC 9112 3.2: a target without slash", "GET index HTTP/1.1", .invalidTarget, 400),
        .line("RFC 9112 3.2: an unknown scheme", "GET ftp://a/ HTTP/1.1", .invalidTarget, 400),
        .line("RFC 9110 7.1: a fragment", "GET /a#b HTTP/1.1", .invalidTarget, 400),
        .line("RFC 9112 3.2.4: asterisk without OPTIONS", "GET * HTTP/1.1", .invalidTarget, 400),
        .line("RFC 9112 3.2: a control character", "GET /\u{1} HTTP/1.1", .invalidTarget, 400),
        .line("RFC 9112 3.2: DEL", "GET /\u{7F} HTTP/1.1", .invalidTarget, 400),
        .line("RFC 9112 3.2: beyond ASCII", "GET /é HTTP/1.1", .invalidTarget, 400),
        .line("RFC 3986 2.1: an escape cut short", "GET /%4 HTTP/1.1", .invalidPercentEncoding, 400),
        .line("RFC 3986 2.1: no hexadecimal digits", "GET /%4x HTTP/1.1", .invalidPercentEncoding, 400),
        .line("RFC 3986 2.1: a sign is no digit", "GET /%+1 HTTP/1.1", .invalidPercentEncoding, 400),
        .line("RFC 3629 3: an overlong form", "GET /%C0%AF HTTP/1.1", .invalidPercentEncoding, 400),
        .line("RFC 3986 7.3: NUL", "GET /%00 HTTP/1.1", .invalidPercentEncoding, 400),
        .line("RFC 9110 9.3.6: CONNECT", "CONNECT a:443 HTTP/1.1", .connectNotSupported, 501),
        .line("RFC 9110 15.6.6: the preface of HTTP/2", "PRI * HTTP/2.0", .unsupportedVersion, 505),
        .line("RFC 9110 15.6.6: HTTP/1.2", "GET / HTTP/1.2", .unsupportedVersion, 505),
        .line("RFC 9110 15.6.6: HTTP/0.9", "GET / HTTP/0.9", .unsupportedVersion, 505),
        .line(
            "RFC 9112 3: one byte too long", "GET /\(String(repeating: "a", count: 49)) HTTP/1.1",
            .requestLineTooLong(limit: 64), 414),
        ViolationVector(
            "RFC 9112 3: no line end in sight", String(repeating: "a", count: 64),
            .requestLineTooLong(limit: 64), 414),
    ]

    static let fieldLines: [ViolationVector] = [
        ViolationVector(
            "RFC 9112 2.2: LF ends the request line", "GET / HTTP/1.1\nHost: a\r\n\r\n", .bareLineFeed, 400),
        ViolationVector(
            "RFC 9112 2.2: LF ends a field line", "GET / HTTP/1.1\r\nHost: a\n\r\n", .bareLineFeed, 400),
        ViolationVector(
            "RFC 9112 2.2: LF ends the head", "GET / HTTP/1.1\r\nHost: a\r\n\n", .bareLineFeed, 400),
        ViolationVector("RFC 9112 2.2: LF first of all", "\nGET / HTTP/1.1\r\n", .bareLineFeed, 400),
        ViolationVector("RFC 9112 2.2: CR first of all", "\rGET / HTTP/1.1\r\n", .bareCarriageReturn, 400),
        .line("RFC 9112 2.2: CR in the request line", "GET /\r HTTP/1.1", .bareCarriageReturn, 400),
        .fields("RFC 9112 2.2: CR in a value", "A: b\rc", .bareCarriageReturn, 400),
        .fields("RFC 9112 2.2: CR twice at the end", "A: b\r", .bareCarriageReturn, 400),
        .fields("RFC 9112 2.2: CR in a name", "A\rb: c", .bareCarriageReturn, 400),
        .fields("RFC 9112 5.2: a folded value", "A: b\r\n c: d", .foldedField, 400),
        .fields("RFC 9112 5.2: a fold of a tab alone", "A: b\r\n\t", .foldedField, 400),
        ViolationVector(
            "RFC 9112 2.2: whitespace before the first field", "GET / HTTP/1.1\r\n Host: a\r\n\r\n",
            .foldedField, 400),
        .fields("RFC 9112 5: no colon", "abc", .missingColon, 400),
        .fields("RFC 9112 5: no colon but a blank", "abc ", .missingColon, 400),
        .fields("RFC 9112 5: an empty name", ": b", .emptyFieldName, 400),
        .fields("RFC 9112 5.1: a space before the colon", "Content-Length : 5", .whitespaceBeforeColon, 400),
        .fields("RFC 9112 5.1: a tab before the colon", "A\t: 5", .whitespaceBeforeColon, 400),
        .fields("RFC 9110 5.1: a space in a name", "A b: c", .invalidFieldName, 400),
        .fields("RFC 9110 5.1: a delimiter in a name", "A(b): c", .invalidFieldName, 400),
        .fields("RFC 9110 5.1: beyond ASCII in a name", "Aé: c", .invalidFieldName, 400),
        .fields("RFC 9110 5.1: NUL in a name", "A\0: c", .invalidFieldName, 400),
        .fields("RFC 9110 5.5: NUL in a value", "A: b\0c", .invalidFieldValue, 400),
        .fields("RFC 9110 5.5: DEL in a value", "A: b\u{7F}", .invalidFieldValue, 400),
        .fields("RFC 9110 5.5: ESC in a value", "A: \u{1B}[0m", .invalidFieldValue, 400),
        ViolationVector("RFC 9112 3.2: no Host", "GET / HTTP/1.1\r\nA: b\r\n\r\n", .missingHost, 400),
        ViolationVector("RFC 9112 3.2: no field at all", "GET / HTTP/1.1\r\n\r\n", .missingHost, 400),
        .fields("RFC 9112 3.2: Host twice", "host: a", .repeatedHost, 400),
        ViolationVector(
            "RFC 9112 3.2: Host twice in HTTP/1.0", "GET / HTTP/1.0\r\nHost: a\r\nHost: a\r\n\r\n",
            .repeatedHost, 400),
        .fields(
            "RFC 6585 5: one field too many",
            "B:\r\nC:\r\nD:\r\nE:\r\nF:\r\nG:", .tooManyFields(limit: 6), 431),
        // "Host: a" and the empty line take 11 of 128 bytes, "A: " and CRLF 5.
        .fields(
            "RFC 6585 5: one byte too many", "A: \(String(repeating: "b", count: 113))",
            .fieldSectionTooLarge(limit: 128), 431),
        ViolationVector(
            "RFC 6585 5: no line end in sight", "GET / HTTP/1.1\r\n\(String(repeating: "b", count: 128))",
            .fieldSectionTooLarge(limit: 128), 431),
    ]

    static let hosts: [ViolationVector] =
        ["", "a b", "u@a", "a/b", "a:b", "[::1", "[]", "[::1]x", ":80", "é"]
        .map { host in
            ViolationVector(
                "RFC 9112 3.2: the Host '\(host)'", "GET / HTTP/1.1\r\nHost: \(host)\r\n\r\n", .invalidHost,
                400)
        } + [
            .line(
                "RFC 9110 4.2.1: an absolute-form without host", "GET http:///a HTTP/1.1", .invalidHost, 400),
            .line("RFC 9110 4.2.4: user information", "GET http://u:p@a/ HTTP/1.1", .invalidHost, 400),
        ]

    static let framing: [ViolationVector] = [
        .fields("RFC 9110 8.6: no digits", "Content-Length: x", .invalidContentLength, 400),
        .fields("RFC 9110 8.6: nothing", "Content-Length:", .invalidContentLength, 400),
        .fields("RFC 9110 8.6: a plus", "Content-Length: +1", .invalidContentLength, 400),
        .fields("RFC 9110 8.6: a minus", "Content-Length: -1", .invalidContentLength, 400),
        .fields("RFC 9110 8.6: hexadecimal", "Content-Length: 0x1", .invalidContentLength, 400),
        .fields("RFC 9110 8.6: a blank within", "Content-Length: 1 1", .invalidContentLength, 400),
        .fields("RFC 9112 6.3: a list of equal lengths", "Content-Length: 1, 1", .invalidContentLength, 400),
        .fields(
            "RFC 9112 6.3: lengths that differ", "Content-Length: 1\r\nContent-Length: 2",
            .repeatedContentLength, 400),
        .fields(
            "RFC 9110 8.6: equal lengths", "Content-Length: 1\r\ncontent-length: 1", .repeatedContentLength,
            400),
        .fields(
            "RFC 9112 6.1: length and coding", "Content-Length: 1\r\nTransfer-Encoding: chunked",
            .contentLengthWithTransferEncoding, 400),
        .fields(
            "RFC 9112 6.1: coding and length", "Transfer-Encoding: chunked\r\nContent-Length: 1",
            .contentLengthWithTransferEncoding, 400),
        ViolationVector(
            "RFC 9112 6.1: a coding in HTTP/1.0", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
            .transferEncodingInHTTP10, 400),
        .fields("RFC 9112 6.3: chunked not last", "Transfer-Encoding: chunked, gzip", .chunkedNotFinal, 400),
        .fields("RFC 9112 6.3: no chunked", "Transfer-Encoding: gzip", .chunkedNotFinal, 400),
        .fields("RFC 9112 6.3: identity", "Transfer-Encoding: identity", .chunkedNotFinal, 400),
        .fields("RFC 9112 6.3: nothing", "Transfer-Encoding:", .chunkedNotFinal, 400),
        .fields("RFC 9112 6.3: almost chunked", "Transfer-Encoding: xchunked", .chunkedNotFinal, 400),
        .fields(
            "RFC 9112 7: chunked has no parameters", "Transfer-Encoding: chunked;a", .chunkedNotFinal, 400),
        .fields("RFC 9112 6.1: chunked twice", "Transfer-Encoding: chunked, chunked", .chunkedNotFinal, 400),
        .fields(
            "RFC 9112 6.1: chunked in two lines", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
            .chunkedNotFinal, 400),
        .fields(
            "RFC 9112 6.1: an unknown coding", "Transfer-Encoding: gzip, chunked", .unsupportedTransferCoding,
            501),
        .fields("RFC 9110 15.5.14: a byte too many", "Content-Length: 33", .bodyTooLarge(limit: 32), 413),
        .fields(
            "RFC 9110 8.6: a length beyond 64 bits", "Content-Length: 18446744073709551617",
            .bodyTooLarge(limit: 32), 413),
        .fields(
            "RFC 9110 10.1.1: too large to be continued", "Expect: 100-continue\r\nContent-Length: 33",
            .bodyTooLarge(limit: 32), 413),
        .fields("RFC 9110 10.1.1: an unknown expectation", "Expect: magic", .unknownExpectation, 417),
        .fields("RFC 9110 10.1.1: one of two unknown", "Expect: 100-continue, x", .unknownExpectation, 417),
    ]

    static let chunks: [ViolationVector] = [
        .chunked("RFC 9112 7.1: no size", "\r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: no size but an extension", ";a\r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: no digit", "g\r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: a minus", "-1\r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: 0x", "0x1\r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: a space before the size", " 1\r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: a space after the size", "1 \r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: seventeen digits", "00000000000000001\r\n", .invalidChunkSize, 400),
        .chunked("RFC 9112 7.1: the largest size", "FFFFFFFFFFFFFFFF\r\n", .bodyTooLarge(limit: 32), 413),
        .chunked("RFC 9112 7.1: LF after the size", "1\na\r\n", .bareLineFeed, 400),
        .chunked("RFC 9112 7.1: LF after an extension", "1;a\na\r\n", .bareLineFeed, 400),
        .chunked("RFC 9112 7.1: CR after the size", "1\ra\r\n", .bareCarriageReturn, 400),
        .chunked("RFC 9112 7.1.1: NUL in an extension", "1;a\0\r\n", .invalidChunkExtension, 400),
        .chunked("RFC 9112 7.1: data longer than the size", "1\r\nab\r\n", .chunkNotTerminated, 400),
        .chunked("RFC 9112 7.1: LF after the data", "1\r\na\n", .chunkNotTerminated, 400),
        .chunked("RFC 9112 7.1: CR alone after the data", "1\r\na\r1", .chunkNotTerminated, 400),
        .chunked(
            "RFC 9110 15.5.14: a byte too many", "10\r\n0123456789abcdef\r\n11\r\n", .bodyTooLarge(limit: 32),
            413),
        .chunked(
            "RFC 9112 7.1.1: a long extension", "1;\(String(repeating: "a", count: 128))\r\n",
            .chunkFramingTooLarge,
            413),
        .chunked(
            "RFC 9112 7.1.1: many extensions",
            String(repeating: "1;aaaaaaaaaaaaaaaaaaaaaa\r\na\r\n", count: 10),
            .chunkFramingTooLarge, 413),
        .chunked("RFC 9112 7.1.2: a trailer that is no field", "0\r\nabc\r\n\r\n", .missingColon, 400),
        .chunked("RFC 9112 7.1.2: a folded trailer", "0\r\nA: b\r\n c\r\n\r\n", .foldedField, 400),
        .chunked("RFC 9112 7.1.2: LF ends the trailers", "0\r\n\n", .bareLineFeed, 400),
        .chunked(
            "RFC 9112 7.1.2: trailers too large", "0\r\n\(String(repeating: "A: b\r\n", count: 22))\r\n",
            .fieldSectionTooLarge(limit: 128), 431),
        .chunked(
            "RFC 9112 7.1.2: too many trailers", "0\r\n\(String(repeating: "A: b\r\n", count: 7))\r\n",
            .tooManyFields(limit: 6), 431),
    ]

    static let vectors = requestLines + fieldLines + hosts + framing + chunks

    @Test("is refused whole, and at every split point", arguments: vectors)
    func vector(_ vector: ViolationVector) {
        let whole = ParserTranscript.whole(vector.bytes, limits: ViolationVector.limits)
        #expect(whole.violation == vector.violation)
        #expect(whole.violation?.status == vector.status)
        #expect(whole.requests.isEmpty)
        let differing = ParserTranscript.everySplit(vector.bytes, limits: ViolationVector.limits).first {
            $0 != whole
        }
        #expect(differing == nil)
    }

    @Test("The vectors know every violation, and each names itself in one sentence of its own")
    func everyViolation() {
        let violations = HTTPViolationTests.vectors.map(\.violation)
        let distinct = violations.enumerated().filter { violations.firstIndex(of: $1) == $0 }.map(\.element)
        #expect(distinct.count == 33)
        #expect(Set(distinct.map(\.detail)).count == distinct.count)
        #expect(distinct.allSatisfy { $0.detail.hasSuffix(".") })
    }

    @Test("A limit is named in the detail")
    func limitsAreNamed() {
        #expect(HTTPViolation.bodyTooLarge(limit: 1_048_576).detail.contains("1048576 bytes"))
        #expect(HTTPViolation.requestLineTooLong(limit: 8192).detail.contains("8192 bytes"))
        #expect(HTTPViolation.fieldSectionTooLarge(limit: 16384).detail.contains("16384 bytes"))
        #expect(HTTPViolation.tooManyFields(limit: 100).detail.contains("100"))
    }

    @Test("What is exactly at a limit is accepted")
    func atTheLimit() {
        let target = "/" + String(repeating: "a", count: 48)
        // 49 + 15 = 64 bytes of request line; 11 + 5 + 112 = 128 bytes of fields; 32 of body.
        let head = "PUT \(target) HTTP/1.1\r\nHost: a\r\n"
        let padded = "A: \(String(repeating: "b", count: 112))\r\n\r\n"
        let counted = "B:\r\nC:\r\nD:\r\nE:\r\nContent-Length: 32\r\n\r\n" + String(repeating: "x", count: 32)
        let chunked =
            "Transfer-Encoding: chunked\r\n\r\n" + String(repeating: "1\r\na\r\n", count: 32) + "0\r\n\r\n"
        for text in [head + padded, head + counted, head + chunked] {
            let transcript = ParserTranscript.whole(Array(text.utf8), limits: ViolationVector.limits)
            #expect(transcript.violation == nil)
            #expect(transcript.requests.count == 1)
        }
    }

    @Test("After a violation the parser takes nothing more and repeats itself")
    func failureIsFinal() {
        var parser = HTTPRequestParser()
        let good = Array("GET / HTTP/1.1\r\nHost: a\r\n\r\n".utf8)
        Array("GET / HTTP/1.1\r\n\r\n".utf8).withUnsafeBytes { parser.append($0) }
        #expect(throws: HTTPViolation.missingHost) { try parser.next() }
        good.withUnsafeBytes { parser.append($0) }
        #expect(throws: HTTPViolation.missingHost) { try parser.next() }
        #expect(parser.takeRemainder().isEmpty)
        #expect(throws: HTTPViolation.missingHost) { try parser.next() }
    }
}
