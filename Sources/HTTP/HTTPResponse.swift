/// A response (RFC 9110 section 15), with a body that is there as a whole but where only its head is sent.
public struct HTTPResponse: Sendable {
    /// What a client that sent `Expect: 100-continue` waits for (RFC 9110 section 15.2.1).
    public static let continue100 = Array("HTTP/1.1 100 Continue\r\n\r\n".utf8)

    /// Three digits.
    public var status: Int
    /// What is said beside the date and the framing, which `serialize` writes.
    public var fields: HTTPFields
    /// The content. It is not sent with 1xx, 204 and 304, which have none.
    public var body: [UInt8]

    /// A response; `status` must have three digits.
    public init(status: Int, fields: HTTPFields = HTTPFields(), body: [UInt8] = []) {
        self.status = status
        self.fields = fields
        self.body = body
    }

    /// Appends the response to `output` as it goes over the wire (RFC 9112 section 4). `date` is that of
    /// `imfFixdate`. With `toHEAD` the body is left out, its length is not (RFC 9110 section 9.3.2). Date,
    /// Content-Length and Transfer-Encoding among `fields` are dropped, since they are written here.
    public func serialize(into output: inout [UInt8], date: String, toHEAD: Bool, keepAlive: Bool) {
        // RFC 9110 section 8.6: no Content-Length in 1xx and 204. In 304 it would be that of the 200, which
        // is not known.
        let hasContent = status >= 200 && status != 204 && status != 304
        let framing = hasContent ? "Content-Length: \(body.count)\r\n" : ""
        serializeHead(into: &output, date: date, framing: framing, keepAlive: keepAlive)
        if hasContent && !toHEAD {
            output.append(contentsOf: body)
        }
    }

    /// Appends the head of a response whose content is still to come, as `serialize` does that of others.
    /// The content follows in chunks (RFC 9112 section 7.1), or, for a client of HTTP/1.0, until the
    /// connection is closed (section 6.3).
    public func serializeHead(
        into output: inout [UInt8], date: String, isChunked: Bool, keepAlive: Bool
    ) {
        let framing = isChunked ? "Transfer-Encoding: chunked\r\n" : ""
        serializeHead(into: &output, date: date, framing: framing, keepAlive: keepAlive)
    }

    private func serializeHead(
        into output: inout [UInt8], date: String, framing: String, keepAlive: Bool
    ) {
        precondition(status >= 100 && status <= 999, "a status has three digits")
        precondition(date.utf8.allSatisfy(\.isFieldValueByte), "a date is one line")
        for part in [
            "HTTP/1.1 ", String(status), " ", HTTPResponse.reasonPhrase(status), "\r\nDate: ", date, "\r\n",
        ] {
            output.append(contentsOf: part.utf8)
        }
        fields.serialize(into: &output, omitting: ["date", "content-length", "transfer-encoding"])
        output.append(contentsOf: framing.utf8)
        output.append(contentsOf: connectionLine(keepAlive: keepAlive).utf8)
        output.append(contentsOf: "\r\n".utf8)
    }

    /// RFC 9112 section 9.3: close must be said by who closes. To stay open is the default of HTTP/1.1 only,
    /// and the version of the client is not known here, so it is said too.
    private func connectionLine(keepAlive: Bool) -> String {
        // An interim response ends nothing, and 101 hands the connection to another protocol.
        guard status >= 200 else { return "" }
        let said = keepAlive ? "keep-alive" : "close"
        return fields.containsToken(said, in: "connection") ? "" : "Connection: \(said)\r\n"
    }

    /// The reason phrase of the IANA registry of status codes; empty for those that nobody here sends.
    static func reasonPhrase(_ status: Int) -> String {
        switch status {
        case 100: "Continue"
        case 101: "Switching Protocols"
        case 200: "OK"
        case 201: "Created"
        case 202: "Accepted"
        case 204: "No Content"
        case 206: "Partial Content"
        case 301: "Moved Permanently"
        case 302: "Found"
        case 303: "See Other"
        case 304: "Not Modified"
        case 307: "Temporary Redirect"
        case 308: "Permanent Redirect"
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 406: "Not Acceptable"
        case 408: "Request Timeout"
        case 409: "Conflict"
        case 410: "Gone"
        case 411: "Length Required"
        case 412: "Precondition Failed"
        case 413: "Content Too Large"
        case 414: "URI Too Long"
        case 415: "Unsupported Media Type"
        case 417: "Expectation Failed"
        case 421: "Misdirected Request"
        case 422: "Unprocessable Content"
        case 426: "Upgrade Required"
        case 429: "Too Many Requests"
        case 431: "Request Header Fields Too Large"
        case 500: "Internal Server Error"
        case 501: "Not Implemented"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        case 504: "Gateway Timeout"
        case 505: "HTTP Version Not Supported"
        default: ""
        }
    }
}
