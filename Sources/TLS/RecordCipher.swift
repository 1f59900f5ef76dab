import COpenSSL
import Glibc

/// Seals and opens TLS 1.3 records (RFC 8446 5.2) with OpenSSL's AEADs. One context a suite, keyed anew for
/// each record, serves all connections of a loop: a kilobyte less a connection, and fewer cache lines a
/// record.
final class RecordCipher {
    /// `application_data`, and the legacy version of every record.
    static let headerLength = 5
    static let tagLength = 16
    /// Content a record may carry (RFC 8446 5.1).
    static let contentLimit = 1 << 14
    /// What may follow the header of a sealed record (RFC 8446 5.2).
    static let sealedLimit = contentLimit + 256

    private let contexts: [OpaquePointer]

    init() {
        contexts = [EVP_aes_128_gcm(), EVP_aes_256_gcm(), EVP_chacha20_poly1305()].map { cipher in
            guard let context = EVP_CIPHER_CTX_new(),
                EVP_CipherInit_ex(context, cipher, nil, nil, nil, 1) == 1
            else { preconditionFailure("OpenSSL lacks a TLS 1.3 cipher") }
            return context
        }
    }

    deinit {
        for context in contexts { EVP_CIPHER_CTX_free(context) }
    }

    private func begin(_ keys: inout TrafficKeys, encrypting: Bool, header: UnsafePointer<UInt8>)
        -> OpaquePointer
    {
        let context = contexts[Int(keys.suite.rawValue)]
        var nonce = keys.nextNonce()
        var length: Int32 = 0
        let isReady = withUnsafeBytes(of: &nonce) { nonce in
            withUnsafeBytes(of: keys.key) { key in
                EVP_CipherInit_ex(
                    context, nil, nil, key.baseAddress?.assumingMemoryBound(to: UInt8.self),
                    nonce.baseAddress?.assumingMemoryBound(to: UInt8.self), encrypting ? 1 : 0) == 1
                    && EVP_CipherUpdate(context, nil, &length, header, Int32(Self.headerLength)) == 1
            }
        }
        precondition(isReady, "OpenSSL refuses a TLS 1.3 key")
        return context
    }

    /// Appends one record of that content type to `output`. The content is at most `contentLimit` bytes.
    func seal(
        _ content: UnsafeRawBufferPointer, type: UInt8, _ keys: inout TrafficKeys, into output: OutputBuffer
    ) {
        let innerLength = content.count + 1
        let sealedLength = innerLength + Self.tagLength
        let record = output.append(Self.headerLength + sealedLength)
        guard let base = record.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return }
        base[0] = 23
        base[1] = 3
        base[2] = 3
        base[3] = UInt8(sealedLength >> 8)
        base[4] = UInt8(truncatingIfNeeded: sealedLength)
        let body = base + Self.headerLength
        let context = begin(&keys, encrypting: true, header: base)
        var type = type
        var written: Int32 = 0
        let source = content.baseAddress?.assumingMemoryBound(to: UInt8.self)
        let isSealed =
            EVP_CipherUpdate(context, body, &written, source, Int32(content.count)) == 1
            && EVP_CipherUpdate(context, body + content.count, &written, &type, 1) == 1
            && EVP_CipherFinal_ex(context, body + innerLength, &written) == 1
            && openssl_get_gcm_tag(context, Int32(Self.tagLength), body + innerLength) == 1
        precondition(isSealed, "OpenSSL cannot seal a record")
    }

    /// Opens a whole record in place, header included; its content's type and its content, without padding.
    /// Type 0, which there is none of, where it holds padding only. Nil where it is not authentic.
    func open(
        _ record: UnsafeMutableRawBufferPointer, _ keys: inout TrafficKeys
    ) -> (type: UInt8, content: UnsafeMutableRawBufferPointer)? {
        let sealedLength = record.count - Self.headerLength
        guard sealedLength > Self.tagLength, let base = record.baseAddress else { return nil }
        let header = base.assumingMemoryBound(to: UInt8.self)
        let body = header + Self.headerLength
        let innerLength = sealedLength - Self.tagLength
        let context = begin(&keys, encrypting: false, header: header)
        var written: Int32 = 0
        guard EVP_CipherUpdate(context, body, &written, body, Int32(innerLength)) == 1,
            openssl_set_gcm_tag(context, Int32(Self.tagLength), body + innerLength) == 1,
            EVP_CipherFinal_ex(context, body + Int(written), &written) == 1
        else {
            ERR_clear_error()
            return nil
        }
        var end = innerLength
        while end > 0, body[end - 1] == 0 { end -= 1 }
        guard end > 0 else { return (0, UnsafeMutableRawBufferPointer(start: body, count: 0)) }
        return (body[end - 1], UnsafeMutableRawBufferPointer(start: body, count: end - 1))
    }
}
