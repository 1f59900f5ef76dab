/// The `where` of a filter: comparisons joined by and, or, not.
indirect enum FilterCondition: Sendable {
    case and([FilterCondition])
    case or([FilterCondition])
    case not(FilterCondition)
    case comparison(FilterComparison)

    func isSatisfied(by event: MatchableEvent) -> Bool {
        switch self {
        case .and(let nodes): nodes.allSatisfy { $0.isSatisfied(by: event) }
        case .or(let nodes): nodes.contains { $0.isSatisfied(by: event) }
        case .not(let node): !node.isSatisfied(by: event)
        case .comparison(let comparison): comparison.isSatisfied(by: event)
        }
    }
}

/// One comparison of a place in the event with what the filter gives.
///
/// A place that the event lacks, or that is null, satisfies only neq, nin and nex. A place that holds a list
/// satisfies a comparison where any of its entries does, and neq and nin where none is equal. Numbers compare
/// with numbers, text with text by Unicode; between the two kinds nothing is equal, less or greater.
struct FilterComparison: Sendable {
    enum Operation: String, CaseIterable, Sendable {
        case eq, neq, `in`, nin, ex, nex, sw, ew, ct, gt, gte, lt, lte
    }

    let path: EventPath
    let operation: Operation
    /// What to compare with: any number for in and nin, none for ex and nex, else one.
    let operands: [JSONValue]

    func isSatisfied(by event: MatchableEvent) -> Bool {
        let value = path.value(in: event)
        return switch operation {
        case .ex: value != .null
        case .nex: value == .null
        case .eq, .in: any(of: value, Self.areEqual)
        case .neq, .nin: !any(of: value, Self.areEqual)
        case .gt: any(of: value) { Self.isLess($1, $0) }
        case .gte: any(of: value) { Self.isLess($1, $0) || Self.areEqual($0, $1) }
        case .lt: any(of: value, Self.isLess)
        case .lte: any(of: value) { Self.isLess($0, $1) || Self.areEqual($0, $1) }
        case .sw: any(of: value) { Self.areTexts($0, $1) { $0.starts(with: $1) } }
        case .ew: any(of: value) { Self.areTexts($0, $1) { $0.reversed().starts(with: $1.reversed()) } }
        case .ct: any(of: value) { Self.areTexts($0, $1, Self.contains) }
        }
    }

    /// Whether the value, or any entry of the list that it is, stands so to any of the operands.
    private func any(of value: JSONValue, _ holds: (JSONValue, JSONValue) -> Bool) -> Bool {
        if case .array(let elements) = value {
            return elements.contains { element in operands.contains { holds(element, $0) } }
        }
        return operands.contains { holds(value, $0) }
    }

    private static func areEqual(_ value: JSONValue, _ operand: JSONValue) -> Bool {
        switch (value, operand) {
        case (.string(let left), .string(let right)): left == right
        case (.bool(let left), .bool(let right)): left == right
        case (.integer(let left), .integer(let right)): left == right
        case (.integer, .number), (.number, .integer), (.number, .number): value.double == operand.double
        case (.null, _), (.bool, _), (.integer, _), (.number, _), (.string, _), (.array, _), (.object, _):
            false
        }
    }

    private static func isLess(_ value: JSONValue, _ operand: JSONValue) -> Bool {
        switch (value, operand) {
        case (.string(let left), .string(let right)): return left < right
        case (.integer(let left), .integer(let right)): return left < right
        case (.integer, .number), (.number, .integer), (.number, .number):
            guard let left = value.double, let right = operand.double else { return false }
            return left < right
        case (.null, _), (.bool, _), (.integer, _), (.number, _), (.string, _), (.array, _), (.object, _):
            return false
        }
    }

    private static func areTexts(
        _ value: JSONValue, _ operand: JSONValue, _ holds: (String.UTF8View, String.UTF8View) -> Bool
    ) -> Bool {
        guard let text = value.text, let part = operand.text else { return false }
        return holds(text.utf8, part.utf8)
    }

    private static func contains(_ text: String.UTF8View, _ part: String.UTF8View) -> Bool {
        guard let first = part.first else { return true }
        var rest = text[...]
        while rest.count >= part.count, let start = rest.firstIndex(of: first) {
            rest = rest[start...]
            if rest.starts(with: part) { return true }
            rest.removeFirst()
        }
        return false
    }
}
