/// The request target taken apart (RFC 9112 section 3.2, RFC 3986).
struct RequestTarget {
    /// Percent-decoded.
    let path: String
    let queryText: String
    /// Only of an absolute-form target.
    let authority: String?

    init(_ target: String, method: String) throws(HTTPViolation) {
        // Section 3.2.3: the authority-form belongs to CONNECT alone, which is for proxies.
        guard method != "CONNECT" else { throw .connectNotSupported }
        // A fragment never belongs to a target (RFC 9110 section 7.1).
        guard target.utf8.allSatisfy({ $0.isVisibleASCII && $0 != UInt8(ascii: "#") }) else {
            throw .invalidTarget
        }
        if target == "*" {
            // Section 3.2.4: the asterisk-form is only for a server-wide OPTIONS.
            guard method == "OPTIONS" else { throw .invalidTarget }
            (path, queryText, authority) = (target, "", nil)
            return
        }
        var rest = target.utf8[...]
        if rest.first == UInt8(ascii: "/") {
            authority = nil
        } else {
            (authority, rest) = try RequestTarget.splitAbsoluteForm(target)
        }
        let pathEnd = rest.firstIndex(of: UInt8(ascii: "?")) ?? rest.endIndex
        path = try RequestTarget.decodedPath(rest[..<pathEnd])
        queryText = String(rest[pathEnd...].dropFirst()) ?? ""
    }

    /// Section 3.2.2: a server must accept the absolute-form, and take its host rather than that of Host.
    private static func splitAbsoluteForm(
        _ target: String
    ) throws(HTTPViolation) -> (authority: String, rest: Substring.UTF8View) {
        let text = target.utf8
        let scheme = ["http://", "https://"].first { scheme in
            text.count >= scheme.utf8.count && zip(text, scheme.utf8).allSatisfy { $0.lowercased == $1 }
        }
        guard let scheme else { throw .invalidTarget }
        let afterScheme = text.dropFirst(scheme.utf8.count)
        let authorityEnd =
            afterScheme.firstIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "?") }
            ?? afterScheme.endIndex
        let authority = afterScheme[..<authorityEnd]
        guard isAuthority(Array(authority)) else { throw .invalidHost }
        return (String(authority) ?? "", afterScheme[authorityEnd...])
    }

    private static func decodedPath(_ encoded: Substring.UTF8View) throws(HTTPViolation) -> String {
        // RFC 9110 section 4.2.3: an empty path is the same as "/".
        guard !encoded.isEmpty else { return "/" }
        guard encoded.contains(UInt8(ascii: "%")) else { return String(encoded) ?? "" }
        guard let bytes = percentDecoded(encoded, asForm: false), !bytes.contains(0),
            let path = String(validating: bytes, as: UTF8.self)
        else { throw .invalidPercentEncoding }
        return path
    }

    /// `application/x-www-form-urlencoded` as section 5.1 of the WHATWG URL standard has it: any text is one.
    static func formDecoded(_ text: some Collection<UInt8>) -> String {
        String(decoding: percentDecoded(text, asForm: true) ?? [], as: UTF8.self)
    }

    /// Decodes `%` and two digits (RFC 3986 section 2.1). An escape that is none gives nil, in a form it
    /// stays as it is.
    private static func percentDecoded(_ text: some Collection<UInt8>, asForm: Bool) -> [UInt8]? {
        var decoded: [UInt8] = []
        decoded.reserveCapacity(text.count)
        var rest = text[...]
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "%"):
                let digits = rest.prefix(2).compactMap(\.hexValue)
                if digits.count == 2 {
                    decoded.append(digits[0] << 4 | digits[1])
                    rest = rest.dropFirst(2)
                } else if asForm {
                    decoded.append(byte)
                } else {
                    return nil
                }
            case UInt8(ascii: "+") where asForm: decoded.append(.space)
            default: decoded.append(byte)
            }
        }
        return decoded
    }

    /// Whether a text is `uri-host [":" port]` (RFC 9110 section 7.2) without user information (section
    /// 4.2.4) and with a host that is not empty, as http URIs demand (section 4.2.1).
    static func isAuthority(_ text: [UInt8]) -> Bool {
        let isLiteral = text.first == UInt8(ascii: "[")
        let hostEnd: Int
        if isLiteral {
            guard let bracket = text.firstIndex(of: UInt8(ascii: "]")) else { return false }
            hostEnd = bracket + 1
            let address = text[..<bracket].dropFirst()
            guard !address.isEmpty, address.allSatisfy(\.isIPv6AddressByte) else { return false }
        } else {
            hostEnd = text.firstIndex(of: .colon) ?? text.endIndex
            let name = text[..<hostEnd]
            guard !name.isEmpty, name.allSatisfy(\.isRegisteredNameByte) else { return false }
        }
        let port = text[hostEnd...]
        guard let separator = port.first else { return true }
        return separator == .colon && port.dropFirst().allSatisfy(\.isDigit)
    }
}
