import Glibc
import LinuxSystem

/// HTTP requests over connections that are kept alive, one at a time on each; on one thread.
final class RequestLoad {
    /// What is asked for.
    struct Request {
        /// `POST /analysis`.
        let line: String
        let body: String

        var bytes: [UInt8] {
            let type =
                body.isEmpty ? "" : "Content-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
            return Array("\(line) HTTP/1.1\r\nHost: 127.0.0.1\r\n\(type)\r\n\(body)".utf8)
        }
    }

    /// What came of requests.
    struct Result {
        /// From the first byte sent to the last received, in nanoseconds; in the order of the answers.
        var latencies: [UInt64] = []
        /// From the first request to the last answer.
        var nanoseconds: UInt64 = 0
        /// Answers by status.
        var statuses: [Int: Int] = [:]
    }

    private struct Client {
        var channel: Channel
        var unsent: ArraySlice<UInt8> = []
        var received: [UInt8] = []
        var begun: UInt64 = 0
        var isBusy = false
    }

    private static let patienceMilliseconds: UInt64 = 60_000
    private var clients: [Client]
    /// The last answer of the last run, head and content.
    private(set) var lastAnswer: [UInt8] = []
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 18, alignment: 16)

    /// That many connections to a server that listens.
    init(_ endpoint: Endpoint, connections: Int) throws(BenchmarkError) {
        clients = []
        for number in 0..<connections {
            let channel = try doing("connecting") { () throws(SystemCallError) in
                try Channel(to: endpoint, number: number)
            }
            clients.append(Client(channel: channel))
        }
    }

    deinit {
        for client in clients { client.channel.close() }
        buffer.deallocate()
    }

    /// Makes that many requests, as many at once as there are connections; `request` gives the one with that
    /// number.
    func run(_ count: Int, _ request: (Int) -> Request) throws(BenchmarkError) -> Result {
        var result = Result()
        var begun = 0
        var polled = clients.map { pollfd(fd: $0.channel.descriptor, events: 0, revents: 0) }
        let start = monotonicNanoseconds()
        var lastAnswer = monotonicMilliseconds()
        while result.latencies.count < count {
            for index in clients.indices {
                if !clients[index].isBusy, begun < count {
                    clients[index].isBusy = true
                    clients[index].begun = monotonicNanoseconds()
                    clients[index].unsent = request(begun).bytes[...]
                    try send(index)
                    begun += 1
                }
                let client = clients[index]
                polled[index].events =
                    client.isBusy ? Int16(client.unsent.isEmpty ? POLLIN : POLLIN | POLLOUT) : 0
            }
            poll(&polled, nfds_t(polled.count), 100)
            for index in clients.indices where polled[index].revents != 0 {
                try send(index)
                guard let status = try receive(index) else { continue }
                result.latencies.append(monotonicNanoseconds() - clients[index].begun)
                result.statuses[status, default: 0] += 1
                clients[index].isBusy = false
                lastAnswer = monotonicMilliseconds()
            }
            guard monotonicMilliseconds() - lastAnswer < Self.patienceMilliseconds else {
                throw BenchmarkError(
                    "\(result.latencies.count) of \(count) requests were answered, then none")
            }
        }
        result.nanoseconds = monotonicNanoseconds() - start
        return result
    }

    private func send(_ index: Int) throws(BenchmarkError) {
        while !clients[index].unsent.isEmpty {
            let count = clients[index].unsent.withUnsafeBytes { clients[index].channel.write($0) }
            // Not connected yet is no loss: it is tried again when the socket can be written to.
            if count < 0, errno != ENOTCONN { throw BenchmarkError("a connection is lost") }
            guard count > 0 else { return }
            clients[index].unsent = clients[index].unsent.dropFirst(count)
        }
    }

    /// The status, once the answer is whole.
    private func receive(_ index: Int) throws(BenchmarkError) -> Int? {
        let count = clients[index].channel.read(into: buffer)
        guard count >= 0 else { throw BenchmarkError("the server has closed a connection") }
        clients[index].received.append(contentsOf: buffer[..<count])
        guard let head = HTTPHead(clients[index].received[...]),
            clients[index].received.count >= head.length + head.contentLength
        else { return nil }
        swap(&lastAnswer, &clients[index].received)
        clients[index].received.removeAll(keepingCapacity: true)
        return head.status
    }
}
