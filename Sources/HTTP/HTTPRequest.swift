/// A request, its framing removed (RFC 9110 sections 7 and 9).
public struct HTTPRequest: Sendable {
    /// The method as it came; methods are case-sensitive.
    public let method: String
    /// The request target as it came.
    public let target: String
    /// The path of the target, percent-decoded: it starts with "/", or is "*". An encoded slash is a slash
    /// here, and dot segments are not resolved, so it must not be used as a file name.
    public let path: String
    /// The query as it came, without "?"; empty if there is none.
    public let queryText: String
    /// The host and port that the request is for: those of an absolute target, else of the Host field (RFC
    /// 9112 section 3.2.2), else empty.
    public let authority: String
    /// 0 or 1: the version is HTTP/1.0 or HTTP/1.1.
    public let minorVersion: Int
    /// The fields of the head. Trailer fields are dropped.
    public let fields: HTTPFields
    /// The content, any chunked coding removed.
    public internal(set) var body: [UInt8]
    /// Whether the client wants the connection to stay open (RFC 9112 section 9.3).
    public let keepAlive: Bool

    /// A request whose target, Host and version are checked. Throws what is wrong with them.
    public init(
        method: String, target: String, minorVersion: Int = 1, fields: HTTPFields = HTTPFields(),
        body: [UInt8] = []
    ) throws(HTTPViolation) {
        precondition(minorVersion == 0 || minorVersion == 1, "HTTP/1 has the minor versions 0 and 1")
        let parts = try RequestTarget(target, method: method)
        let host = try HTTPRequest.host(fields, minorVersion: minorVersion)
        self.method = method
        self.target = target
        self.path = parts.path
        self.queryText = parts.queryText
        self.authority = parts.authority ?? host ?? ""
        self.minorVersion = minorVersion
        self.fields = fields
        self.body = body
        // A client of HTTP/1.0 that says both sits behind a proxy which passed on what it did not know.
        let asksToClose = fields.containsToken("close", in: "connection")
        self.keepAlive =
            !asksToClose && (minorVersion == 1 || fields.containsToken("keep-alive", in: "connection"))
    }

    /// The parameters of the query in order, decoded as `application/x-www-form-urlencoded`: "+" is a space,
    /// a "%" that starts no escape is itself, bytes that are not UTF-8 become U+FFFD. Decoded at each call.
    public var query: [(name: String, value: String)] {
        queryText.utf8.split(separator: UInt8(ascii: "&")).map { parameter in
            let equals = parameter.firstIndex(of: UInt8(ascii: "=")) ?? parameter.endIndex
            return (
                name: RequestTarget.formDecoded(parameter[..<equals]),
                value: RequestTarget.formDecoded(parameter[equals...].dropFirst())
            )
        }
    }

    /// RFC 9112 section 3.2: several Hosts, an invalid one, or none in HTTP/1.1 must be answered with 400.
    private static func host(_ fields: HTTPFields, minorVersion: Int) throws(HTTPViolation) -> String? {
        guard !fields.isRepeated("host") else { throw .repeatedHost }
        guard let host = fields["host"] else {
            guard minorVersion == 0 else { throw .missingHost }
            return nil
        }
        guard RequestTarget.isAuthority(Array(host.utf8)) else { throw .invalidHost }
        return host
    }
}
