/// Reads the `where` of a filter and writes its normal form on the way.
///
/// Bounds: 64 nodes, 16 levels, 100 entries of a list, 256 characters of a text.
struct FilterConditionParser {
    private var nodes = 0
    private(set) var normalForm = JSONWriter()

    mutating func parse(_ value: JSONValue, at path: String, depth: Int = 1) throws(InvalidMember)
        -> FilterCondition
    {
        nodes += 1
        guard nodes <= EventFilter.Limits.nodes else {
            throw InvalidMember(
                path: path, problem: "is one node too many; at most \(EventFilter.Limits.nodes)")
        }
        guard depth <= EventFilter.Limits.depth else {
            throw InvalidMember(
                path: path, problem: "is nested too deeply; at most \(EventFilter.Limits.depth) levels")
        }
        let isBranch = value["op"] != nil || value["nodes"] != nil
        return isBranch
            ? try branch(value, at: path, depth: depth) : .comparison(try comparison(value, at: path))
    }

    private enum Operator: String, CaseIterable {
        case and, or, not
    }

    private mutating func branch(
        _ value: JSONValue, at path: String, depth: Int
    ) throws(InvalidMember) -> FilterCondition {
        let reader = try MemberReader(value, at: path, allowed: ["op", "nodes"])
        let op: Operator = try reader.require("op", reader.choice)
        normalForm.beginObject()
        normalForm.member("op", op.rawValue)
        normalForm.name("nodes")
        normalForm.beginArray()
        var nodes: [FilterCondition] = []
        for (index, node) in try reader.requiredList("nodes", limit: EventFilter.Limits.nodes).enumerated() {
            nodes.append(try parse(node, at: "\(reader.path(of: "nodes"))[\(index)]", depth: depth + 1))
        }
        normalForm.endArray()
        normalForm.endObject()
        switch op {
        case .and: return .and(nodes)
        case .or: return .or(nodes)
        case .not:
            guard nodes.count == 1 else {
                throw InvalidMember(
                    path: reader.path(of: "nodes"), problem: "of 'not' must have exactly one entry")
            }
            return .not(nodes[0])
        }
    }

    private mutating func comparison(_ value: JSONValue, at path: String) throws(InvalidMember)
        -> FilterComparison
    {
        let reader = try MemberReader(value, at: path, allowed: ["key", "cmp", "val", "vals", "op", "nodes"])
        let key = try reader.requiredText("key", limit: EventFilter.Limits.text)
        guard let eventPath = EventPath(key) else {
            throw InvalidMember.unknown(key, "key", at: reader.path(of: "key"), known: EventPath.known)
        }
        let operation: FilterComparison.Operation = try Self.operation(reader)
        let given = try Self.operands(reader, of: operation)
        var operands: [JSONValue] = []
        for (place, operand) in given {
            try Self.check(operand, suits: operation, at: place)
            operands.append(try Self.translate(operand, for: eventPath, operation, at: place))
        }
        write(key: key, operation, given.map(\.operand))
        return FilterComparison(path: eventPath, operation: operation, operands: operands)
    }

    private static func operation(_ reader: MemberReader) throws(InvalidMember) -> FilterComparison.Operation
    {
        let name = try reader.requiredText("cmp", limit: EventFilter.Limits.text)
        guard let operation = FilterComparison.Operation(rawValue: name) else {
            throw InvalidMember.unknown(
                name, "comparison", at: reader.path(of: "cmp"),
                known: FilterComparison.Operation.allCases.map(\.rawValue))
        }
        return operation
    }

    /// The operands with their paths: of `vals` sorted and each once.
    private static func operands(
        _ reader: MemberReader, of operation: FilterComparison.Operation
    ) throws(InvalidMember) -> [(place: String, operand: JSONValue)] {
        let takesList = operation == .in || operation == .nin
        let takesNone = operation == .ex || operation == .nex
        for name in ["val", "vals"]
        where reader.value(name) != nil && (takesNone || (name == "vals") != takesList) {
            throw InvalidMember(
                path: reader.path(of: name), problem: "does not go with '\(operation.rawValue)'")
        }
        if takesNone { return [] }
        guard takesList else {
            return [(reader.path(of: "val"), normalised(try reader.require("val", reader.value)))]
        }
        let entries = try reader.requiredList("vals", limit: EventFilter.Limits.entries)
        var seen: Set<JSONValue> = []
        return entries.enumerated()
            .map { (place: "\(reader.path(of: "vals"))[\($0.offset)]", operand: normalised($0.element)) }
            .filter { seen.insert($0.operand).inserted }
            .sorted { $0.operand.json.lexicographicallyPrecedes($1.operand.json) }
    }

    /// 5000000.0 is 5000000, so that equal filters have one form.
    private static func normalised(_ operand: JSONValue) -> JSONValue {
        operand.int64.map(JSONValue.integer) ?? operand
    }

    private static func check(
        _ operand: JSONValue, suits operation: FilterComparison.Operation, at place: String
    ) throws(InvalidMember) {
        switch operation {
        case .sw, .ew, .ct:
            guard operand.text != nil else { throw InvalidMember(path: place, problem: "must be a string") }
        case .gt, .gte, .lt, .lte:
            guard operand.text != nil || operand.double != nil else {
                throw InvalidMember(path: place, problem: "must be a string or a number")
            }
        case .eq, .neq, .in, .nin, .ex, .nex:
            guard operand.text != nil || operand.double != nil || operand.boolean != nil else {
                throw InvalidMember(path: place, problem: "must be a string, a number, true or false")
            }
        }
        if let text = operand.text, text.unicodeScalars.count > EventFilter.Limits.text {
            throw InvalidMember(
                path: place, problem: "must not be longer than \(EventFilter.Limits.text) characters")
        }
    }

    /// The operand as the field's values are compared: a severity as its rank, a time as its milliseconds.
    private static func translate(
        _ operand: JSONValue, for path: EventPath, _ operation: FilterComparison.Operation, at place: String
    ) throws(InvalidMember) -> JSONValue {
        guard case .field(let field) = path else { return operand }
        switch operation {
        case .sw, .ew, .ct:
            switch field.kind {
            case .severity, .time:
                throw InvalidMember(
                    path: place,
                    problem: "cannot be found with '\(operation.rawValue)' in '\(field.rawValue)'")
            case .plain, .name: return operand
            }
        case .eq, .neq, .in, .nin, .ex, .nex, .gt, .gte, .lt, .lte: break
        }
        switch field.kind {
        case .plain: return operand
        case .severity: return .integer(Int64(try Severity.named(operand, at: place).rank))
        case .time:
            guard let timestamp = operand.text.flatMap(Timestamp.init(rfc3339:)) else {
                throw InvalidMember(path: place, problem: "must be a time of RFC 3339")
            }
            return .integer(timestamp.milliseconds)
        case .name(let known):
            guard let text = operand.text, known.contains(text) else {
                throw InvalidMember.unknown(
                    operand.text ?? String(decoding: operand.json, as: UTF8.self), at: place, known: known)
            }
            return operand
        }
    }

    private mutating func write(key: String, _ operation: FilterComparison.Operation, _ operands: [JSONValue])
    {
        normalForm.beginObject()
        normalForm.member("key", key)
        normalForm.member("cmp", operation.rawValue)
        switch operation {
        case .in, .nin: normalForm.member("vals", operands)
        case .ex, .nex: break
        case .eq, .neq, .sw, .ew, .ct, .gt, .gte, .lt, .lte: normalForm.member("val", operands[0])
        }
        normalForm.endObject()
    }
}
