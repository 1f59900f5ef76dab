/// What of a URL decides how it is asked (RFC 3986 section 3).
struct WebAddress: Equatable {
    /// Whether it is HTTPS.
    let isSecure: Bool
    /// Scheme, host and port as they are written, in lower case: where these are equal, the server is.
    let origin: String
    /// Whether the server is on this machine.
    let isLoopback: Bool

    /// nil where the URL is not absolute, not of HTTP or HTTPS, or has other characters than URLs may have.
    init?(_ url: String) {
        guard url.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else { return nil }
        guard let scheme = ["http://", "https://"].first(where: url.lowercased().hasPrefix) else {
            return nil
        }
        let authority = url.dropFirst(scheme.count).prefix { !"/?#".contains($0) }.lowercased()
        guard !authority.isEmpty else { return nil }
        isSecure = scheme == "https://"
        origin = scheme + authority
        let isLiteral = authority.hasPrefix("[")
        let host = isLiteral ? authority.prefix { $0 != "]" } : authority.prefix { $0 != ":" }
        isLoopback = ["127.0.0.1", "localhost", "[::1"].contains(host)
    }
}
