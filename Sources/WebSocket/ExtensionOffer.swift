/// One element of a `Sec-WebSocket-Extensions` field (RFC 6455 §9.1): a name and its parameters.
struct ExtensionOffer: Equatable {
    struct Parameter: Equatable {
        var name: String
        var value: String?
    }

    var name: String
    var parameters: [Parameter] = []

    /// The elements of one field value in order; nil where it does not follow the grammar.
    static func parse(_ field: String) -> [ExtensionOffer]? {
        var scanner = ExtensionScanner(field)
        var offers: [ExtensionOffer] = []
        while true {
            // RFC 9110 §5.6.1.2: a recipient accepts empty list elements.
            repeat { scanner.skipWhitespace() } while scanner.skip(",")
            guard !scanner.isAtEnd else { return offers }
            guard let name = scanner.token() else { return nil }
            var offer = ExtensionOffer(name: name)
            scanner.skipWhitespace()
            while scanner.skip(";") {
                guard let parameter = scanner.parameter() else { return nil }
                offer.parameters.append(parameter)
            }
            guard scanner.isAtEnd || scanner.skip(",") else { return nil }
            offers.append(offer)
        }
    }
}

/// Walks over the bytes of a field value.
private struct ExtensionScanner {
    private let bytes: [UInt8]
    private var index = 0

    init(_ field: String) {
        bytes = Array(field.utf8)
    }

    var isAtEnd: Bool {
        index == bytes.count
    }

    mutating func skip(_ character: Unicode.Scalar) -> Bool {
        guard index < bytes.count, bytes[index] == UInt8(ascii: character) else { return false }
        index += 1
        return true
    }

    mutating func skipWhitespace() {
        while skip(" ") || skip("\t") {}
    }

    /// A `token` of RFC 9110 §5.6.2.
    mutating func token() -> String? {
        let start = index
        while index < bytes.count, Self.isTokenCharacter(bytes[index]) {
            index += 1
        }
        return start == index ? nil : String(decoding: bytes[start..<index], as: UTF8.self)
    }

    /// `token [ "=" ( token / quoted-string ) ]`, with the whitespace around it.
    mutating func parameter() -> ExtensionOffer.Parameter? {
        skipWhitespace()
        guard let name = token() else { return nil }
        skipWhitespace()
        guard skip("=") else { return ExtensionOffer.Parameter(name: name, value: nil) }
        skipWhitespace()
        guard let value = skip("\"") ? restOfQuotedString() : token() else { return nil }
        skipWhitespace()
        return ExtensionOffer.Parameter(name: name, value: value)
    }

    /// RFC 6455 §9.1: a quoted value must, unquoted, be a token too.
    private mutating func restOfQuotedString() -> String? {
        var value: [UInt8] = []
        while !skip("\"") {
            _ = skip("\\")
            guard index < bytes.count, Self.isTokenCharacter(bytes[index]) else { return nil }
            value.append(bytes[index])
            index += 1
        }
        return value.isEmpty ? nil : String(decoding: value, as: UTF8.self)
    }

    private static func isTokenCharacter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
        }
    }
}
