import COpenSSL
import LinuxSystem
import WebSocket

/// One WebSocket connection to a gateway, blocking, on the thread that uses it.
final class ClientConnection {
    private let socket: ClientSocket
    private var reader: WebSocketReader
    private var closing = ClosingHandshake(role: .client)
    private let inflater: Inflater?
    private let buffer: UnsafeMutableRawBufferPointer
    /// What of the buffer is not read yet.
    private var input: UnsafeMutableRawBufferPointer
    private var lastHeard = monotonicMilliseconds()

    private static let handshakeLimitMilliseconds: UInt64 = 10_000
    private static let closeLimitMilliseconds: UInt64 = 1000
    /// As sent and as inflated: room for a snapshot of thousands of events.
    private static let maxMessageBytes = 8 << 20

    /// Connects and shakes hands.
    init(_ url: GatewayURL, isInsecure: Bool, caFile: String?, _ waiter: Waiter) throws(ConnectionEnd) {
        socket = try ClientSocket.connect(url, isInsecure: isInsecure, caFile: caFile, waiter)
        let (deflate, rest) = try Self.handshake(socket, url, waiter)
        reader = WebSocketReader(
            role: .client, maxMessageBytes: Self.maxMessageBytes, maxInflatedBytes: Self.maxMessageBytes,
            deflate: deflate)
        inflater = deflate == nil ? nil : Inflater()
        buffer = .allocate(byteCount: 65_536, alignment: 16)
        buffer.copyBytes(from: rest)
        input = UnsafeMutableRawBufferPointer(rebasing: buffer[..<rest.count])
    }

    deinit {
        socket.finish()
        buffer.deallocate()
    }

    /// Sends a text message.
    func send(_ text: [UInt8], _ waiter: Waiter) throws(ConnectionEnd) {
        try socket.write(Frame.encode(.text, text, maskingKey: Self.newMaskingKey()), waiter)
    }

    /// The next text message. Answers pings and the server's close frame on the way.
    ///
    /// - Parameter silenceLimitMilliseconds: nothing at all for so long, and the connection is dead.
    func next(silenceLimitMilliseconds: Int, _ waiter: Waiter) throws(ConnectionEnd) -> [UInt8] {
        while true {
            switch try nextEvent(waiter) {
            case .message(.text, let payload):
                return payload
            case .message:
                close(.unsupportedData, "only text is understood")
                throw .lost("the server sent a binary message")
            case .ping(let payload):
                try socket.write(Frame.encode(.pong, payload, maskingKey: Self.newMaskingKey()), waiter)
            case .pong:
                continue
            case .close(let code, let reason):
                if let answer = closing.receive(code, maskingKey: Self.newMaskingKey()) {
                    try socket.write(answer, waiter)
                }
                throw .closed(code, reason: reason)
            case nil:
                let until = lastHeard + UInt64(silenceLimitMilliseconds)
                guard let count = try socket.read(into: buffer, until: until, waiter) else {
                    throw .lost("nothing came for \((silenceLimitMilliseconds + 500) / 1000) s")
                }
                lastHeard = monotonicMilliseconds()
                input = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            }
        }
    }

    /// Closes from our side: a close frame, and at most a second for the server's (RFC 6455 §7.1.2). What
    /// goes wrong now changes nothing.
    func close(_ code: CloseCode = .normalClosure, _ reason: String = "") {
        guard let frame = closing.begin(code, reason, maskingKey: Self.newMaskingKey()) else { return }
        let until = monotonicMilliseconds() + Self.closeLimitMilliseconds
        do throws(ConnectionEnd) {
            try socket.write(frame, .undisturbed)
            while monotonicMilliseconds() < until {
                if case .close = try nextEvent(.undisturbed) { return }
                guard input.isEmpty else { continue }
                guard let count = try socket.read(into: buffer, until: until, .undisturbed) else { return }
                input = UnsafeMutableRawBufferPointer(rebasing: buffer[..<count])
            }
        } catch {
            // The connection ends one way or the other.
            return
        }
    }

    private func nextEvent(_ waiter: Waiter) throws(ConnectionEnd) -> WebSocketEvent? {
        do throws(ProtocolViolation) {
            return try reader.next(&input, inflater: inflater)
        } catch {
            if let frame = closing.fail(error, maskingKey: Self.newMaskingKey()) {
                try socket.write(frame, waiter)
            }
            throw .lost("the server broke the protocol: \(error.reason)")
        }
    }

    /// - Returns: what was agreed about compression, and what came behind the response.
    private static func handshake(
        _ socket: borrowing ClientSocket, _ url: GatewayURL, _ waiter: Waiter
    ) throws(ConnectionEnd) -> (DeflateParameters?, ArraySlice<UInt8>) {
        let handshake = OpeningHandshake(key: newKey())
        try socket.write(handshake.request(url), waiter)
        let until = monotonicMilliseconds() + handshakeLimitMilliseconds
        var response: [UInt8] = []
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            guard let count = try socket.read(into: chunk, until: until, waiter) else {
                throw .lost("no answer to the handshake within 10 s")
            }
            response.append(contentsOf: chunk[..<count])
            if let length = OpeningHandshake.headLength(response) {
                let agreed = try handshake.check(head: response[..<length], content: response[length...])
                return (agreed, response[length...])
            }
            guard response.count <= OpeningHandshake.maxHeadBytes else {
                throw .lost("the answer to the handshake is too long")
            }
        }
    }

    /// RFC 6455 §5.3: from a strong source, which Swift's random numbers are (getrandom(2) on Linux).
    private static func newMaskingKey() -> UInt32 {
        .random(in: .min ... .max)
    }

    /// 16 random bytes in base64 (RFC 6455 §4.1, item 7).
    private static func newKey() -> String {
        let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max) }
        // 24 characters, and the zero byte that OpenSSL writes behind them.
        var encoded = [UInt8](repeating: 0, count: 25)
        EVP_EncodeBlock(&encoded, bytes, 16)
        return String(decoding: encoded[..<24], as: UTF8.self)
    }
}
