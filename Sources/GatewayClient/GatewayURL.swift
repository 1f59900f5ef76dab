/// Where a gateway listens: `ws://127.0.0.1:8000/ws/events`.
public struct GatewayURL: Equatable, Sendable, CustomStringConvertible {
    /// Whether to speak TLS.
    public let isSecure: Bool
    /// A name or a numeric address, an IPv6 one without brackets.
    public let host: String
    /// TCP port.
    public let port: Int
    /// Path and query, as the request line carries them.
    public let target: String

    /// A URL from its parts.
    public init(isSecure: Bool = false, host: String, port: Int, target: String = "/ws/events") {
        (self.isSecure, self.host, self.port, self.target) = (isSecure, host, port, target)
    }

    /// Reads `ws://`, `wss://`, `http://` or `https://` with host, port (80 and 443 by default, RFC 6455 §3)
    /// and path; without a path it is `/ws/events`. nil for anything else: user names and fragments (which a
    /// WebSocket URL must not have, §3) too.
    public init?(_ text: String) {
        let schemes = [("ws://", false), ("wss://", true), ("http://", false), ("https://", true)]
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#"),
            let (scheme, isSecure) = schemes.first(where: { text.lowercased().hasPrefix($0.0) })
        else { return nil }
        let rest = text.dropFirst(scheme.count)
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        let tail = rest[authority.endIndex...]
        guard !authority.contains("@"), let (host, port) = Self.hostAndPort(authority) else { return nil }
        self.isSecure = isSecure
        self.host = host
        self.port = port ?? (isSecure ? 443 : 80)
        target =
            switch tail.first {
            case nil: "/ws/events"
            case "?": "/ws/events\(tail)"
            default: tail == "/" ? "/ws/events" : String(tail)
            }
    }

    /// The value of the `Host` field: without the port where it is the scheme's own (RFC 9110 §7.2).
    var hostField: String {
        let host = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? host : "\(host):\(port)"
    }

    /// As one would write it.
    public var description: String {
        "\(isSecure ? "wss" : "ws")://\(hostField)\(target)"
    }

    private static func hostAndPort(_ authority: Substring) -> (host: String, port: Int?)? {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { return nil }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            guard rest.isEmpty || rest.hasPrefix(":") else { return nil }
            port = rest.isEmpty ? nil : rest.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { return nil }
        guard let port else { return (String(host), nil) }
        guard port.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = Int(port),
            (1...65_535).contains(number)
        else { return nil }
        return (String(host), number)
    }
}
