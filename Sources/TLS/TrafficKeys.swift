import COpenSSL

/// A TLS 1.3 cipher suite (RFC 8446 B.4): its AEAD, and its hash.
enum CipherSuite: UInt8, Sendable {
    case aes128GCM, aes256GCM, chaCha20Poly1305

    /// From the number on the wire; nil for any other.
    init?(number: UInt16) {
        switch number {
        case 0x1301: self = .aes128GCM
        case 0x1302: self = .aes256GCM
        case 0x1303: self = .chaCha20Poly1305
        default: return nil
        }
    }

    var keyLength: Int {
        switch self {
        case .aes128GCM: 16
        case .aes256GCM, .chaCha20Poly1305: 32
        }
    }

    var hashLength: Int {
        switch self {
        case .aes128GCM, .chaCha20Poly1305: 32
        case .aes256GCM: 48
        }
    }

    /// Records after which the key must be changed: 2^24.5 for AES-GCM (RFC 8446 5.5), taken as 2^24;
    /// ChaCha20 would outlast its sequence numbers, and changes as often for simplicity.
    var recordsPerKey: UInt64 { 1 << 24 }
}

/// One direction's protection under application keys (RFC 8446 5.2, 5.3, 7.3): the secret, the key and nonce
/// base that come from it, and the number of the next record. 112 bytes, and all that a TLS 1.3 connection
/// keeps.
struct TrafficKeys: Sendable {
    let suite: CipherSuite
    /// Up to 48 bytes.
    private var secret: InlineArray<48, UInt8>
    /// Up to 32 bytes.
    private(set) var key: InlineArray<32, UInt8>
    private var nonceBase: InlineArray<12, UInt8>
    /// The number of the next record under this key.
    private(set) var sequence: UInt64 = 0

    /// From a traffic secret of the suite's hash length.
    init(suite: CipherSuite, secret: [UInt8]) {
        precondition(secret.count == suite.hashLength)
        self.suite = suite
        self.secret = InlineArray(repeating: 0)
        key = InlineArray(repeating: 0)
        nonceBase = InlineArray(repeating: 0)
        derive(from: secret)
    }

    private mutating func derive(from secret: [UInt8]) {
        for index in secret.indices { self.secret[index] = secret[index] }
        let key = expandLabel(secret, "key", suite.keyLength, suite)
        for index in key.indices { self.key[index] = key[index] }
        let base = expandLabel(secret, "iv", 12, suite)
        for index in base.indices { nonceBase[index] = base[index] }
        sequence = 0
    }

    /// The nonce of the next record (RFC 8446 5.3), whose number is then used up.
    mutating func nextNonce() -> InlineArray<12, UInt8> {
        var nonce = nonceBase
        for index in 0..<8 {
            nonce[4 + index] ^= UInt8(truncatingIfNeeded: sequence >> UInt64(56 - 8 * index))
        }
        sequence += 1
        return nonce
    }

    /// Counts records that OpenSSL sealed under this key.
    mutating func skip(_ records: UInt64) {
        sequence += records
    }

    /// The keys after a key update (RFC 8446 7.2).
    mutating func update() {
        var current: [UInt8] = []
        for index in 0..<suite.hashLength { current.append(secret[index]) }
        derive(from: expandLabel(current, "traffic upd", suite.hashLength, suite))
    }
}

/// HKDF-Expand-Label with an empty context (RFC 8446 7.1), of at most one hash: the first block of
/// HKDF-Expand (RFC 5869 2.3) is HMAC(secret, info | 0x01).
private func expandLabel(_ secret: [UInt8], _ label: String, _ length: Int, _ suite: CipherSuite) -> [UInt8] {
    precondition(length <= suite.hashLength)
    let label: [UInt8] = Array("tls13 ".utf8) + Array(label.utf8)
    let info: [UInt8] = [0, UInt8(length), UInt8(label.count)] + label + [0, 1]
    var block: [UInt8] = Array(repeating: 0, count: Int(EVP_MAX_MD_SIZE))
    var blockLength: UInt32 = 0
    let hash = suite.hashLength == 48 ? EVP_sha384() : EVP_sha256()
    let made = HMAC(hash, secret, Int32(secret.count), info, info.count, &block, &blockLength)
    precondition(made != nil && blockLength >= length, "OpenSSL cannot compute HMAC")
    return Array(block[..<length])
}
