import HTTP

/// What a parser said about the bytes of a connection.
struct ParserTranscript: Equatable, CustomStringConvertible {
    var requests: [String] = []
    var continues = 0
    var violation: HTTPViolation?

    /// Feeds the pieces to a new parser, and calls `next` after each until it has no more.
    init(_ pieces: [ArraySlice<UInt8>], limits: HTTPLimits = HTTPLimits()) {
        var parser = HTTPRequestParser(limits: limits)
        do throws(HTTPViolation) {
            for piece in pieces {
                piece.withUnsafeBytes { parser.append($0) }
                while let output = try parser.next() {
                    switch output {
                    case .request(let request): requests.append(ParserTranscript.describe(request))
                    case .continueExpected: continues += 1
                    }
                }
            }
        } catch {
            violation = error
        }
    }

    /// All at once.
    static func whole(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) -> ParserTranscript {
        ParserTranscript([bytes[...]], limits: limits)
    }

    /// Cut in two at every place, and into single bytes. Whether 100 is due depends on how the bytes arrive,
    /// so it is left out.
    static func everySplit(_ bytes: [UInt8], limits: HTTPLimits = HTTPLimits()) -> [ParserTranscript] {
        var splits = bytes.indices.map { [bytes[..<$0], bytes[$0...]] }
        splits.append(bytes.indices.map { bytes[$0...$0] })
        return splits.map { pieces in
            var transcript = ParserTranscript(pieces, limits: limits)
            transcript.continues = 0
            return transcript
        }
    }

    /// A request as text, every property of it.
    static func describe(_ request: HTTPRequest) -> String {
        let query = request.query.map { "\($0.name)=\($0.value)" }.joined(separator: ",")
        let fields = request.fields.map { "\($0.name)=\($0.value)" }.joined(separator: "|")
        return """
            \(request.method) \(request.target) 1.\(request.minorVersion) path=\(request.path) \
            query=[\(query)] authority=\(request.authority) \(request.keepAlive ? "keep-alive" : "close") \
            fields=[\(fields)] \
            body=\(String(decoding: request.body, as: UTF8.self))
            """
    }

    var description: String {
        "requests \(requests), continues \(continues), violation \(violation.map { "\($0)" } ?? "none")"
    }
}
