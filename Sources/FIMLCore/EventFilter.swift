/// Which events a subscriber wants.
///
/// The entries of a list mean OR, the members mean AND, an absent member means any. Kept in a normal form,
/// lists sorted and each entry once: filters of the same normal form are equal, and the same JSON text is
/// echoed for them.
public struct EventFilter: Sendable {
    /// The bounds on what a filter may hold.
    public enum Limits {
        /// Entries of a list.
        public static let entries = 100
        /// Nodes of `where`.
        public static let nodes = 64
        /// Levels of `where`.
        public static let depth = 16
        /// Characters of a text within `where`.
        public static let text = 256
    }

    // One reference, so that a filter is copied for the price of one.
    private let clauses: FilterClauses

    init(_ clauses: FilterClauses) {
        self.clauses = clauses
    }

    /// The filter that every event passes: `{}`.
    public static let everything = EventFilter(
        FilterClauses(
            json: Array("{}".utf8), severities: .max, watchdogs: .max, eventTypes: .max, assetTypes: .max,
            assets: [], includesMarketWide: true, condition: nil))

    /// The normal form, as JSON text: members in the order of the public protocol, absent ones left out.
    public var json: [UInt8] {
        clauses.json
    }

    /// Whether an event passes. Allocates nothing for filters without `where`.
    public func matches(_ event: MatchableEvent) -> Bool {
        clauses.matches(event)
    }
}

extension EventFilter: Hashable {
    /// By the normal form.
    public static func == (left: EventFilter, right: EventFilter) -> Bool {
        left.json == right.json
    }

    /// By the normal form.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(json)
    }
}

extension EventFilter: JSONWritable {
    /// Writes the normal form.
    public func write(to writer: inout JSONWriter) {
        writer.raw(json)
    }
}

/// What an `EventFilter` consists of, never changed.
final class FilterClauses: Sendable {
    let json: [UInt8]
    // One bit for each case that passes; all bits where any does.
    private let severities: UInt16
    private let watchdogs: UInt16
    private let eventTypes: UInt16
    private let assetTypes: UInt16
    /// Symbols that pass as they are, and by their beginning. Both empty: any passes.
    private let symbols: [String]
    private let prefixes: [String]
    private let includesMarketWide: Bool
    private let condition: FilterCondition?

    /// `assets` are symbols in upper case, and beginnings with an asterisk.
    init(
        json: [UInt8], severities: UInt16, watchdogs: UInt16, eventTypes: UInt16, assetTypes: UInt16,
        assets: [String], includesMarketWide: Bool, condition: FilterCondition?
    ) {
        self.json = json
        self.severities = severities
        self.watchdogs = watchdogs
        self.eventTypes = eventTypes
        self.assetTypes = assetTypes
        symbols = assets.filter { !$0.hasSuffix("*") }
        prefixes = assets.filter { $0.hasSuffix("*") }.map { String($0.dropLast()) }
        self.includesMarketWide = includesMarketWide
        self.condition = condition
    }

    func matches(_ event: MatchableEvent) -> Bool {
        guard severities & event.severity != 0, eventTypes & event.type != 0, watchdogs & event.watchdog != 0,
            passesAssets(event)
        else { return false }
        return condition?.isSatisfied(by: event) ?? true
    }

    private func passesAssets(_ event: MatchableEvent) -> Bool {
        let eventSymbols = event.event.assets
        if eventSymbols.isEmpty && event.assetType == 0 { return includesMarketWide }
        guard assetTypes == .max || assetTypes & event.assetType != 0 else { return false }
        if symbols.isEmpty && prefixes.isEmpty { return true }
        for symbol in eventSymbols {
            if symbols.contains(symbol) { return true }
            for prefix in prefixes where symbol.utf8.starts(with: prefix.utf8) { return true }
        }
        return false
    }
}
