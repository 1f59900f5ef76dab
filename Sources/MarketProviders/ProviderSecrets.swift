/// What of a request must not be told on: its keys. Providers like to repeat them in what they complain of.
struct ProviderSecrets {
    /// So much of the beginning of a key is a trace of it, where a text was cut off within the key.
    private static let traceLength = 4

    private let texts: [String]

    /// Those of a request: what it says under a name that has "key", "cookie" or the like in it.
    init(_ request: ProviderRequest) {
        let secrets = (request.query + request.fields).compactMap { pair -> String? in
            guard pair.count == 2, Self.isSecret(pair[0]) else { return nil }
            // `Authorization: Token 0123abcd`
            return pair[1].split(separator: " ").last.map(String.init)
        }
        texts = (secrets + secrets.map(ProviderRequest.encoded)).filter { !$0.isEmpty }
    }

    /// The text with `…` for every secret in it, and for every beginning of one.
    func removed(from text: String) -> String {
        var text = text
        for secret in texts {
            for length in stride(from: secret.count, through: min(Self.traceLength, secret.count), by: -1) {
                text = text.replacing(secret.prefix(length), with: "…")
            }
        }
        return text
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
