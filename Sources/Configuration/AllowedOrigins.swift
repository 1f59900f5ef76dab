/// Which origins (RFC 6454) may read the gateway's answers and open a WebSocket.
public enum AllowedOrigins: Sendable, Equatable {
    /// Every origin. Credentials must then never be allowed with it.
    case any
    /// Only these, each `scheme://host` or `scheme://host:port` in lower case.
    case only(Set<String>)

    /// Reads `*` or a list such as `https://app.example.com, http://localhost:3000`; nil where it is neither.
    public init?(_ text: String) {
        let parts = text.split(separator: ",", omittingEmptySubsequences: false).map { $0.trimmed }
        if parts == ["*"] {
            self = .any
            return
        }
        let origins = parts.compactMap(Self.normalized)
        guard !origins.isEmpty, origins.count == parts.count else { return nil }
        self = .only(Set(origins))
    }

    /// Whether a page of `origin`, the value of an `Origin` field, is let in. `null` is only by `*`.
    public func allows(_ origin: String) -> Bool {
        switch self {
        case .any: true
        case .only(let origins): Self.normalized(origin).map(origins.contains) ?? false
        }
    }

    /// Lower case, without the scheme's own port, which browsers leave out; nil if it is no origin.
    private static func normalized(_ origin: String) -> String? {
        let origin = origin.lowercased()
        for (scheme, ownPort) in [("https://", ":443"), ("http://", ":80")] where origin.hasPrefix(scheme) {
            let authority = origin.dropFirst(scheme.count)
            let isPlain = authority.utf8.allSatisfy { byte in
                UInt8(ascii: "!") <= byte && byte <= UInt8(ascii: "~") && !"/?#@*,\"\\".utf8.contains(byte)
            }
            guard isPlain, let first = authority.first, first != ":", authority.last != ":" else {
                return nil
            }
            return authority.hasSuffix(ownPort) ? String(origin.dropLast(ownPort.count)) : origin
        }
        return nil
    }
}

extension AllowedOrigins: CustomStringConvertible {
    /// As it is written in a setting.
    public var description: String {
        switch self {
        case .any: "*"
        case .only(let origins): origins.sorted().joined(separator: ",")
        }
    }
}
