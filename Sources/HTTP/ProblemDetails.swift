/// The body of an error response: problem details (RFC 9457), extended by FIML's `error` and `message`.
public struct ProblemDetails: Sendable, Equatable {
    /// The status of the response, repeated in the body.
    public var status: Int
    /// A code for programs, such as NOT_FOUND.
    public var error: String
    /// A sentence for people about this very case. It is both `detail` and `message`.
    public var detail: String

    /// Problem details of type "about:blank", whose title is the reason phrase (RFC 9457 section 4.2.1).
    public init(status: Int, error: String, detail: String) {
        self.status = status
        self.error = error
        self.detail = detail
    }

    /// What a client is told whose request was wrong.
    public init(_ violation: HTTPViolation) {
        self.init(status: violation.status, error: violation.errorCode, detail: violation.detail)
    }

    /// The title: what kind of problem this is.
    public var title: String { HTTPResponse.reasonPhrase(status) }

    /// The response; fields such as Allow or Retry-After may be appended to it.
    public var response: HTTPResponse {
        var json = #"{"type":"about:blank","title":"#
        ProblemDetails.append(title, to: &json)
        json += #","status":\#(status),"detail":"#
        ProblemDetails.append(detail, to: &json)
        json += #","error":"#
        ProblemDetails.append(error, to: &json)
        json += #","message":"#
        ProblemDetails.append(detail, to: &json)
        json += "}"
        return HTTPResponse(
            status: status, fields: ["Content-Type": "application/problem+json"], body: Array(json.utf8))
    }

    /// Appends a JSON string (RFC 8259 section 7).
    private static func append(_ text: String, to json: inout String) {
        json += "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": json += "\\\""
            case "\\": json += "\\\\"
            case "\n": json += "\\n"
            case "\r": json += "\\r"
            case "\t": json += "\\t"
            case "\u{0}"..<"\u{20}":
                let digits = String(scalar.value, radix: 16)
                json += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: json.unicodeScalars.append(scalar)
            }
        }
        json += "\""
    }
}
