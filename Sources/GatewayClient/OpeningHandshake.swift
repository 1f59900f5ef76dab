import FIMLCore
import WebSocket

/// The client's side of the opening handshake (RFC 6455 §4.1): the request, and the check of the response.
/// Pure.
struct OpeningHandshake {
    /// The longest response head that is read.
    static let maxHeadBytes = 16_384
    static let subprotocol = "fiml.v1.json"

    private let key: String

    /// A handshake with a key of 16 random bytes in base64.
    init(key: String) {
        self.key = key
    }

    /// The request.
    func request(_ url: GatewayURL) -> [UInt8] {
        Array(
            """
            GET \(url.target) HTTP/1.1\r
            Host: \(url.hostField)\r
            Connection: Upgrade\r
            Upgrade: websocket\r
            Sec-WebSocket-Version: 13\r
            Sec-WebSocket-Key: \(key)\r
            Sec-WebSocket-Protocol: \(Self.subprotocol)\r
            Sec-WebSocket-Extensions: \(DeflateParameters.clientOffer)\r
            User-Agent: fiml-gateway tail\r
            \r

            """.utf8)
    }

    /// Where the head of a response ends, past its empty line; nil while it is not complete.
    static func headLength(_ bytes: [UInt8]) -> Int? {
        let end: [UInt8] = [13, 10, 13, 10]
        guard bytes.count >= 4 else { return nil }
        return (0...(bytes.count - 4)).first { bytes[$0..<($0 + 4)].elementsEqual(end) }.map { $0 + 4 }
    }

    /// Checks a response.
    ///
    /// - Parameters:
    ///   - head: status line and fields.
    ///   - content: what came behind it; only read where the server refuses.
    /// - Returns: what was agreed about compression; nil is none.
    func check(head: ArraySlice<UInt8>, content: ArraySlice<UInt8>) throws(ConnectionEnd)
        -> DeflateParameters?
    {
        let response = try ResponseHead(head)
        guard response.status == 101 else {
            throw .refused(
                status: response.status, reason: Self.reason(response, content),
                retryAfterSeconds: response.field("retry-after").flatMap { Int($0) }.map { max(0, $0) })
        }
        guard response.field("upgrade")?.lowercased() == "websocket",
            (response.field("connection") ?? "").lowercased().split(separator: ",").contains(where: {
                $0.split(separator: " ") == ["upgrade"]
            })
        else { throw .lost("the server's answer is no upgrade to WebSocket") }
        guard response.field("sec-websocket-accept") == Handshake.acceptKey(for: key) else {
            throw .lost("the server's Sec-WebSocket-Accept is wrong")
        }
        guard response.field("sec-websocket-protocol") == Self.subprotocol else {
            throw .hopeless("the server does not speak \(Self.subprotocol): is this a gateway?")
        }
        guard let extensions = response.field("sec-websocket-extensions") else { return nil }
        // RFC 7692 §5: an answer that does not fit the offer fails the connection.
        guard let agreed = DeflateParameters.parseResponse(extensions) else {
            throw .lost("the server's Sec-WebSocket-Extensions do not fit what was offered")
        }
        return agreed
    }

    /// `503 Service Unavailable: draining`, with the detail of a problem document (RFC 9457) where it came.
    private static func reason(_ response: ResponseHead, _ content: ArraySlice<UInt8>) -> String {
        let line = "\(response.status) \(response.phrase)"
        guard let problem = try? JSONValue.parse(Array(content)), let detail = problem["detail"]?.text else {
            return line
        }
        return "\(line): \(detail)"
    }
}

/// Status line and fields of a response (RFC 9112 §4).
private struct ResponseHead {
    let status: Int
    let phrase: String
    private var fields: [String: String] = [:]

    init(_ bytes: ArraySlice<UInt8>) throws(ConnectionEnd) {
        let text = String(decoding: bytes, as: UTF8.self)
        let lines = text.split(omittingEmptySubsequences: true) { $0 == "\r\n" }
        let words = (lines.first ?? "").split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1" || words[0] == "HTTP/1.0", words[1].utf8.count == 3,
            let status = Int(words[1]),
            (100...599).contains(status)
        else { throw .lost("the answer is not HTTP/1") }
        self.status = status
        phrase = words.count == 3 ? String(words[2]) : ""
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else {
                throw .lost("the answer has a malformed field")
            }
            let name = line[..<colon].lowercased()
            let value = Self.trimmed(line[line.index(after: colon)...])
            // Repeated fields are one list (RFC 9110 §5.3).
            fields[name] = fields[name].map { "\($0), \(value)" } ?? value
        }
    }

    func field(_ name: String) -> String? {
        fields[name]
    }

    private static func trimmed(_ text: Substring) -> String {
        let isBlank: (Character) -> Bool = { $0 == " " || $0 == "\t" }
        var text = text.drop(while: isBlank)
        while let last = text.last, isBlank(last) { text.removeLast() }
        return String(text)
    }
}
