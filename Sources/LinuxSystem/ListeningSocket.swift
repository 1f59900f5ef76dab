import CLinux
import Glibc

/// What came of asking for the next connection.
public enum Acceptance: Sendable {
    /// A new connection: its descriptor, non-blocking, to be owned by the receiver, and the peer's address.
    case connection(Int32, PeerAddress)
    /// Nobody waits.
    case wouldBlock
    /// The one that waited is gone again; ask for the next.
    case aborted
    /// The process or the system has no descriptor left (EMFILE, ENFILE), or no memory.
    case exhausted
}

/// A TCP socket that takes connections. Several may share one port (SO_REUSEPORT): the kernel then spreads
/// connections over them.
public struct ListeningSocket: ~Copyable, Sendable {
    private let descriptor: FileDescriptor
    /// The port it listens on; the kernel's choice where 0 was asked for.
    public let port: Int

    /// Fails with EADDRINUSE where anybody listens on that port. Sockets that share ports do not notice each
    /// other, so a second gateway would otherwise silently take half of the first one's connections.
    public static func checkFree(host: String, port: Int) throws(SystemCallError) {
        var address = try SocketAddress(host: host, port: port)
        let probe = FileDescriptor(
            owning: try check("socket") {
                socket(address.family, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            })
        try setOption(probe.raw, SOL_SOCKET, SO_REUSEADDR, 1)
        _ = try check("bind") { address.withPointer { bind(probe.raw, $0, $1) } }
        _ = try check("listen") { listen(probe.raw, 1) }
    }

    /// Takes over a socket that another thread opened and released.
    public init(adopting released: Released) {
        descriptor = FileDescriptor(owning: released.raw)
        port = released.port
    }

    /// A listening socket on its way to the thread that will own it.
    public struct Released: Sendable {
        let raw: Int32
        /// The port it listens on.
        public let port: Int
    }

    /// Gives the socket up without closing it.
    public consuming func release() -> Released {
        Released(raw: descriptor.release(), port: port)
    }

    /// How many bytes the kernel takes of one connection beyond what it could send. What a slow peer leaves
    /// beyond it stays with the writer, who can still shed it; the kernel would take up to 4 MiB otherwise.
    static let maxUnsentBytes: Int32 = 131_072

    /// Listens on a numeric IPv4 or IPv6 address.
    public init(host: String, port: Int, backlog: Int32 = 4096) throws(SystemCallError) {
        var address = try SocketAddress(host: host, port: port)
        let kind = Int32(SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let descriptor = FileDescriptor(owning: try check("socket") { socket(address.family, kind, 0) })
        try setOption(descriptor.raw, SOL_SOCKET, SO_REUSEADDR, 1)
        try setOption(descriptor.raw, SOL_SOCKET, SO_REUSEPORT, 1)
        // Accepted connections take these over. Nagle's delay is off: what is written is gathered already.
        try setOption(descriptor.raw, Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        try setOption(descriptor.raw, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, Self.maxUnsentBytes)
        _ = try check("bind") { address.withPointer { bind(descriptor.raw, $0, $1) } }
        _ = try check("listen") { listen(descriptor.raw, backlog) }
        self.port = try SocketAddress(localOf: descriptor.raw).port
        self.descriptor = descriptor
    }

    /// To be watched for reading.
    public var raw: Int32 { descriptor.raw }

    /// The next connection.
    public func accept() throws(SystemCallError) -> Acceptance {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let flags = Int32(SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue)
        let raw = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                retryingOnInterrupt { accept4(descriptor.raw, address, &length, flags) }
            }
        }
        if raw >= 0 {
            return .connection(raw, PeerAddress(storage))
        }
        switch errno {
        case EAGAIN, EWOULDBLOCK: return .wouldBlock
        case EMFILE, ENFILE, ENOBUFS, ENOMEM: return .exhausted
        // accept(2): pending network errors of the new connection are to be treated like a retry.
        case ECONNABORTED, EPROTO, ENETDOWN, ENOPROTOOPT, EHOSTDOWN, ENONET, EHOSTUNREACH, EOPNOTSUPP,
            ENETUNREACH, EPERM:
            return .aborted
        default: throw SystemCallError("accept4")
        }
    }
}

func setOption(_ raw: Int32, _ level: Int32, _ name: Int32, _ value: Int32) throws(SystemCallError) {
    var value = value
    _ = try check("setsockopt") { setsockopt(raw, level, name, &value, socklen_t(MemoryLayout<Int32>.size)) }
}
