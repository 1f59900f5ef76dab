import COpenSSL

/// The parts of the opening handshake that are more than HTTP (RFC 6455 §4).
public enum Handshake {
    /// The value of `Sec-WebSocket-Accept`: base64 of the SHA-1 of key and GUID (RFC 6455 §4.2.2).
    public static func acceptKey(for key: String) -> String {
        let joined = Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)
        var digest = [UInt8](repeating: 0, count: 20)
        SHA1(joined, joined.count, &digest)
        // 20 bytes are 28 characters in base64, and OpenSSL writes a zero byte behind them.
        var encoded = [UInt8](repeating: 0, count: 29)
        EVP_EncodeBlock(&encoded, digest, 20)
        return String(decoding: encoded[..<28], as: UTF8.self)
    }

    /// Whether a `Sec-WebSocket-Key` is the base64 form of 16 bytes (RFC 6455 §4.2.1): 22 and "==".
    public static func isValidKey(_ key: String) -> Bool {
        let characters = Array(key.utf8)
        guard characters.count == 24, characters[22...].elementsEqual("==".utf8) else { return false }
        return characters[..<22].allSatisfy { character in
            switch character {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "/"):
                true
            default: false
            }
        }
    }

    /// The subprotocols that a client offers, in its order of preference (RFC 6455 §4.1, item 10).
    ///
    /// - Parameter offers: the values of the request's `Sec-WebSocket-Protocol` fields, each a list.
    public static func subprotocols(in offers: [String]) -> [String] {
        offers.flatMap { $0.split { $0 == "," || $0 == " " || $0 == "\t" } }.map(String.init)
    }

    /// The first offered subprotocol that is supported; nil where none is, and the response then names none.
    public static func selectSubprotocol(offers: [String], supported: [String]) -> String? {
        subprotocols(in: offers).first(where: supported.contains)
    }
}
