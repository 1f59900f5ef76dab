/// Parses the requests of one connection from bytes as they arrive (RFC 9112), without I/O or clock.
///
/// ```
/// requestLine ──► fields ──┬──────────► (request) ──► requestLine
///                          └──► body ──────┘
/// any of them ── violation ──► failed
/// ```
///
/// Append what was received, then call `next` until it returns nil. Between requests it owns no memory.
public struct HTTPRequestParser: Sendable {
    /// What `next` found.
    public enum Output: Sendable {
        /// A whole request.
        case request(HTTPRequest)
        /// The client waits for `HTTPResponse.continue100` before it sends the body. At most once a request.
        case continueExpected
    }

    /// Where in a request the connection is, by which its time limit is chosen.
    public enum Phase: Sendable {
        /// No byte of a next request has come.
        case idle
        /// In the request line or the fields.
        case head
        /// The head is complete, the body is not.
        case body
    }

    private enum State {
        case requestLine(LineScanner)
        case fields(requestLineBytes: Int, LineScanner)
        /// Indirect so that the parser of an idle connection stays small.
        indirect case body(HTTPRequest, BodyReader)
        case failed(HTTPViolation)
    }

    private enum BodyReader {
        /// Bytes that are still to come.
        case length(Int)
        case chunked(ChunkedDecoder)
    }

    /// RFC 9112 section 2.2: at least one empty line before a request ought to be ignored. More than a few
    /// are no mistake.
    private static let emptyLineLimit = 4

    private let limits: HTTPLimits
    /// What was received and not yet consumed, from `start` on. Internal so that tests can see its capacity.
    private(set) var buffer: [UInt8] = []
    private var start = 0
    private var emptyLines = 0
    /// What has been read of the body. It lies beside the state because an array within it would be copied
    /// whenever it grows.
    private var body: [UInt8] = []
    private var state = State.requestLine(LineScanner())

    /// A parser for a new connection.
    public init(limits: HTTPLimits = HTTPLimits()) {
        self.limits = limits
    }

    /// Where in a request the connection is, as of the last call of `append` or `next`.
    public var phase: Phase {
        switch state {
        case .requestLine: start < buffer.count ? .head : .idle
        case .fields: .head
        case .body: .body
        case .failed: .idle
        }
    }

    /// Adds received bytes. After a violation they are ignored.
    public mutating func append(_ bytes: UnsafeRawBufferPointer) {
        if case .failed = state { return }
        // Moving at most as many bytes as were consumed keeps the whole linear.
        if start > 0 && start >= buffer.count - start {
            buffer.removeFirst(start)
            start = 0
        }
        buffer.append(contentsOf: bytes)
    }

    /// The next request, or a word that its body is waited for; nil if more bytes are needed. Throws what is
    /// wrong with the request; it then throws the same at every call.
    public mutating func next() throws(HTTPViolation) -> Output? {
        do {
            let output = try advance()
            if start == buffer.count { releaseBuffer() }
            return output
        } catch {
            state = .failed(error)
            releaseBuffer()
            body = []
            throw error
        }
    }

    /// Takes the bytes after the request that `next` gave last: the first ones of the protocol upgraded to.
    /// It must be called before `next` reads them as HTTP, and ends the use of the parser.
    public mutating func takeRemainder() -> [UInt8] {
        let remainder = Array(buffer[start...])
        releaseBuffer()
        return remainder
    }

    private mutating func releaseBuffer() {
        buffer = []
        start = 0
    }

    private mutating func advance() throws(HTTPViolation) -> Output? {
        while true {
            switch state {
            case .requestLine(var scanner):
                guard try skipEmptyLines() else { return nil }
                let excess = HTTPViolation.requestLineTooLong(limit: limits.requestLineBytes)
                let end = try scanner.nextLineEnd(
                    in: buffer, from: start, limit: limits.requestLineBytes, excess: excess)
                guard let end else {
                    state = .requestLine(scanner)
                    return nil
                }
                state = .fields(requestLineBytes: end, LineScanner())
            case .fields(let requestLineBytes, var scanner):
                let sectionStart = start + requestLineBytes
                let end = try scanner.sectionEnd(
                    in: buffer, from: sectionStart, limit: limits.fieldSectionBytes)
                guard let end else {
                    state = .fields(requestLineBytes: requestLineBytes, scanner)
                    return nil
                }
                return try finishHead(sectionStart: sectionStart, sectionEnd: sectionStart + end)
            case .body(let request, let reader):
                return try readBody(of: request, reader)
            case .failed(let violation):
                throw violation
            }
        }
    }

    /// Skips empty lines before a request line. True once the first byte of that line is there.
    private mutating func skipEmptyLines() throws(HTTPViolation) -> Bool {
        while start < buffer.count && !buffer[start].isTokenCharacter {
            switch buffer[start] {
            case .carriageReturn:
                guard start + 1 < buffer.count else { return false }
                guard buffer[start + 1] == .lineFeed else { throw .bareCarriageReturn }
                start += 2
                emptyLines += 1
                guard emptyLines <= HTTPRequestParser.emptyLineLimit else {
                    throw .tooManyEmptyLines(limit: HTTPRequestParser.emptyLineLimit)
                }
            case .lineFeed: throw .bareLineFeed
            // No method starts so. It is told at once: a client of another protocol may never end a line.
            default: throw .invalidMethod
            }
        }
        return start < buffer.count
    }

    private mutating func finishHead(sectionStart: Int, sectionEnd: Int) throws(HTTPViolation) -> Output? {
        let head = try RequestHead(
            requestLine: buffer[start..<sectionStart], section: buffer[sectionStart..<sectionEnd],
            limits: limits)
        start = sectionEnd
        emptyLines = 0
        let reader: BodyReader =
            switch head.framing {
            case .length(let length): .length(length)
            case .chunked: .chunked(ChunkedDecoder())
            }
        // RFC 9110 section 10.1.1: 100 may be omitted once some of the body has come.
        if head.expectsContinue && start == buffer.count {
            state = .body(head.request, reader)
            return .continueExpected
        }
        return try readBody(of: head.request, reader)
    }

    /// Reads what is there of the body. Gives the request if that was all, else nil, with the state `body`.
    private mutating func readBody(
        of head: HTTPRequest, _ reader: BodyReader
    ) throws(HTTPViolation) -> Output? {
        switch reader {
        case .length(let missing):
            let end = start + min(missing, buffer.count - start)
            body.append(contentsOf: buffer[start..<end])
            let stillMissing = missing - (end - start)
            start = end
            guard stillMissing == 0 else {
                state = .body(head, .length(stillMissing))
                return nil
            }
        case .chunked(var decoder):
            guard try decoder.decode(buffer, from: &start, into: &body, limits: limits) else {
                state = .body(head, .chunked(decoder))
                return nil
            }
        }
        var request = head
        request.body = body
        body = []
        state = .requestLine(LineScanner())
        return .request(request)
    }
}
