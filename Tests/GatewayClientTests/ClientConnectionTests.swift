import Testing
import WebSocket

@testable import GatewayClient

@Suite("A connection gives messages, answers what is asked, and ends in words")
struct ClientConnectionTests {
    /// Runs a connection against a server that sends `frames`, and gives what the client then sent.
    private func run(
        _ frames: [UInt8], inPiecesOf size: Int = 4096, _ use: (ClientConnection) throws -> Void
    ) throws -> [WebSocketEvent] {
        let server = try ScriptedServer()
        let thread = try server.serve(frames, inPiecesOf: size)
        do {
            let url = GatewayURL(host: "127.0.0.1", port: server.port)
            try use(try ClientConnection(url, isInsecure: false, caFile: nil, .undisturbed))
        }
        thread.join()
        return try events(in: server.frames)
    }

    /// Reads as a server does, which refuses frames that are not masked.
    private func events(in bytes: [UInt8]) throws -> [WebSocketEvent] {
        var reader = WebSocketReader(
            role: .server, maxMessageBytes: 1000, maxInflatedBytes: 1000, deflate: nil)
        var bytes = bytes
        var events: [WebSocketEvent] = []
        try bytes.withUnsafeMutableBytes { buffer in
            var input = buffer
            while let event = try reader.next(&input, inflater: nil) { events.append(event) }
        }
        return events
    }

    private static let second = Array(String(repeating: "two ", count: 100).utf8)
    private static let conversation =
        Frame.encode(.text, Array("one".utf8)) + Frame.encode(.ping, [7])
        + Frame.encode(.text, Deflater().deflate(second, windowBits: 15), isCompressed: true)
        + Frame.close(.draining, "later")

    @Test(
        "Whole, compressed and control frames are understood in pieces of any size", arguments: [1, 7, 4096])
    func pieces(size: Int) throws {
        let sent = try run(Self.conversation, inPiecesOf: size) { connection in
            try connection.send(Array("hello".utf8), .undisturbed)
            #expect(try connection.next(silenceLimitMilliseconds: 10_000, .undisturbed) == Array("one".utf8))
            #expect(try connection.next(silenceLimitMilliseconds: 10_000, .undisturbed) == Self.second)
            #expect(throws: ConnectionEnd.closed(.draining, reason: "later")) {
                try connection.next(silenceLimitMilliseconds: 10_000, .undisturbed)
            }
        }
        #expect(
            sent == [
                .message(opcode: .text, payload: Array("hello".utf8)), .pong([7]),
                .close(.draining, reason: ""),
            ])
    }

    private static let brokenCases: [(String, [UInt8], CloseCode, String)] = [
        (
            "a masked frame", Frame.encode(.text, [65], maskingKey: 1), .protocolError,
            "the server broke the protocol: frames from a server must not be masked"
        ),
        (
            "bad UTF-8", Frame.encode(.text, [0xFF]), .invalidPayload,
            "the server broke the protocol: text is not UTF-8"
        ),
        (
            "a message past the bound", [0x81, 127, 0, 0, 0, 0, 0, 0x80, 0, 1], .messageTooBig,
            "the server broke the protocol: message too big"
        ),
        (
            "a binary message", Frame.encode(.binary, [1]), .unsupportedData,
            "the server sent a binary message"
        ),
    ]

    @Test("A server that breaks the protocol is told by a close code, and left", arguments: brokenCases)
    func broken(name: String, frames: [UInt8], code: CloseCode, reason: String) throws {
        // The close that follows is the server's answer, so that no limit has to pass.
        let sent = try run(frames + Frame.close(code)) { connection in
            #expect(throws: ConnectionEnd.lost(reason)) {
                try connection.next(silenceLimitMilliseconds: 10_000, .undisturbed)
            }
        }
        guard case .close(code, _)? = sent.last else {
            Issue.record("\(name): \(sent)")
            return
        }
    }

    @Test("Silence past the limit ends the connection")
    func silence() throws {
        _ = try run([]) { connection in
            #expect(throws: ConnectionEnd.lost("nothing came for 0 s")) {
                try connection.next(silenceLimitMilliseconds: 1, .undisturbed)
            }
        }
    }

    @Test("A clean end is code 1000")
    func close() throws {
        let sent = try run(Frame.close(.normalClosure)) { $0.close() }
        #expect(sent == [.close(.normalClosure, reason: "")])
    }

    @Test("Nobody listens: the connection is lost, in words")
    func refused() throws {
        let port = try ScriptedServer().port
        #expect(throws: ConnectionEnd.lost("cannot connect to 127.0.0.1:\(port): Connection refused")) {
            try ClientConnection(
                GatewayURL(host: "127.0.0.1", port: port), isInsecure: false, caFile: nil, .undisturbed)
        }
    }
}
