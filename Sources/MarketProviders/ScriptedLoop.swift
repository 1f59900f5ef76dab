import Glibc
import HTTP
import LinuxSystem

/// The thread of a `ScriptedServer`: waits in poll(2), reads requests, and sends each reply when it is due.
final class ScriptedLoop {
    private static let maxConnections = 64

    private let listening: ListeningSocket
    private let wake: Int32
    private let answer: @Sendable (HTTPRequest) -> ScriptedReply
    private var connections: [ScriptedConnection] = []

    /// `wake` becomes readable when `run` is to look whether it should end.
    init(
        _ listening: consuming ListeningSocket, _ wake: Int32,
        _ answer: @escaping @Sendable (HTTPRequest) -> ScriptedReply
    ) {
        self.listening = listening
        self.wake = wake
        self.answer = answer
    }

    func run(until isOver: () -> Bool) {
        while !isOver() {
            let now = monotonicMilliseconds()
            var descriptors = connections.map { pollfd(fd: $0.raw, events: $0.interest(at: now), revents: 0) }
            descriptors.append(pollfd(fd: wake, events: Int16(POLLIN), revents: 0))
            if connections.count < Self.maxConnections {
                descriptors.append(pollfd(fd: listening.raw, events: Int16(POLLIN), revents: 0))
            }
            let due = connections.compactMap(\.dueAt).filter { $0 > now }.min()
            let limit = due.map { Int32(clamping: $0 - now) } ?? -1
            // A signal that ends the wait is a turn without readiness.
            guard poll(&descriptors, nfds_t(descriptors.count), limit) >= 0 || errno == EINTR else { return }
            let after = monotonicMilliseconds()
            for (connection, descriptor) in zip(connections, descriptors) {
                connection.turn(isReady: descriptor.revents != 0, at: after, answer)
            }
            connections.removeAll(where: \.isOver)
            acceptAll()
        }
    }

    private func acceptAll() {
        while connections.count < Self.maxConnections,
            case .connection(let raw, _)? = try? listening.accept()
        {
            connections.append(ScriptedConnection(FileDescriptor(owning: raw)))
        }
    }
}

/// One connection to a `ScriptedServer`: requests one after the other, each answered before the next is read.
final class ScriptedConnection {
    private let descriptor: FileDescriptor
    private var parser = HTTPRequestParser()
    /// What is to be sent from `dueAt` on.
    private var output: ArraySlice<UInt8> = []
    private(set) var dueAt: UInt64?
    private var closesAfterwards = false
    private(set) var isOver = false

    init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    var raw: Int32 { descriptor.raw }

    /// What poll(2) is to watch for.
    func interest(at now: UInt64) -> Int16 {
        guard let dueAt else { return Int16(POLLIN) }
        return dueAt <= now ? Int16(POLLOUT) : 0
    }

    func turn(isReady: Bool, at now: UInt64, _ answer: (HTTPRequest) -> ScriptedReply) {
        guard let dueAt else {
            if isReady { receive(at: now, answer) }
            return
        }
        guard dueAt <= now else {
            // Nothing is read while a reply waits, so this can only be that the client is gone.
            isOver = isReady
            return
        }
        send()
        if self.dueAt == nil, !isOver { readRequest(at: now, answer) }
    }

    private func receive(at now: UInt64, _ answer: (HTTPRequest) -> ScriptedReply) {
        let received = withUnsafeTemporaryAllocation(byteCount: 16_384, alignment: 1) { buffer in
            let received = descriptor.read(into: buffer)
            if case .moved(let count) = received {
                parser.append(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            return received
        }
        switch received {
        case .moved: readRequest(at: now, answer)
        case .wouldBlock: break
        case .endOfStream, .failed: isOver = true
        }
    }

    private func readRequest(at now: UInt64, _ answer: (HTTPRequest) -> ScriptedReply) {
        do {
            switch try parser.next() {
            case nil: break
            case .continueExpected: _ = HTTPResponse.continue100.withUnsafeBytes { sendNow(raw, $0) }
            case .request(let request): begin(answer(request), to: request, at: now)
            }
        } catch {
            isOver = true
        }
    }

    private func begin(_ reply: ScriptedReply, to request: HTTPRequest, at now: UInt64) {
        var bytes: [UInt8] = []
        reply.response.serialize(
            into: &bytes, date: HTTPResponse.imfFixdate(secondsSince1970: wallMilliseconds() / 1_000),
            toHEAD: request.method == "HEAD", keepAlive: request.keepAlive)
        closesAfterwards = !request.keepAlive || reply.fault != nil
        let delay = min(max(reply.delay, .zero), .seconds(3_600)).components
        dueAt = now + UInt64(delay.seconds) * 1_000 + UInt64(delay.attoseconds) / 1_000_000_000_000_000
        switch reply.fault {
        case nil: break
        case .cutOff(let count): bytes = Array(bytes.prefix(max(0, count)))
        case .garbled(let other): bytes = other
        case .silence: dueAt = .max
        }
        output = bytes[...]
    }

    private func send() {
        while !output.isEmpty {
            let sent = output.withUnsafeBytes { sendNow(raw, $0) }
            guard sent > 0 else {
                isOver = !isWouldBlock()
                return
            }
            output = output.dropFirst(sent)
        }
        dueAt = nil
        isOver = closesAfterwards
    }
}
