import WebClient

extension ProviderRequest {
    /// The request against the API at `baseURL`.
    func web(
        baseURL: String, conditions: [(name: String, value: String)], _ limits: ProviderLimits,
        userAgent: String = ProviderClient.userAgent
    ) -> WebRequest {
        let parameters = query.map { $0.map(Self.encoded).joined(separator: "=") }.joined(separator: "&")
        var fields = self.fields.compactMap { $0.count == 2 ? (name: $0[0], value: $0[1]) : nil } + conditions
        func add(_ name: String, _ value: String) {
            guard !fields.contains(where: { $0.name.lowercased() == name.lowercased() }) else { return }
            fields.append((name, value))
        }
        // The SEC asks for one, and it is good manners elsewhere.
        add("User-Agent", userAgent)
        if body != nil { add("Content-Type", "application/json") }
        return WebRequest(
            baseURL + path + (parameters.isEmpty ? "" : "?\(parameters)"), fields: fields, body: body,
            timeLimit: limits.timeLimit, maxBytes: limits.maxBytes)
    }

    /// A name or value of a query: all but the unreserved characters as `%` and two digits (RFC 3986 section
    /// 2.1).
    static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF".utf8)
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if isUnreserved(byte) {
                bytes.append(byte)
            } else {
                bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// RFC 3986 section 2.3.
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "-._~".utf8.contains(byte)
        }
    }
}
