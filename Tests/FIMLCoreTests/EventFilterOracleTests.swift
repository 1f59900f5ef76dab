import FIMLCore
import GatewayTesting
import Testing

/// Judges a filter's JSON against an event's JSON, as the protocol's text reads, without any of the module's
/// types for filters.
private struct NaiveFilter {
    static let ranks = ["low", "medium", "high", "critical"]

    let filter: JSONValue
    let event: JSONValue

    var passes: Bool {
        for (list, member) in [
            ("severities", "severity"), ("watchdogs", "watchdog"), ("event_types", "type"),
        ] {
            if let allowed = filter[list]?.elements, !allowed.contains(event[member] ?? .null) {
                return false
            }
        }
        if let minimum = filter["min_severity"]?.text, rank(event["severity"]) < rank(.string(minimum)) {
            return false
        }
        if let node = filter["where"], !holds(node) { return false }
        let symbols = event["assets"]?.elements?.compactMap(\.text) ?? []
        guard !symbols.isEmpty else { return filter["include_market_wide"] != false }
        if let types = filter["asset_types"]?.elements,
            !types.contains(event["asset"]?["asset_type"] ?? .null)
        {
            return false
        }
        guard let patterns = filter["assets"]?.elements?.compactMap(\.text) else { return true }
        return symbols.contains { symbol in
            patterns.contains { pattern in
                pattern.last == "*" ? symbol.hasPrefix(pattern.dropLast()) : symbol == pattern
            }
        }
    }

    private func rank(_ name: JSONValue?) -> Int {
        Self.ranks.firstIndex(of: name?.text ?? "") ?? -1
    }

    private func holds(_ node: JSONValue) -> Bool {
        if let op = node["op"]?.text {
            let results = (node["nodes"]?.elements ?? []).map(holds)
            return op == "and" ? !results.contains(false) : op == "or" ? results.contains(true) : !results[0]
        }
        let key = node["key"]?.text ?? ""
        var found: JSONValue? = event
        for name in key.split(separator: ".") { found = found?[String(name)] }
        let cmp = node["cmp"]?.text ?? ""
        let isThere = found != nil && found != .null
        if cmp == "ex" || cmp == "nex" { return isThere == (cmp == "ex") }
        let operands = node["vals"]?.elements ?? [node["val"] ?? .null]
        let values = found?.elements ?? (isThere ? [found ?? .null] : [])
        let negated = cmp == "neq" || cmp == "nin"
        let anyHolds = values.contains { value in
            operands.contains { compares(value, cmp, $0, bySeverity: key == "severity") }
        }
        return anyHolds != negated
    }

    private func compares(_ value: JSONValue, _ cmp: String, _ operand: JSONValue, bySeverity: Bool) -> Bool {
        if bySeverity {
            return compares(
                .integer(Int64(rank(value))), cmp, .integer(Int64(rank(operand))), bySeverity: false)
        }
        if let left = value.double, let right = operand.double { return ordered(left, cmp, right) }
        if let left = value.text, let right = operand.text {
            switch cmp {
            case "sw": return left.hasPrefix(right)
            case "ew": return left.hasSuffix(right)
            // Where Foundation is linked, `contains` finds the empty text nowhere.
            case "ct": return right.isEmpty || left.contains(right)
            default: return ordered(left, cmp, right)
            }
        }
        return ["eq", "neq", "in", "nin"].contains(cmp) && value == operand
    }

    private func ordered<Value: Comparable>(_ left: Value, _ cmp: String, _ right: Value) -> Bool {
        switch cmp {
        case "gt": left > right
        case "gte": left >= right
        case "lt": left < right
        case "lte": left <= right
        default: left == right
        }
    }
}

@Suite("A filter judges as a naive reading of the protocol does")
struct EventFilterOracleTests {
    private static let symbols = ["BTC", "BTCB", "ETH", "SOL", "SPY", "S"]
    private static let texts = ["", "a", "ab", "b", "ba", "abab"]

    @Test("Over random filters and events", arguments: [UInt64(1), 2, 3, 4])
    func random(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        var passed = 0
        for _ in 0..<100 {
            let json = Self.event(&generator)
            let event = try WatchdogEvent.parse(
                json, receivedAt: Timestamp(milliseconds: 1_795_497_841_000), newEventID: { "evt_1" })
            let matchable = MatchableEvent(event)
            let complete = try JSONValue.parse(event.json)
            for _ in 0..<50 {
                let filter = Self.filter(&generator)
                let expected = NaiveFilter(filter: filter, event: complete).passes
                let compiled = try EventFilter.parse(filter)
                #expect(
                    compiled.matches(matchable) == expected, "\(text(filter.json)) on \(text(complete.json))")
                let normalised = try EventFilter.parse(JSONValue.parse(compiled.json))
                #expect(normalised == compiled)
                #expect(normalised.matches(matchable) == expected)
                passed += expected ? 1 : 0
            }
        }
        #expect(
            (500...4500).contains(passed), "the random filters decide both ways: \(passed) of 5000 passed")
    }

    private static func event(_ generator: inout SeededGenerator) -> JSONValue {
        var members: [String: JSONValue] = [
            "type": .string(pick(EventType.allCases.map(\.rawValue), &generator)),
            "severity": .string(pick(Severity.allCases.map(\.rawValue), &generator)),
            "watchdog": .string(pick(WatchdogName.allCases.map(\.rawValue), &generator)),
            "description": .string("x" + pick(texts, &generator)),
            "data": [
                "a": scalar(&generator), "b": ["c": scalar(&generator), "d": .null], "list": [1, "ab"],
            ],
        ]
        if Bool.random(using: &generator) {
            members["asset"] = [
                "symbol": .string(pick(symbols, &generator)),
                "asset_type": .string(pick(AssetType.allCases.map(\.rawValue), &generator)),
            ]
        }
        if Bool.random(using: &generator) { members["assets"] = .array(list(symbols, &generator)) }
        return .object(members)
    }

    private static func filter(_ generator: inout SeededGenerator) -> JSONValue {
        var members: [String: JSONValue] = [:]
        func sometimes(_ name: String, _ value: @autoclosure () -> JSONValue) {
            if Int.random(in: 0..<4, using: &generator) == 0 { members[name] = value() }
        }
        let rich = { (names: [String], generator: inout SeededGenerator) -> JSONValue in
            .array(list(names, &generator) + list(names, &generator) + list(names, &generator))
        }
        sometimes("severities", rich(Severity.allCases.map(\.rawValue), &generator))
        sometimes("min_severity", .string(pick(Severity.allCases.map(\.rawValue), &generator)))
        sometimes("watchdogs", rich(WatchdogName.allCases.map(\.rawValue), &generator))
        sometimes("event_types", rich(EventType.allCases.map(\.rawValue), &generator))
        sometimes("assets", .array(list(symbols + ["B*", "BTC*", "S*", "X*"], &generator)))
        sometimes("asset_types", rich(AssetType.allCases.map(\.rawValue), &generator))
        sometimes("include_market_wide", .bool(Bool.random(using: &generator)))
        if Bool.random(using: &generator) { members["where"] = condition(depth: 3, &generator) }
        return .object(members)
    }

    private static func condition(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        if depth > 0, Bool.random(using: &generator) {
            let op = pick(["and", "or", "not"], &generator)
            let count = op == "not" ? 1 : Int.random(in: 1...3, using: &generator)
            return [
                "op": .string(op),
                "nodes": .array((0..<count).map { _ in condition(depth: depth - 1, &generator) }),
            ]
        }
        let severity = Int.random(in: 0..<6, using: &generator) == 0
        let key =
            severity
            ? "severity"
            : pick(
                [
                    "data.a", "data.b.c", "data.b.d", "data.list", "data.x", "assets", "asset.symbol",
                    "description",
                ], &generator)
        let cmp = pick(
            ["eq", "neq", "in", "nin", "ex", "nex", "gt", "gte", "lt", "lte"]
                + (severity ? [] : ["sw", "ew", "ct"]),
            &generator)
        let severities = Severity.allCases.map(\.rawValue)
        switch cmp {
        case "ex", "nex": return ["key": .string(key), "cmp": .string(cmp)]
        case "in", "nin":
            let operands = (0..<3).map { _ in
                severity ? .string(pick(severities, &generator)) : scalar(&generator)
            }
            return ["key": .string(key), "cmp": .string(cmp), "vals": .array(operands)]
        case "sw", "ew", "ct":
            return [
                "key": .string(key), "cmp": .string(cmp),
                "val": .string(pick(texts + ["B", "C", "T"], &generator)),
            ]
        default:
            var operand = severity ? .string(pick(severities, &generator)) : scalar(&generator)
            if operand.boolean != nil { operand = 1 }
            return ["key": .string(key), "cmp": .string(cmp), "val": operand]
        }
    }

    private static func scalar(_ generator: inout SeededGenerator) -> JSONValue {
        pick(
            [0, 1, 2, 1.5, 2.0, -1, true, false, "a", "ab", "abab", "BTC", "SPY", "1"] as [JSONValue],
            &generator)
    }

    private static func list(_ names: [String], _ generator: inout SeededGenerator) -> [JSONValue] {
        (0..<Int.random(in: 1...3, using: &generator)).map { _ in .string(pick(names, &generator)) }
    }

    private static func pick<Element>(_ elements: [Element], _ generator: inout SeededGenerator) -> Element {
        elements[Int.random(in: elements.indices, using: &generator)]
    }
}
