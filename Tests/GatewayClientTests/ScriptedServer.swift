import Glibc
import LinuxSystem
import Synchronization
import WebSocket

@testable import GatewayClient

/// A server on a thread of its own that takes one connection, shakes hands, writes what it is told in pieces,
/// and keeps what the client sent until it closed.
final class ScriptedServer: Sendable {
    let port: Int
    private let received = Mutex<[UInt8]>([])

    /// Begins to listen. Every wait ends after 10 s.
    init() throws {
        listening = try ListeningSocket(host: "127.0.0.1", port: 0)
        port = listening.port
    }

    private let listening: ListeningSocket

    /// Everything behind the client's handshake, once it has closed.
    var frames: [UInt8] { received.withLock { $0 } }

    func serve(_ frames: [UInt8], inPiecesOf size: Int) throws -> LinuxSystem.Thread {
        try LinuxSystem.Thread(name: "scripted") {
            guard self.isReadable(self.listening.raw),
                case .connection(let raw, _)? = try? self.listening.accept()
            else { return }
            let descriptor = FileDescriptor(owning: raw)
            var request: [UInt8] = []
            while OpeningHandshake.headLength(request) == nil, self.receive(from: raw, into: &request) {}
            let lines = String(decoding: request, as: UTF8.self).split(separator: "\r\n")
            let field = "Sec-WebSocket-Key: "
            let key = lines.first { $0.hasPrefix(field) }?.dropFirst(field.count) ?? ""
            let response = """
                HTTP/1.1 101 Switching Protocols\r
                Upgrade: websocket\r
                Connection: Upgrade\r
                Sec-WebSocket-Accept: \(Handshake.acceptKey(for: String(key)))\r
                Sec-WebSocket-Protocol: fiml.v1.json\r
                Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover\r
                \r

                """
            var rest = (Array(response.utf8) + frames)[...]
            while !rest.isEmpty {
                let sent = rest.prefix(size).withUnsafeBytes {
                    send(raw, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                guard sent > 0 else { break }
                rest = rest.dropFirst(sent)
            }
            var frames: [UInt8] = []
            while self.receive(from: descriptor.raw, into: &frames) {}
            self.received.withLock { $0 = frames }
        }
    }

    private func isReadable(_ raw: Int32) -> Bool {
        var descriptor = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 10_000) == 1
    }

    private func receive(from raw: Int32, into bytes: inout [UInt8]) -> Bool {
        guard isReadable(raw) else { return false }
        var chunk = [UInt8](repeating: 0, count: 4096)
        let count = recv(raw, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        bytes += chunk[..<count]
        return true
    }
}
