/// Every way in which a request can be wrong. After one, the connection is answered with `status` and closed:
/// where the next request would begin is no longer certain (RFC 9112 section 11.2).
public enum HTTPViolation: Error, Equatable, Sendable {
    /// More empty lines before the request line than a few (RFC 9112 section 2.2).
    case tooManyEmptyLines(limit: Int)
    /// The request line is not `method SP request-target SP HTTP-version` (RFC 9112 section 3).
    case malformedRequestLine
    /// The method is not a token (RFC 9110 section 9.1).
    case invalidMethod
    /// The target has no form that its method allows, or a byte that no URI has (RFC 9112 section 3.2).
    case invalidTarget
    /// An escape of the path is none, or what it decodes to is no text (RFC 3986 section 2.1).
    case invalidPercentEncoding
    /// A line ended by LF alone (RFC 9112 section 2.2).
    case bareLineFeed
    /// A CR without its LF (RFC 9112 section 2.2).
    case bareCarriageReturn
    /// A field line that starts with whitespace (RFC 9112 sections 2.2 and 5.2).
    case foldedField
    /// A field line without a colon (RFC 9112 section 5).
    case missingColon
    /// A field line that starts with its colon (RFC 9112 section 5).
    case emptyFieldName
    /// Whitespace between a field name and its colon (RFC 9112 section 5.1).
    case whitespaceBeforeColon
    /// A field name that is not a token (RFC 9110 section 5.1).
    case invalidFieldName
    /// A control character in a field value (RFC 9110 section 5.5).
    case invalidFieldValue
    /// No Host in HTTP/1.1 (RFC 9112 section 3.2).
    case missingHost
    /// More than one Host (RFC 9112 section 3.2).
    case repeatedHost
    /// A Host, or the authority of an absolute target, that is none (RFC 9112 section 3.2).
    case invalidHost
    /// A Content-Length that is no number (RFC 9110 section 8.6).
    case invalidContentLength
    /// More than one Content-Length, even if they are equal (RFC 9112 section 6.3).
    case repeatedContentLength
    /// Both ways to tell the end of the body (RFC 9112 section 6.1).
    case contentLengthWithTransferEncoding
    /// A transfer coding where the version has none (RFC 9112 section 6.1).
    case transferEncodingInHTTP10
    /// A transfer coding whose end cannot be told (RFC 9112 section 6.3).
    case chunkedNotFinal
    /// A chunk size that is no hexadecimal number, or does not fit 64 bits (RFC 9112 section 7.1).
    case invalidChunkSize
    /// A control character in a chunk extension (RFC 9112 section 7.1.1).
    case invalidChunkExtension
    /// No CRLF where the data of a chunk ends (RFC 9112 section 7.1).
    case chunkNotTerminated
    /// A body above `HTTPLimits.bodyBytes` (RFC 9110 section 15.5.14).
    case bodyTooLarge(limit: Int)
    /// Chunk framing out of proportion to the data (RFC 9112 section 7.1.1).
    case chunkFramingTooLarge
    /// A request line above `HTTPLimits.requestLineBytes` (RFC 9112 section 3).
    case requestLineTooLong(limit: Int)
    /// An expectation other than 100-continue (RFC 9110 section 10.1.1).
    case unknownExpectation
    /// Fields or trailers above `HTTPLimits.fieldSectionBytes` (RFC 6585 section 5).
    case fieldSectionTooLarge(limit: Int)
    /// More field lines than `HTTPLimits.fieldCount` (RFC 6585 section 5).
    case tooManyFields(limit: Int)
    /// The method for proxies (RFC 9110 section 9.3.6).
    case connectNotSupported
    /// A transfer coding before chunked (RFC 9112 section 6.1).
    case unsupportedTransferCoding
    /// A version other than HTTP/1.0 and HTTP/1.1 (RFC 9110 section 15.6.6).
    case unsupportedVersion
}

extension HTTPViolation {
    /// The status of the answer (RFC 9110 section 15; 431 is RFC 6585 section 5).
    public var status: Int {
        switch self {
        case .tooManyEmptyLines, .malformedRequestLine, .invalidMethod, .invalidTarget,
            .invalidPercentEncoding,
            .bareLineFeed, .bareCarriageReturn, .foldedField, .missingColon, .emptyFieldName,
            .whitespaceBeforeColon, .invalidFieldName, .invalidFieldValue, .missingHost, .repeatedHost,
            .invalidHost, .invalidContentLength, .repeatedContentLength, .contentLengthWithTransferEncoding,
            .transferEncodingInHTTP10, .chunkedNotFinal, .invalidChunkSize, .invalidChunkExtension,
            .chunkNotTerminated:
            400
        case .bodyTooLarge, .chunkFramingTooLarge: 413
        case .requestLineTooLong: 414
        case .unknownExpectation: 417
        case .fieldSectionTooLarge, .tooManyFields: 431
        case .connectNotSupported, .unsupportedTransferCoding: 501
        case .unsupportedVersion: 505
        }
    }

    /// One sentence for the peer: what was wrong and what is allowed. It repeats nothing that the peer sent.
    public var detail: String {
        switch self {
        case .tooManyEmptyLines(let limit): "More than \(limit) empty lines precede the request line."
        case .malformedRequestLine:
            "The request line must be a method, a target and a version, each separated by one space."
        case .invalidMethod:
            "The method must be a token of letters, digits and !#$%&'*+-.^_`|~ characters."
        case .invalidTarget:
            "The target must be a path from '/' on, an absolute http or https URI, or '*' with OPTIONS,"
                + " in visible ASCII without a fragment."
        case .invalidPercentEncoding:
            "Each '%' of the path must be followed by two hexadecimal digits, and the decoded path must be"
                + " UTF-8 without NUL."
        case .bareLineFeed: "A line feed came without a carriage return; lines must end with CRLF."
        case .bareCarriageReturn: "A carriage return came without a line feed; lines must end with CRLF."
        case .foldedField: "A field line starts with whitespace; a field must be one line."
        case .missingColon: "A field line has no colon; it must be 'name: value'."
        case .emptyFieldName: "A field line has nothing before its colon; it must be 'name: value'."
        case .whitespaceBeforeColon:
            "A field name is followed by whitespace; the colon must come directly after it."
        case .invalidFieldName:
            "A field name must be a token of letters, digits and !#$%&'*+-.^_`|~ characters."
        case .invalidFieldValue: "A field value contains a control character; only tab is allowed."
        case .missingHost: "An HTTP/1.1 request must have a Host field."
        case .repeatedHost: "The Host field came more than once; exactly one is allowed."
        case .invalidHost: "The host must be a name or an address, with an optional ':' and port."
        case .invalidContentLength: "Content-Length must be one decimal number."
        case .repeatedContentLength: "Content-Length came more than once; at most one is allowed."
        case .contentLengthWithTransferEncoding:
            "Content-Length and Transfer-Encoding came together; at most one of them is allowed."
        case .transferEncodingInHTTP10:
            "Transfer-Encoding is not part of HTTP/1.0; use Content-Length or HTTP/1.1."
        case .chunkedNotFinal: "Transfer-Encoding must be 'chunked', once and last."
        case .invalidChunkSize: "A chunk size must be 1 to 16 hexadecimal digits, followed by ';' or CRLF."
        case .invalidChunkExtension: "A chunk extension contains a control character; only tab is allowed."
        case .chunkNotTerminated: "The data of a chunk must be followed by CRLF."
        case .bodyTooLarge(let limit): "The body is larger than the limit of \(limit) bytes."
        case .chunkFramingTooLarge: "The chunks carry too little data for their framing; use larger chunks."
        case .requestLineTooLong(let limit): "The request line is longer than the limit of \(limit) bytes."
        case .unknownExpectation: "The only expectation that can be met is '100-continue'."
        case .fieldSectionTooLarge(let limit): "The fields are larger than the limit of \(limit) bytes."
        case .tooManyFields(let limit): "There are more fields than the limit of \(limit)."
        case .connectNotSupported: "CONNECT is not supported; this server is not a proxy."
        case .unsupportedTransferCoding: "The only transfer coding that is supported is 'chunked'."
        case .unsupportedVersion: "Only HTTP/1.0 and HTTP/1.1 are supported here."
        }
    }

    /// The machine-readable code in the problem body.
    public var errorCode: String {
        switch status {
        case 413: "MESSAGE_TOO_LARGE"
        case 414: "URI_TOO_LONG"
        case 417: "EXPECTATION_FAILED"
        case 431: "FIELDS_TOO_LARGE"
        case 501: "NOT_IMPLEMENTED"
        case 505: "VERSION_NOT_SUPPORTED"
        default: "BAD_REQUEST"
        }
    }
}
