import COpenSSL
import Glibc
import LinuxSystem

/// A port on the loopback address.
struct Endpoint {
    let port: Int
    let isTLS: Bool

    /// A port that is free now.
    static func free(isTLS: Bool) throws(BenchmarkError) -> Endpoint {
        let socket = try doing("finding a free port") { () throws(SystemCallError) in
            try ListeningSocket(host: "127.0.0.1", port: 0)
        }
        return Endpoint(port: socket.port, isTLS: isTLS)
    }

    /// Whether somebody listens.
    func takesConnections() -> Bool {
        guard var address = try? SocketAddress(host: "127.0.0.1", port: port) else { return false }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        defer { close(descriptor) }
        return address.withPointer { connect(descriptor, $0, $1) } == 0
    }
}

/// The client's end of one connection, non-blocking, with TLS or without. Plain data; closed by hand.
struct Channel {
    /// What a step of the TLS handshake led to.
    enum Handshake {
        case done, waiting, failed
    }

    let descriptor: Int32
    private var ssl: OpaquePointer?

    /// Begins to connect. `number` selects one of 200 source addresses, since one address has only some
    /// 28,000 ports to connect from.
    init(to endpoint: Endpoint, number: Int) throws(SystemCallError) {
        var source = try SocketAddress(host: "127.0.0.\(number % 200 + 1)", port: 0)
        var target = try SocketAddress(host: "127.0.0.1", port: endpoint.port)
        let kind = SOCK_STREAM.rawValue | SOCK_NONBLOCK.rawValue | SOCK_CLOEXEC.rawValue
        descriptor = socket(AF_INET, Int32(kind), 0)
        guard descriptor >= 0 else { throw SystemCallError("socket") }
        set(Int32(IPPROTO_IP), IP_BIND_ADDRESS_NO_PORT, 1)
        set(Int32(IPPROTO_TCP), TCP_NODELAY, 1)
        // Closing resets the connection, so that rounds leave no ports behind in TIME_WAIT.
        set(SOL_SOCKET, SO_LINGER, linger(l_onoff: 1, l_linger: 0))
        let descriptor = descriptor
        guard source.withPointer({ bind(descriptor, $0, $1) }) == 0,
            target.withPointer({ connect(descriptor, $0, $1) }) == 0 || errno == EINPROGRESS
        else {
            let code = errno
            Glibc.close(descriptor)
            throw SystemCallError("connect", code: code)
        }
    }

    private func set<Value: BitwiseCopyable>(_ level: Int32, _ name: Int32, _ value: Value) {
        var value = value
        setsockopt(descriptor, level, name, &value, socklen_t(MemoryLayout<Value>.size))
    }

    /// Why connecting failed; 0 where it did not.
    func pendingError() -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return code
    }

    /// Goes on with the TLS handshake.
    mutating func handshake(_ context: OpaquePointer) -> Handshake {
        if ssl == nil {
            ssl = SSL_new(context)
            SSL_set_fd(ssl, descriptor)
        }
        let result = SSL_connect(ssl)
        if result == 1 { return .done }
        let waits = SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ
        ERR_clear_error()
        return waits ? .waiting : .failed
    }

    /// Bytes read; 0 where the call would block, -1 where the stream has ended or is lost.
    func read(into buffer: UnsafeMutableRawBufferPointer) -> Int {
        if let ssl { return result(of: SSL_read(ssl, buffer.baseAddress, Int32(buffer.count)), ssl) }
        let count = recv(descriptor, buffer.baseAddress, buffer.count, 0)
        if count > 0 { return count }
        return count < 0 && isWouldBlock() ? 0 : -1
    }

    /// Bytes written; 0 where the call would block, -1 where the connection is lost.
    func write(_ bytes: UnsafeRawBufferPointer) -> Int {
        if let ssl { return result(of: SSL_write(ssl, bytes.baseAddress, Int32(bytes.count)), ssl) }
        let count = sendNow(descriptor, bytes)
        return count < 0 && isWouldBlock() ? 0 : count
    }

    private func result(of count: Int32, _ ssl: OpaquePointer) -> Int {
        if count > 0 { return Int(count) }
        let reason = SSL_get_error(ssl, count)
        ERR_clear_error()
        return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? 0 : -1
    }

    /// Ends the connection.
    func close() {
        SSL_free(ssl)
        Glibc.close(descriptor)
    }

    /// What the TLS clients share. No certificate is checked: the server's was made for the occasion.
    static func tlsContext() throws(BenchmarkError) -> OpaquePointer {
        guard let context = SSL_CTX_new(TLS_client_method()),
            openssl_set_min_version(context, TLS1_3_VERSION) == 1,
            SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256") == 1
        else { throw BenchmarkError("OpenSSL offers no TLS 1.3 client") }
        let mode =
            SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
        _ = openssl_set_mode(context, Int(mode))
        _ = openssl_set_session_cache_mode(context, Int(SSL_SESS_CACHE_OFF))
        // One recv() for all records that have come, in place of two for each.
        SSL_CTX_ctrl(context, SSL_CTRL_SET_READ_AHEAD, 1, nil)
        return context
    }
}
