@testable import HTTP
import GatewayTesting
import Testing

extension HTTPRequestParser {
    fileprivate mutating func append(_ text: String) {
        Array(text.utf8).withUnsafeBytes { append($0) }
    }

    fileprivate mutating func nextRequest() throws -> HTTPRequest? {
        guard case .request(let request)? = try next() else { return nil }
        return request
    }

    fileprivate mutating func nextIsContinue() throws -> Bool {
        guard case .continueExpected? = try next() else { return false }
        return true
    }
}

@Suite("The parser of a connection tells where it is and holds no more than it must")
struct HTTPRequestParserTests {
    private static let continueHead = "POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-Continue\r\n"

    @Test(
        "100 is due once when the head has come without its body",
        arguments: ["Content-Length: 2", "Transfer-Encoding: chunked"])
    func continueExpected(framing: String) throws {
        var parser = HTTPRequestParser()
        parser.append(HTTPRequestParserTests.continueHead + framing + "\r\n")
        #expect(try parser.next() == nil)
        parser.append("\r\n")
        #expect(try parser.nextIsContinue())
        #expect(try parser.next() == nil)
        #expect(parser.phase == .body)
        parser.append(framing.hasSuffix("2") ? "hi" : "2\r\nhi\r\n0\r\n\r\n")
        #expect(try parser.nextRequest()?.body == Array("hi".utf8))
        #expect(try parser.next() == nil)
        #expect(parser.phase == .idle)
    }

    @Test("100 is not due once some of the body has come, nor without a body")
    func continueNotExpected() throws {
        var parser = HTTPRequestParser()
        parser.append(HTTPRequestParserTests.continueHead + "Content-Length: 2\r\n\r\nh")
        #expect(try parser.next() == nil)
        parser.append("i")
        #expect(try parser.nextRequest()?.body == Array("hi".utf8))
        parser.append(HTTPRequestParserTests.continueHead + "Content-Length: 0\r\n\r\n")
        #expect(try parser.nextRequest() != nil)
        parser.append(HTTPRequestParserTests.continueHead + "\r\n")
        #expect(try parser.nextRequest() != nil)
    }

    @Test("The phase follows the bytes from idle over head and body back to idle")
    func phases() throws {
        var parser = HTTPRequestParser()
        #expect(parser.phase == .idle)
        parser.append("\r\n")
        #expect(try parser.next() == nil)
        #expect(parser.phase == .idle)
        for piece in ["P", "OST / HTTP/1.1\r\n", "Host: a\r\nContent-Length: 3\r\n\r"] {
            parser.append(piece)
            #expect(try parser.next() == nil)
            #expect(parser.phase == .head)
        }
        for piece in ["\n", "a", "b"] {
            parser.append(piece)
            #expect(try parser.next() == nil)
            #expect(parser.phase == .body)
        }
        parser.append("cG")
        #expect(try parser.nextRequest()?.body == Array("abc".utf8))
        #expect(parser.phase == .head)
    }

    @Test("What follows an upgrade request is handed over untouched")
    func remainder() throws {
        var parser = HTTPRequestParser()
        parser.append("GET /ws HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n")
        Array<UInt8>([0x81, 0x85, 0x0D, 0x0A, 0x00]).withUnsafeBytes { parser.append($0) }
        let request = try #require(try parser.nextRequest())
        #expect(request.fields.containsToken("upgrade", in: "connection"))
        #expect(parser.takeRemainder() == [0x81, 0x85, 0x0D, 0x0A, 0x00])
        #expect(parser.takeRemainder().isEmpty)
        #expect(parser.phase == .idle)
    }

    @Test("An idle parser owns no buffer and is small")
    func idleOwnsNothing() throws {
        var parser = HTTPRequestParser()
        #expect(parser.buffer.capacity == 0)
        parser.append("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na")
        #expect(try parser.next() == nil)
        #expect(parser.buffer.capacity == 0)
        parser.append("\r\n0\r\n\r\n\r\n")
        #expect(try parser.nextRequest()?.body == Array("a".utf8))
        #expect(try parser.next() == nil)
        #expect(parser.buffer.capacity == 0)
        #expect(MemoryLayout<HTTPRequestParser>.size <= 96)
    }

    @Test("Thousands of requests in one piece leave no consumed bytes behind")
    func consumedBytesGo() throws {
        var parser = HTTPRequestParser()
        let request = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
        parser.append(String(repeating: request, count: 2000) + "GET")
        for _ in 0..<2000 {
            #expect(try parser.nextRequest() != nil)
        }
        #expect(try parser.next() == nil)
        parser.append(" ")
        #expect(parser.buffer == Array("GET ".utf8))
    }

    /// Single bytes of a large chunk and of a large head. Quadratic work would take minutes here.
    @Test("A client that sends single bytes costs linear work", .timeLimit(.minutes(1)))
    func singleBytes() {
        let body = String(repeating: "x", count: 1 << 19)
        let fields = String(repeating: "A: \(String(repeating: "b", count: 150))\r\n", count: 100)
        let text =
            "POST / HTTP/1.1\r\n\(fields)Host: a\r\nTransfer-Encoding: chunked\r\n\r\n"
            + "80000\r\n\(body)\r\n0\r\n\r\n"
        let bytes = Array(text.utf8)
        let limits = HTTPLimits(fieldCount: 102)
        let transcript = ParserTranscript(bytes.indices.map { bytes[$0...$0] }, limits: limits)
        #expect(transcript.violation == nil)
        #expect(transcript.requests.count == 1)
    }

    /// The oracle: it does not trap, and any cut of the same bytes gives the same requests and the same
    /// violation.
    @Test("Random bytes give a documented result", arguments: [UInt64(1), 2, 3, 4])
    func randomBytes(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let bytes = (0..<Int.random(in: 0...120, using: &random)).map { _ in
                UInt8.random(in: 0...255, using: &random)
            }
            expectSameWhenCut(bytes, using: &random)
        }
    }

    @Test(
        "Valid requests with a few bytes changed, lost or doubled give a documented result",
        arguments: [UInt64(5), 6, 7, 8])
    func mutatedRequests(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let interesting = Array("\r\n \t:;,%/?*0aF\0\u{7F}".utf8) + [0x80, 0xFF]
        for round in 0..<600 {
            var bytes = Array(ValidRequestTests.vectors[round % ValidRequestTests.vectors.count].text.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[position] = interesting.randomElement(using: &random) ?? 0
                case 1: bytes.remove(at: position)
                default: bytes.insert(interesting.randomElement(using: &random) ?? 0, at: position)
                }
            }
            expectSameWhenCut(bytes, using: &random)
        }
    }

    private func expectSameWhenCut(_ bytes: [UInt8], using random: inout SeededGenerator) {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = bytes[...]
        while !rest.isEmpty {
            let piece = rest.prefix(Int.random(in: 1...40, using: &random))
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        let whole = ParserTranscript.whole(bytes, limits: ViolationVector.limits)
        let cut = ParserTranscript(pieces, limits: ViolationVector.limits)
        #expect(cut.requests == whole.requests, "\(bytes)")
        #expect(cut.violation == whole.violation, "\(bytes)")
    }
}
