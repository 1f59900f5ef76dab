/// One request over HTTP or HTTPS: a GET, or a POST where there is a body.
public struct WebRequest: Sendable {
    /// Absolute, encoded already.
    public var url: String
    /// What is said beside what the framing needs.
    public var fields: [(name: String, value: String)]
    /// What is posted.
    public var body: [UInt8]?
    /// How long the whole may take, redirects and the wait for a connection included.
    public var timeLimit: Duration
    /// How large the content of the answer may be, in bytes, decompressed.
    public var maxBytes: Int
    /// Whether a GET is asked again where a redirect points; else the redirect is the answer.
    public var followsRedirects: Bool

    /// A request; a GET unless there is a body.
    public init(
        _ url: String, fields: [(name: String, value: String)] = [], body: [UInt8]? = nil,
        timeLimit: Duration = .seconds(10), maxBytes: Int = 32 << 20, followsRedirects: Bool = true
    ) {
        self.url = url
        self.fields = fields
        self.body = body
        self.timeLimit = timeLimit
        self.maxBytes = maxBytes
        self.followsRedirects = followsRedirects
    }
}
