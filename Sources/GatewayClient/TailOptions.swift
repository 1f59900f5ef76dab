import FIMLCore

/// What `tail` was asked for.
public struct TailOptions: Sendable {
    /// Where the gateway is; nil where the command line does not say.
    public var url: GatewayURL?
    /// Which events.
    public var filter = EventFilter.everything
    /// From where on.
    public var start = SubscriptionStart.live
    /// As which session, so that another run goes on where this one was; nil as none.
    public var session: SessionName?
    /// Whether events are printed as the server sent them.
    public var printsJSON = false
    /// Ends after so many events.
    public var count: Int?
    /// Ends after so many seconds.
    public var timeoutSeconds: Int?
    /// Whether any certificate will do.
    public var isInsecure = false
    /// PEM file of the certificate authorities to trust instead of the system's.
    public var caFile: String?

    /// The flags that become members of the filter, with the member's name.
    private static let filterFlags = [
        ("--min-severity", "min_severity"), ("--severity", "severities"), ("--watchdog", "watchdogs"),
        ("--event-type", "event_types"), ("--asset", "assets"), ("--asset-type", "asset_types"),
        ("--where", "where"),
    ]

    private static let flags: [Arguments.Flag] =
        [.value("--url")] + filterFlags.map { .list($0.0) } + [
            .toggle("--no-market-wide"), .value("--filter"), .value("--since"), .value("--last"),
            .value("--session"), .toggle("--json"), .value("--count"), .value("--timeout"),
            .toggle("--insecure"),
            .value("--ca-file"),
        ]

    /// Reads the words behind `tail`; everything is checked before a connection is made.
    public init(_ words: some Sequence<String>) throws(UsageError) {
        let arguments = try Arguments(words, of: "tail", flags: Self.flags)
        if let text = arguments.value("--url") {
            guard let url = GatewayURL(text) else {
                throw UsageError(
                    "--url \(text) is not allowed: ws://host:port/path, also with wss, http or https")
            }
            self.url = url
        }
        filter = try Self.filter(arguments)
        start = try Self.start(arguments)
        session = try Self.session(arguments)
        printsJSON = arguments.has("--json")
        count = try arguments.integer("--count", in: 1...1_000_000_000)
        timeoutSeconds = try arguments.integer("--timeout", in: 1...1_000_000)
        isInsecure = arguments.has("--insecure")
        caFile = arguments.value("--ca-file")
        guard !isInsecure || caFile == nil else {
            throw UsageError("--ca-file is without effect beside --insecure; give one of them")
        }
    }

    /// The name is a secret: an error does not repeat it.
    private static func session(_ arguments: Arguments) throws(UsageError) -> SessionName? {
        guard let text = arguments.value("--session") else { return nil }
        guard let session = SessionName(text) else {
            throw UsageError(
                "--session is not allowed: 16 to 128 of the characters A-Z a-z 0-9 . _ -, drawn at random")
        }
        return session
    }

    private static func filter(_ arguments: Arguments) throws(UsageError) -> EventFilter {
        var query: [(name: String, value: String)] = []
        for (flag, member) in filterFlags {
            query += arguments.values(flag).map { (member, $0) }
        }
        if arguments.has("--no-market-wide") { query.append(("include_market_wide", "false")) }
        if let json = arguments.value("--filter") {
            guard query.isEmpty else {
                throw UsageError("--filter is the whole filter; leave out the other flags of a filter")
            }
            return try wholeFilter(json)
        }
        do throws(FilterError) {
            return try EventFilter.parse(query: query).filter
        } catch {
            let member = error.path.prefix { $0 != "[" && $0 != "." }
            let flag = filterFlags.first { $0.1 == member }?.0 ?? "the filter"
            throw UsageError("\(flag): \(error.message)")
        }
    }

    private static func wholeFilter(_ json: String) throws(UsageError) -> EventFilter {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONValue.parse(Array(json.utf8))
        } catch {
            throw UsageError("--filter is not valid JSON: \(error)")
        }
        do throws(FilterError) {
            return try EventFilter.parse(value, at: "")
        } catch {
            throw UsageError("--filter: \(error.message)")
        }
    }

    private static func start(_ arguments: Arguments) throws(UsageError) -> SubscriptionStart {
        let last = try arguments.integer("--last", in: 0...SubscriptionStart.maximumLast)
        guard let since = arguments.value("--since") else { return last.map { .last($0) } ?? .live }
        guard last == nil else { throw UsageError("--since and --last exclude each other; give one of them") }
        guard let start = SubscriptionStart(since: since) else {
            throw UsageError(
                "--since \(since) is not allowed: a position such as 1732416001104-0, "
                    + "or a time such as 2026-11-24T05:24:01Z")
        }
        return start
    }
}
