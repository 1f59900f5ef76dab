/// What a server answered, whatever its status.
public struct WebResponse: Sendable {
    /// Three digits.
    public var status: Int
    /// The content, decompressed.
    public var body: [UInt8]
    /// From the request to the last byte.
    public var elapsed: Duration
    /// By name in lower case; the values of a repeated field are joined by ", " (RFC 9110 section 5.3).
    var fields: [String: String]

    /// The value of a field, whatever the case of its name; nil where the answer has none.
    public func field(_ name: String) -> String? {
        fields[name.lowercased()]
    }
}
