import COpenSSL
import Glibc

/// The client's end of TLS on a non-blocking socket.
final class TLSClient {
    private let context: OpaquePointer
    private let session: OpaquePointer

    /// Prepares a session; the server's certificate must be for `host` (RFC 9525), and issued by an authority
    /// of `caFile`, or else of the system, unless it is insecure.
    init(_ raw: Int32, host: String, isInsecure: Bool, caFile: String?) throws(ConnectionEnd) {
        ERR_clear_error()
        guard let context = SSL_CTX_new(TLS_client_method()) else { throw .lost("TLS: out of memory") }
        guard let session = SSL_new(context) else {
            SSL_CTX_free(context)
            throw .lost("TLS: out of memory")
        }
        // From here on deinit frees both.
        self.context = context
        self.session = session
        _ = openssl_set_min_version(context, TLS1_2_VERSION)
        _ = SSL_set_fd(session, raw)
        if let caFile {
            guard SSL_CTX_load_verify_locations(context, caFile, nil) == 1 else {
                throw .hopeless("--ca-file \(caFile) cannot be read as certificates in PEM form")
            }
        } else {
            _ = SSL_CTX_set_default_verify_paths(context)
        }
        // A numeric address is checked as such, and is no server name (RFC 6066 §3).
        if X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(session), host) != 1 {
            ERR_clear_error()
            guard SSL_set1_host(session, host) == 1, openssl_set_host_name(session, host) == 1 else {
                throw .hopeless("TLS: \(host) is no host name")
            }
        }
        SSL_set_verify(session, isInsecure ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, nil)
    }

    deinit {
        SSL_free(session)
        SSL_CTX_free(context)
    }

    /// Goes on with the handshake.
    ///
    /// - Returns: what to wait for; nil when it is done.
    func handshake() throws(ConnectionEnd) -> Int32? {
        ERR_clear_error()
        let result = SSL_connect(session)
        if result == 1 { return nil }
        switch attempt(result) {
        case .wants(let events): return events
        case .moved, .endOfStream: throw .lost("TLS: the server cut the connection")
        case .failed(let reason):
            let verdict = SSL_get_verify_result(session)
            guard verdict == Int(X509_V_OK) else {
                let text = String(cString: X509_verify_cert_error_string(verdict))
                throw .hopeless("the server's certificate is not accepted: \(text)")
            }
            throw .lost(reason)
        }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer) -> ClientSocket.Attempt {
        ERR_clear_error()
        return attempt(SSL_read(session, buffer.baseAddress, Int32(clamping: buffer.count)))
    }

    /// After `.wants` it must be called with the same bytes again, which `ClientSocket.write` does.
    func write(_ bytes: UnsafeRawBufferPointer) -> ClientSocket.Attempt {
        ERR_clear_error()
        return attempt(SSL_write(session, bytes.baseAddress, Int32(clamping: bytes.count)))
    }

    /// Sends close_notify (RFC 8446 §6.1), as far as the socket takes it now.
    func finish() {
        _ = SSL_shutdown(session)
        ERR_clear_error()
    }

    private func attempt(_ result: Int32) -> ClientSocket.Attempt {
        if result > 0 { return .moved(Int(result)) }
        switch SSL_get_error(session, result) {
        case SSL_ERROR_WANT_READ: return .wants(POLLIN)
        case SSL_ERROR_WANT_WRITE: return .wants(POLLOUT)
        case SSL_ERROR_ZERO_RETURN, SSL_ERROR_SYSCALL: return .endOfStream
        default:
            guard let reason = ERR_reason_error_string(ERR_get_error()) else { return .failed("TLS failed") }
            return .failed("TLS: \(String(cString: reason))")
        }
    }
}
