import COpenSSL
import Glibc
import LinuxSystem

/// A connected stream socket, with TLS where the URL asks for it. Every wait has an end.
struct ClientSocket: ~Copyable {
    private let descriptor: FileDescriptor
    private let tls: TLSClient?

    private init(descriptor: consuming FileDescriptor, tls: TLSClient?) {
        self.descriptor = descriptor
        self.tls = tls
    }

    private static let connectLimitMilliseconds: UInt64 = 10_000

    /// What an attempt to move bytes came to.
    enum Attempt {
        case moved(Int)
        /// Nothing now: wait for POLLIN or POLLOUT.
        case wants(Int32)
        case endOfStream
        case failed(String)
    }

    /// Connects, to the first address of the host that answers, and shakes hands for TLS.
    static func connect(
        _ url: GatewayURL, isInsecure: Bool, caFile: String?, _ waiter: Waiter
    ) throws(ConnectionEnd) -> ClientSocket {
        let descriptor = try connected(url, waiter)
        guard url.isSecure else { return ClientSocket(descriptor: descriptor, tls: nil) }
        let tls = try TLSClient(descriptor.raw, host: url.host, isInsecure: isInsecure, caFile: caFile)
        let limit = monotonicMilliseconds() + connectLimitMilliseconds
        while let events = try tls.handshake() {
            guard try waiter.wait(for: descriptor.raw, events, until: limit) else {
                throw .lost("the TLS handshake took longer than 10 s")
            }
        }
        return ClientSocket(descriptor: descriptor, tls: tls)
    }

    /// Reads what is there, at least one byte.
    ///
    /// - Returns: nil when nothing came until then.
    func read(
        into buffer: UnsafeMutableRawBufferPointer, until: UInt64, _ waiter: Waiter
    ) throws(ConnectionEnd) -> Int? {
        // However fast bytes come, a signal is seen.
        try waiter.look()
        while true {
            switch tls?.read(into: buffer) ?? Self.attempt(descriptor.read(into: buffer), POLLIN) {
            case .moved(let count): return count
            case .endOfStream: throw .lost("the server cut the connection")
            case .failed(let reason): throw .lost(reason)
            case .wants(let events):
                guard try waiter.wait(for: descriptor.raw, events, until: until) else { return nil }
            }
        }
    }

    /// Writes all of it.
    func write(_ bytes: [UInt8], _ waiter: Waiter) throws(ConnectionEnd) {
        let limit = monotonicMilliseconds() + Self.connectLimitMilliseconds
        var rest = bytes[...]
        while !rest.isEmpty {
            switch rest.withUnsafeBytes({ tls?.write($0) ?? Self.send(descriptor.raw, $0) }) {
            case .moved(let count): rest = rest.dropFirst(count)
            case .endOfStream: throw .lost("the server cut the connection")
            case .failed(let reason): throw .lost(reason)
            case .wants(let events):
                guard try waiter.wait(for: descriptor.raw, events, until: limit) else {
                    throw .lost("the server takes nothing")
                }
            }
        }
    }

    /// Tells the peer that this is the end, where TLS has words for it.
    func finish() {
        tls?.finish()
    }

    private static func send(_ raw: Int32, _ bytes: UnsafeRawBufferPointer) -> Attempt {
        let sent = sendNow(raw, bytes)
        if sent >= 0 { return .moved(sent) }
        return isWouldBlock() ? .wants(POLLOUT) : .failed(text(of: errno))
    }

    private static func attempt(_ transfer: Transfer, _ events: Int32) -> Attempt {
        switch transfer {
        case .moved(let count): .moved(count)
        case .wouldBlock: .wants(events)
        case .endOfStream: .endOfStream
        case .failed(let code): .failed(text(of: code))
        }
    }

    private static func text(of code: Int32) -> String {
        "connection lost: \(String(cString: strerror(code)))"
    }

    // MARK: - Connecting

    private static func connected(_ url: GatewayURL, _ waiter: Waiter) throws(ConnectionEnd) -> FileDescriptor
    {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(url.host, "\(url.port)", &hints, &list)
        guard code == 0 else {
            throw .lost("cannot find \(url.host): \(String(cString: gai_strerror(code)))")
        }
        defer { freeaddrinfo(list) }
        var problem = "no address"
        var next = list
        while let address = next?.pointee {
            next = address.ai_next
            let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
            let raw = socket(address.ai_family, kind, 0)
            guard raw != -1 else {
                problem = String(cString: strerror(errno))
                continue
            }
            let descriptor = FileDescriptor(owning: raw)
            let result = Glibc.connect(raw, address.ai_addr, address.ai_addrlen)
            let failure = result == 0 ? nil : try outcome(ofConnecting: raw, errno, waiter)
            guard let failure else { return descriptor }
            problem = failure
        }
        throw .lost("cannot connect to \(url.hostField): \(problem)")
    }

    /// Why the attempt under way fails; nil where it does not.
    private static func outcome(
        ofConnecting raw: Int32, _ code: Int32, _ waiter: Waiter
    ) throws(ConnectionEnd) -> String? {
        var code = code
        if code == EINPROGRESS || code == EINTR {
            let limit = monotonicMilliseconds() + connectLimitMilliseconds
            guard try waiter.wait(for: raw, POLLOUT, until: limit) else { return "no answer within 10 s" }
            var size = socklen_t(MemoryLayout<Int32>.size)
            guard getsockopt(raw, SOL_SOCKET, SO_ERROR, &code, &size) == 0 else { return "no answer" }
        }
        return code == 0 ? nil : String(cString: strerror(code))
    }
}
