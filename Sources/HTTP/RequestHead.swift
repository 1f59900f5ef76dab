/// The head of a request once all of its bytes are there, and what it says about the body.
struct RequestHead {
    /// How the end of the body is found (RFC 9112 section 6.3).
    enum Framing: Equatable {
        case length(Int)
        case chunked
    }

    /// The request, still without its body.
    let request: HTTPRequest
    let framing: Framing
    /// Whether the client waits for 100 (Continue) before it sends the body (RFC 9110 section 10.1.1).
    let expectsContinue: Bool

    /// Parses a head. `requestLine` includes its CRLF, `section` the empty line at the end.
    init(
        requestLine: ArraySlice<UInt8>, section: ArraySlice<UInt8>, limits: HTTPLimits
    ) throws(HTTPViolation) {
        let line = try RequestLine(requestLine.dropLast(2))
        let fields = try HTTPFields(section: Array(section), countLimit: limits.fieldCount)
        request = try HTTPRequest(
            method: line.method, target: line.target, minorVersion: line.minorVersion, fields: fields)
        framing = try RequestHead.framing(fields, minorVersion: line.minorVersion)
        if case .length(let length) = framing, length > limits.bodyBytes {
            throw .bodyTooLarge(limit: limits.bodyBytes)
        }
        let hasBody = framing != .length(0)
        expectsContinue =
            try RequestHead.expectsContinue(fields, minorVersion: line.minorVersion) && hasBody
    }

    private static func framing(_ fields: HTTPFields, minorVersion: Int) throws(HTTPViolation) -> Framing {
        let length = fields["content-length"]
        if fields["transfer-encoding"] != nil {
            // RFC 9112 section 6.1: both together may be an attempt to smuggle a request past a proxy.
            guard length == nil else { throw .contentLengthWithTransferEncoding }
            // Section 6.1: the framing of such a message of HTTP/1.0 must be treated as faulty.
            guard minorVersion == 1 else { throw .transferEncodingInHTTP10 }
            let codings = fields.members(of: "transfer-encoding").map { $0.lowercased() }
            // Section 6.3, item 4: without chunked at the end the length of a request cannot be known: 400.
            // Section 6.1: chunked must not be applied twice.
            guard codings.last == "chunked", codings.firstIndex(of: "chunked") == codings.count - 1 else {
                throw .chunkedNotFinal
            }
            guard codings.count == 1 else { throw .unsupportedTransferCoding }
            return .chunked
        }
        // RFC 9112 section 6.3, item 5, allows to fold equal repeats into one; RFC 9110 section 8.6 allows to
        // refuse them, which leaves nothing to disagree about.
        guard !fields.isRepeated("content-length") else { throw .repeatedContentLength }
        guard let length else { return .length(0) }
        return .length(try contentLength(length))
    }

    /// `1*DIGIT`. RFC 9110 section 8.6 warns of numbers that overflow: they are above any limit.
    private static func contentLength(_ text: String) throws(HTTPViolation) -> Int {
        guard !text.isEmpty, text.utf8.allSatisfy(\.isDigit) else { throw .invalidContentLength }
        return Int(text) ?? Int.max
    }

    private static func expectsContinue(_ fields: HTTPFields, minorVersion: Int) throws(HTTPViolation) -> Bool
    {
        // RFC 9110 section 10.1.1: the expectation of an HTTP/1.0 request must be ignored.
        let expectations = minorVersion == 0 ? [] : fields.members(of: "expect")
        guard expectations.allSatisfy({ $0.lowercased() == "100-continue" }) else {
            throw .unknownExpectation
        }
        return !expectations.isEmpty
    }
}

/// The request line taken apart: `method SP request-target SP HTTP-version` (RFC 9112 section 3).
private struct RequestLine {
    let method: String
    let target: String
    let minorVersion: Int

    /// Parses a line without its CRLF. Section 3 allows other whitespace; one space leaves one reading.
    init(_ line: ArraySlice<UInt8>) throws(HTTPViolation) {
        guard !line.contains(.carriageReturn) else { throw .bareCarriageReturn }
        guard let methodEnd = line.firstIndex(of: .space), let targetEnd = line.lastIndex(of: .space),
            targetEnd > methodEnd + 1
        else { throw .malformedRequestLine }
        let target = line[(methodEnd + 1)..<targetEnd]
        guard !target.contains(.space) else { throw .malformedRequestLine }
        let method = line[..<methodEnd]
        guard !method.isEmpty, method.allSatisfy(\.isTokenCharacter) else { throw .invalidMethod }
        minorVersion = try RequestLine.minorVersion(line[(targetEnd + 1)...])
        self.method = String(decoding: method, as: UTF8.self)
        // Bytes that are not UTF-8 become characters beyond ASCII, and HTTPRequest refuses those.
        self.target = String(decoding: target, as: UTF8.self)
    }

    /// `HTTP-version` of RFC 9112 section 2.3, case-sensitive: "HTTP/" DIGIT "." DIGIT.
    private static func minorVersion(_ text: ArraySlice<UInt8>) throws(HTTPViolation) -> Int {
        guard text.count == 8, text.starts(with: "HTTP/".utf8) else { throw .malformedRequestLine }
        let (major, dot, minor) = (text[text.endIndex - 3], text[text.endIndex - 2], text[text.endIndex - 1])
        guard major.isDigit, dot == UInt8(ascii: "."), minor.isDigit else { throw .malformedRequestLine }
        guard major == UInt8(ascii: "1") else { throw .unsupportedVersion }
        switch minor {
        case UInt8(ascii: "0"): return 0
        case UInt8(ascii: "1"): return 1
        default: throw .unsupportedVersion
        }
    }
}
