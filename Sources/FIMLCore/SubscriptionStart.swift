/// From where on a subscription gets events.
public enum SubscriptionStart: Hashable, Sendable {
    /// What is published from now on.
    case live
    /// What lies after a position.
    case after(StreamPosition)
    /// What was stored at or after a moment.
    case since(Timestamp)
    /// The last so many that match, 0 to 1000.
    case last(Int)

    /// The most that `last` asks for.
    public static let maximumLast = 1000

    /// Reads `since` and `last`, of which at most one may be given; both nil is live. `since` is a position
    /// or an RFC 3339 time. `path` names the object in errors.
    static func parse(since: JSONValue?, last: JSONValue?) throws(InvalidMember) -> SubscriptionStart {
        switch (since, last) {
        case (nil, nil): return .live
        case (.some, .some):
            throw InvalidMember(path: "last", problem: "must not be given together with since")
        case (.some(let since), nil):
            guard let text = since.text, let start = SubscriptionStart(since: text) else {
                throw InvalidMember(path: "since", problem: "must be a position or a time of RFC 3339")
            }
            return start
        case (nil, .some(let last)):
            guard let count = last.int64, (0...Int64(maximumLast)).contains(count) else {
                throw InvalidMember(path: "last", problem: "must be a whole number from 0 to \(maximumLast)")
            }
            return .last(Int(count))
        }
    }

    /// What a text asks for as `since`: a position or an RFC 3339 time. nil for anything else.
    public init?(since text: String) {
        if let position = StreamPosition(text) {
            self = .after(position)
        } else if let timestamp = Timestamp(rfc3339: text) {
            self = .since(timestamp)
        } else {
            return nil
        }
    }

    /// Takes `since` and `last` out of the pairs of a query string; `rest` holds the others in their order.
    public static func parse(
        query: [(name: String, value: String)]
    ) throws(FilterError) -> (start: SubscriptionStart, rest: [(name: String, value: String)]) {
        var given: [String: JSONValue] = [:]
        for (name, value) in query where name == "since" || name == "last" {
            guard given[name] == nil else { throw InvalidMember(path: name, problem: "must be given once") }
            given[name] =
                name == "last" ? Int64(value).map(JSONValue.integer) ?? .string(value) : .string(value)
        }
        let start = try parse(since: given["since"], last: given["last"])
        return (start, query.filter { $0.name != "since" && $0.name != "last" })
    }
}
