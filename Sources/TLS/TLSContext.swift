import COpenSSL
import Glibc

/// What all TLS connections of a server share: the certificate, its key, versions, and the keys of session
/// tickets.
///
/// TLS 1.2 and 1.3; ALPN `http/1.1`; sessions resume by tickets, so that nothing is kept for them here.
///
/// @unchecked is true: OpenSSL counts references to an `SSL_CTX` and locks it itself (openssl-threads(7)),
/// and nothing is set after `init`.
public final class TLSContext: @unchecked Sendable {
    let pointer: OpaquePointer

    /// Reads certificate chain and key, both PEM, leaf first. `replacing`: the context used so far, whose
    /// ticket keys carry over, so that clients can still resume.
    public init(
        certificateFile: String, keyFile: String, replacing: TLSContext? = nil
    ) throws(TLSConfigurationError) {
        guard let pointer = SSL_CTX_new(TLS_server_method()) else {
            throw TLSConfigurationError("OpenSSL cannot make a context: \(takeOpenSSLError())")
        }
        self.pointer = pointer
        ERR_clear_error()
        try Self.checkReadable(certificateFile, "certificate")
        try Self.checkReadable(keyFile, "private key")
        guard SSL_CTX_use_certificate_chain_file(pointer, certificateFile) == 1 else {
            throw TLSConfigurationError(
                "\(certificateFile) is no PEM certificate chain: \(takeOpenSSLError())")
        }
        guard SSL_CTX_use_PrivateKey_file(pointer, keyFile, SSL_FILETYPE_PEM) == 1 else {
            let code = ERR_peek_error()
            let reason = takeOpenSSLError()
            // OpenSSL compares the key with the certificate as it loads it.
            throw TLSConfigurationError(
                Self.isMismatch(code)
                    ? "the private key in \(keyFile) does not belong to the certificate in \(certificateFile)"
                    : "\(keyFile) is no PEM private key without a pass phrase: \(reason)")
        }
        guard SSL_CTX_check_private_key(pointer) == 1 else {
            throw TLSConfigurationError(
                "the private key in \(keyFile) does not belong to the certificate in \(certificateFile)")
        }
        configure()
        if let replacing { copyTicketKeys(from: replacing) }
    }

    deinit {
        SSL_CTX_free(pointer)
    }

    private static func checkReadable(_ path: String, _ what: String) throws(TLSConfigurationError) {
        guard access(path, R_OK) == 0 else {
            throw TLSConfigurationError(
                "the \(what) file \(path) cannot be read: \(String(cString: strerror(errno)))")
        }
    }

    private static func isMismatch(_ code: UInt) -> Bool {
        let reason = ERR_GET_REASON(code)
        return reason == X509_R_KEY_VALUES_MISMATCH || reason == X509_R_KEY_TYPE_MISMATCH
    }

    private func configure() {
        _ = openssl_set_min_version(pointer, TLS1_2_VERSION)
        // AES-128-GCM first: the cheapest a frame where the processor has AES, and strong enough (RFC 8446
        // B.4).
        SSL_CTX_set_ciphersuites(
            pointer, "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256")
        SSL_CTX_set_cipher_list(pointer, "ECDHE+AESGCM:ECDHE+CHACHA20")
        _ = SSL_CTX_set_options(pointer, openssl_server_options())
        // An idle connection gives its buffers back.
        _ = openssl_set_mode(pointer, Int(SSL_MODE_RELEASE_BUFFERS))
        // Tickets are stateless; a cache of sessions would grow with every visitor.
        _ = openssl_set_session_cache_mode(pointer, Int(SSL_SESS_CACHE_OFF))
        // Tickets are sent by hand once the handshake is over, so that the records under the first
        // application key can be counted (see TLSSession).
        SSL_CTX_set_num_tickets(pointer, 0)
        let context: [UInt8] = Array("fiml-gateway".utf8)
        SSL_CTX_set_session_id_context(pointer, context, UInt32(context.count))
        SSL_CTX_set_alpn_select_cb(pointer, selectProtocol, nil)
        SSL_CTX_set_keylog_callback(pointer, noteSecret)
    }

    private func copyTicketKeys(from other: TLSContext) {
        let length = openssl_get_ticket_keys(other.pointer, nil, 0)
        var keys: [UInt8] = Array(repeating: 0, count: Int(length))
        guard openssl_get_ticket_keys(other.pointer, &keys, length) == 1 else { return }
        _ = openssl_set_ticket_keys(pointer, &keys, length)
    }
}

/// ALPN (RFC 7301): `http/1.1` where the client offers it; a client that offers only others is refused (3.2).
private func selectProtocol(
    _ ssl: OpaquePointer?, _ chosen: UnsafeMutablePointer<UnsafePointer<UInt8>?>?,
    _ chosenLength: UnsafeMutablePointer<UInt8>?, _ offered: UnsafePointer<UInt8>?, _ offeredLength: UInt32,
    _ argument: UnsafeMutableRawPointer?
) -> Int32 {
    guard let offered, let chosen, let chosenLength else { return SSL_TLSEXT_ERR_ALERT_FATAL }
    var index = 0
    while index < Int(offeredLength) {
        let length = Int(offered[index])
        guard index + 1 + length <= Int(offeredLength) else { break }
        let name = UnsafeBufferPointer(start: offered + index + 1, count: length)
        if name.elementsEqual("http/1.1".utf8) {
            chosen.pointee = offered + index + 1
            chosenLength.pointee = UInt8(length)
            return SSL_TLSEXT_ERR_OK
        }
        index += 1 + length
    }
    return SSL_TLSEXT_ERR_ALERT_FATAL
}
