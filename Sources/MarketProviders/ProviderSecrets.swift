/// What of a request must not be told on: its keys. Providers like to repeat them in what they complain of.
struct ProviderSecrets {
    /// So much of the beginning of a key is a trace of it, where a text was cut off within the key.
    private static let traceLength = 4

    private let texts: [[UInt8]]

    /// Those of a request: what it says under a name that has "key", "cookie" or the like in it.
    init(_ request: ProviderRequest) {
        let secrets = (request.query + request.fields).flatMap { pair -> [String] in
            // `Authorization: Token 0123abcd`
            guard pair.count == 2, Self.isSecret(pair[0]), let secret = pair[1].split(separator: " ").last
            else { return [] }
            // Of a cookie, `A3=d=0123abcd`, the value alone is as good.
            let value = secret.split(separator: "=", maxSplits: 1).dropFirst()
            return ([secret] + value).map(String.init)
        }
        texts = (secrets + secrets.map(ProviderRequest.encoded)).filter { !$0.isEmpty }.map { Array($0.utf8) }
    }

    /// The text with `…` for every secret in it, and for every beginning of one.
    func removed(from text: String) -> String {
        let bytes = texts.reduce(Array(text.utf8)) { Self.removed($1, from: $0) }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// Goes through the text once, so that its time is that of the text, whatever is in it.
    private static func removed(_ secret: [UInt8], from text: [UInt8]) -> [UInt8] {
        var kept: [UInt8] = []
        var index = 0
        while index < text.count {
            let same = zip(text[index...], secret).prefix { $0 == $1 }.count
            if same >= min(traceLength, secret.count) {
                kept += "…".utf8
                index += same
            } else {
                kept.append(text[index])
                index += 1
            }
        }
        return kept
    }

    /// The beginning of a body for people: without secrets, on one line, at most 120 characters.
    func excerpt(of body: [UInt8]) -> String {
        let text = removed(from: String(decoding: body.prefix(4096), as: UTF8.self))
        let words = text.split {
            $0.isWhitespace || $0.unicodeScalars.allSatisfy { $0.value < 0x20 || $0.value == 0x7F }
        }
        return String(words.joined(separator: " ").prefix(120))
    }

    private static func isSecret(_ name: String) -> Bool {
        ["key", "token", "secret", "auth", "cookie", "crumb"].contains(where: name.lowercased().contains)
    }
}
