import COpenSSL
import FIMLCore

/// What stands for a session's name wherever others can read: in stores, and between nodes. Who knows a name
/// finds it by this; who reads this does not learn the name.
public struct SessionDigest: Hashable, Sendable {
    /// SHA-256 of the name, 64 hexadecimal digits.
    public let text: String

    /// That of a name.
    public init(_ name: SessionName) {
        let bytes = Array(name.secret.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &digest)
        let digits = Array("0123456789abcdef".utf8)
        text = String(
            decoding: digest.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// As another node has sent it; what is no digest is that of no name.
    public init(text: String) {
        self.text = text
    }
}
