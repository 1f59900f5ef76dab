import Glibc

/// A numeric IPv4 or IPv6 address with a port.
public struct SocketAddress {
    private var storage = sockaddr_storage()
    private var length: socklen_t

    /// From text such as `127.0.0.1` or `::1`; EINVAL where it is neither.
    public init(host: String, port: Int) throws(SystemCallError) {
        guard let port = UInt16(exactly: port) else { throw SystemCallError("address", code: EINVAL) }
        var v4 = sockaddr_in()
        var v6 = sockaddr_in6()
        if inet_pton(AF_INET, host, &v4.sin_addr) == 1 {
            v4.sin_family = sa_family_t(AF_INET)
            v4.sin_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in>.size)
            withUnsafeMutableBytes(of: &storage) { bytes in
                withUnsafeBytes(of: v4) { bytes.copyMemory(from: $0) }
            }
        } else if inet_pton(AF_INET6, host, &v6.sin6_addr) == 1 {
            v6.sin6_family = sa_family_t(AF_INET6)
            v6.sin6_port = port.bigEndian
            length = socklen_t(MemoryLayout<sockaddr_in6>.size)
            withUnsafeMutableBytes(of: &storage) { bytes in
                withUnsafeBytes(of: v6) { bytes.copyMemory(from: $0) }
            }
        } else {
            throw SystemCallError("address \(host)", code: EINVAL)
        }
    }

    /// Where a socket is bound.
    init(localOf raw: Int32) throws(SystemCallError) {
        length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var size = length
        let code = withUnsafeMutablePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(raw, $0, &size) }
        }
        guard code == 0 else { throw SystemCallError("getsockname") }
        length = size
    }

    /// AF_INET or AF_INET6.
    public var family: Int32 { Int32(storage.ss_family) }

    /// In the host's byte order. Both families keep it in bytes 2 and 3.
    public var port: Int {
        withUnsafeBytes(of: storage) { Int($0[2]) << 8 | Int($0[3]) }
    }

    /// For the system calls that take an address.
    public mutating func withPointer<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        let length = length
        return withUnsafePointer(to: &storage) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { body($0, length) }
        }
    }
}

/// Who is at the other end, as 16 bytes: IPv4 addresses in their IPv6-mapped form (RFC 4291 2.5.5.2).
public struct PeerAddress: Hashable, Sendable {
    private let high: UInt64
    private let low: UInt64

    init(_ storage: sockaddr_storage) {
        var bytes: [UInt8] = Array(repeating: 0, count: 16)
        withUnsafeBytes(of: storage) { raw in
            if Int32(storage.ss_family) == AF_INET {
                bytes[10] = 0xff
                bytes[11] = 0xff
                for index in 0..<4 { bytes[12 + index] = raw[4 + index] }
            } else {
                for index in 0..<16 { bytes[index] = raw[8 + index] }
            }
        }
        high = bytes[0..<8].reduce(0) { $0 << 8 | UInt64($1) }
        low = bytes[8..<16].reduce(0) { $0 << 8 | UInt64($1) }
    }
}
