/// How much of a request is read before it is refused. Each bounds the memory that one connection can claim.
public struct HTTPLimits: Sendable, Equatable {
    /// Bytes of the request line with its CRLF. RFC 9112 section 3 recommends at least 8,000.
    public var requestLineBytes: Int
    /// Bytes of the field section with every CRLF; the trailer section has the same bound, and it is the
    /// allowance for chunk framing that comes with little data.
    public var fieldSectionBytes: Int
    /// Field lines in the field section, and as many again in the trailer section.
    public var fieldCount: Int
    /// Bytes of the body once decoded.
    public var bodyBytes: Int

    /// Limits that suit an API of short requests.
    public init(
        requestLineBytes: Int = 8192, fieldSectionBytes: Int = 16384, fieldCount: Int = 100,
        bodyBytes: Int = 1 << 20
    ) {
        precondition(
            requestLineBytes > 0 && fieldSectionBytes > 0 && fieldCount > 0 && bodyBytes >= 0,
            "a limit below zero would let nothing in")
        self.requestLineBytes = requestLineBytes
        self.fieldSectionBytes = fieldSectionBytes
        self.fieldCount = fieldCount
        self.bodyBytes = bodyBytes
    }
}
