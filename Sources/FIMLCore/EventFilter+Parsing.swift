extension EventFilter {
    /// The members, in the order in which they are written.
    public static let names = [
        "min_severity", "severities", "watchdogs", "event_types", "assets", "asset_types",
        "include_market_wide",
        "where",
    ]

    /// Reads the filter of a message. `path` is what errors call it.
    ///
    /// `min_severity` beside `severities`: both apply. `assets` are symbols, put into upper case, or
    /// beginnings with an asterisk; an event passes by any of its assets, and `asset_types` looks at the type
    /// of its `asset`. An event about no asset passes both of them, and is refused by `include_market_wide:
    /// false`. An empty list is an error, since it would let nothing through. Throws the first thing that is
    /// wrong, by its path.
    public static func parse(_ value: JSONValue, at path: String = "filter") throws(FilterError)
        -> EventFilter
    {
        let reader = try MemberReader(value, at: path, allowed: names)
        var writer = JSONWriter()
        writer.beginObject()
        let minimum: Severity? = try reader.choice("min_severity")
        writer.member("min_severity", ifPresent: minimum)
        let atLeast = Severity.allCases.filter { $0 >= minimum ?? .low }.reduce(0) { $0 | $1.bit }
        let severities = try Severity.bits(reader, "severities", &writer)
        let watchdogs = try WatchdogName.bits(reader, "watchdogs", &writer)
        let eventTypes = try EventType.bits(reader, "event_types", &writer)
        let assets = try assets(reader)
        writer.member("assets", ifPresent: assets)
        let assetTypes = try AssetType.bits(reader, "asset_types", &writer)
        let includesMarketWide = try reader.bool("include_market_wide") ?? true
        if !includesMarketWide { writer.member("include_market_wide", false) }
        var condition: FilterCondition?
        if let value = reader.value("where") {
            var parser = FilterConditionParser()
            condition = try parser.parse(value, at: reader.path(of: "where"))
            writer.name("where")
            writer.raw(parser.normalForm.bytes)
        }
        writer.endObject()
        return EventFilter(
            FilterClauses(
                json: writer.bytes, severities: severities & atLeast, watchdogs: watchdogs,
                eventTypes: eventTypes, assetTypes: assetTypes, assets: assets ?? [],
                includesMarketWide: includesMarketWide, condition: condition))
    }

    /// Reads the filter of a query string, `severities=critical,high&assets=BTC,ETH*&where={…}`, from its
    /// decoded names and values. Lists are separated by commas, or named several times.
    ///
    /// `rest` holds, in their order, the pairs whose names are none of a filter: the caller takes from them
    /// what it knows and refuses what is left.
    public static func parse(
        query: [(name: String, value: String)]
    ) throws(FilterError) -> (filter: EventFilter, rest: [(name: String, value: String)]) {
        var members: [String: JSONValue] = [:]
        var rest: [(name: String, value: String)] = []
        for (name, value) in query {
            switch name {
            case "severities", "watchdogs", "event_types", "assets", "asset_types":
                let entries = value.split(separator: ",", omittingEmptySubsequences: false)
                members[name] = .array(
                    (members[name]?.elements ?? []) + entries.map { .string(String($0)) })
            case "min_severity", "include_market_wide", "where":
                guard members[name] == nil else {
                    throw InvalidMember(path: name, problem: "must be given once")
                }
                members[name] = try scalar(name, value)
            default:
                rest.append((name, value))
            }
        }
        return (try parse(.object(members), at: ""), rest)
    }

    private static func scalar(_ name: String, _ value: String) throws(InvalidMember) -> JSONValue {
        switch (name, value) {
        case ("include_market_wide", "true"): return true
        case ("include_market_wide", "false"): return false
        case ("where", _):
            do {
                return try JSONValue.parse(Array(value.utf8))
            } catch {
                throw InvalidMember(path: name, problem: "is not valid JSON: \(error)")
            }
        default: return .string(value)
        }
    }

    private static func assets(_ reader: MemberReader) throws(InvalidMember) -> [String]? {
        guard let elements = try reader.list("assets", limit: Limits.entries) else { return nil }
        var assets: Set<String> = []
        for (index, element) in elements.enumerated() {
            let text = element.text ?? ""
            guard text == "*" || Asset.isSymbol(text.hasSuffix("*") ? String(text.dropLast()) : text) else {
                throw InvalidMember(
                    path: "\(reader.path(of: "assets"))[\(index)]",
                    problem:
                        "must be a symbol, 1 to 32 characters of printable ASCII without space and comma, "
                        + "or the beginning of one with an asterisk")
            }
            assets.insert(text.uppercased())
        }
        return assets.sorted()
    }
}

extension CaseIterable where Self: RawRepresentable<String> & JSONWritable & Equatable {
    /// The bits of the cases that a list names, all bits where there is no list; writes the list in normal
    /// form.
    fileprivate static func bits(
        _ reader: MemberReader, _ name: String, _ writer: inout JSONWriter
    ) throws(InvalidMember) -> UInt16 {
        guard let elements = try reader.list(name, limit: EventFilter.Limits.entries) else { return .max }
        var bits: UInt16 = 0
        for (index, element) in elements.enumerated() {
            bits |= try named(element, at: "\(reader.path(of: name))[\(index)]").bit
        }
        writer.member(name, allCases.filter { bits & $0.bit != 0 })
        return bits
    }
}
