import COpenSSL

/// OpenSSL's own client over memory, as the peer that judges our records.
final class OpenSSLClient {
    private let context: OpaquePointer
    let ssl: OpaquePointer
    private let toClient: OpaquePointer
    private let fromClient: OpaquePointer

    init?(suite: String?, version: Int32) {
        guard let context = SSL_CTX_new(TLS_client_method()), let ssl = SSL_new(context),
            let toClient = BIO_new(BIO_s_mem()), let fromClient = BIO_new(BIO_s_mem())
        else { return nil }
        self.context = context
        self.ssl = ssl
        self.toClient = toClient
        self.fromClient = fromClient
        _ = SSL_ctrl(ssl, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(version), nil)
        _ = SSL_ctrl(ssl, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
        if let suite { SSL_set_ciphersuites(ssl, suite) }
        SSL_set_bio(ssl, toClient, fromClient)
        SSL_set_connect_state(ssl)
    }

    deinit {
        SSL_free(ssl)
        SSL_CTX_free(context)
    }

    /// Gives it ciphertext.
    func feed(_ bytes: some Collection<UInt8>) {
        let bytes = Array(bytes)
        if !bytes.isEmpty { BIO_write(toClient, bytes, Int32(bytes.count)) }
    }

    /// Takes the ciphertext that it wants to send.
    func take() -> [UInt8] {
        var all: [UInt8] = []
        var buffer: [UInt8] = Array(repeating: 0, count: 4096)
        while true {
            let count = BIO_read(fromClient, &buffer, Int32(buffer.count))
            guard count > 0 else { return all }
            all += buffer[..<Int(count)]
        }
    }

    /// Whether the handshake is over.
    func handshake() -> Bool {
        SSL_do_handshake(ssl) == 1
    }

    func write(_ bytes: [UInt8]) -> Bool {
        bytes.isEmpty || SSL_write(ssl, bytes, Int32(bytes.count)) == bytes.count
    }

    /// All plaintext that can be read now, and OpenSSL's reason why there is no more.
    func read() -> (bytes: [UInt8], error: Int32) {
        var all: [UInt8] = []
        var buffer: [UInt8] = Array(repeating: 0, count: 20_000)
        while true {
            ERR_clear_error()
            let count = SSL_read(ssl, &buffer, Int32(buffer.count))
            guard count > 0 else { return (all, SSL_get_error(ssl, count)) }
            all += buffer[..<Int(count)]
        }
    }

    /// The alert that OpenSSL says it received, if its last error was one.
    func lastAlert() -> Int? {
        let reason = Int(ERR_GET_REASON(ERR_peek_last_error()))
        // SSL_AD_REASON_OFFSET: reasons from 1000 on are alerts.
        return reason >= 1000 ? reason - 1000 : nil
    }
}
