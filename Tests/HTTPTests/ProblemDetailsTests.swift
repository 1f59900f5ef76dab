import FoundationEssentials
import HTTP
import Testing

@Suite("Errors are problem details that programs and people can read (RFC 9457)")
struct ProblemDetailsTests {
    private struct Body: Decodable, Equatable {
        let type: String
        let title: String
        let status: Int
        let detail: String
        let error: String
        let message: String
    }

    @Test(
        "The body has the members of the RFC and FIML's",
        arguments: ["no such path", "a \"b\" \\ \n\r\t\u{8}\u{1F} é 🚀 \u{2028}"])
    func members(detail: String) throws {
        let response = ProblemDetails(status: 404, error: "NOT_FOUND", detail: detail).response
        #expect(response.status == 404)
        #expect(response.fields["content-type"] == "application/problem+json")
        let body = try JSONDecoder().decode(Body.self, from: Data(response.body))
        #expect(
            body
                == Body(
                    type: "about:blank", title: "Not Found", status: 404, detail: detail, error: "NOT_FOUND",
                    message: detail))
    }

    @Test(
        "A violation becomes the problem of its status",
        arguments: [
            (.missingHost, 400, "Bad Request", "BAD_REQUEST"),
            (.bodyTooLarge(limit: 1), 413, "Content Too Large", "MESSAGE_TOO_LARGE"),
            (.requestLineTooLong(limit: 1), 414, "URI Too Long", "URI_TOO_LONG"),
            (.unknownExpectation, 417, "Expectation Failed", "EXPECTATION_FAILED"),
            (.tooManyFields(limit: 1), 431, "Request Header Fields Too Large", "FIELDS_TOO_LARGE"),
            (.connectNotSupported, 501, "Not Implemented", "NOT_IMPLEMENTED"),
            (.unsupportedVersion, 505, "HTTP Version Not Supported", "VERSION_NOT_SUPPORTED"),
        ] as [(HTTPViolation, Int, String, String)])
    func violation(_ violation: HTTPViolation, status: Int, title: String, error: String) {
        let problem = ProblemDetails(violation)
        #expect(problem.status == status)
        #expect(problem.title == title)
        #expect(problem.error == error)
        #expect(problem.detail == violation.detail)
    }
}
