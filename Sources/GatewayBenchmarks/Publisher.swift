import Glibc

/// Publishes over one connection that is kept alive; requests are pipelined (RFC 9112 §9.3.2).
final class Publisher {
    private let channel: Channel
    private var unsent: [UInt8] = []
    private var received: [UInt8] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 16, alignment: 16)
    /// Requests that were answered with success.
    private(set) var answered = 0

    /// Takes over a connection that is open, its TLS handshake done.
    init(_ channel: Channel) {
        self.channel = channel
    }

    deinit {
        channel.close()
        buffer.deallocate()
    }

    /// Adds a request; `flush` sends it.
    func post(_ body: [UInt8]) {
        let head =
            "POST /events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            + "Content-Length: \(body.count)\r\n\r\n"
        unsent.append(contentsOf: head.utf8)
        unsent.append(contentsOf: body)
    }

    /// Sends what the connection takes.
    func flush() throws(BenchmarkError) {
        while !unsent.isEmpty {
            let count = unsent.withUnsafeBytes { channel.write($0) }
            guard count >= 0 else { throw BenchmarkError("the publisher's connection is lost") }
            guard count > 0 else { return }
            unsent.removeFirst(count)
        }
    }

    /// Reads the answers that are there.
    func readAnswers() throws(BenchmarkError) {
        while true {
            let count = channel.read(into: buffer)
            guard count >= 0 else { throw BenchmarkError("the server has closed the publisher's connection") }
            guard count > 0 else { return }
            received.append(contentsOf: buffer[..<count])
            var rest = received[...]
            while let head = HTTPHead(rest), rest.count >= head.length + head.contentLength {
                guard (200..<300).contains(head.status) else {
                    let answer = String(decoding: rest.prefix(1000), as: UTF8.self)
                    throw BenchmarkError("an event was not taken:\n\(answer)")
                }
                answered += 1
                rest = rest.dropFirst(head.length + head.contentLength)
            }
            received = Array(rest)
        }
    }
}
