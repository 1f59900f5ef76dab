import FIMLCore

/// The figures of a finding while they are collected: each a value, or `null` and the reason why.
struct FigureSheet {
    /// By the names that the finding uses.
    private(set) var members: [String: JSONValue] = [:]
    /// What could not be had, or not be computed.
    private(set) var missing: [MissingFigures]
    private var present = 0

    /// Begins with what could not be had of what workers of that type need.
    init(_ type: WorkerType, _ figures: Figures) {
        missing = figures.missing.filter { type.needs.contains($0.need) }
    }

    /// The share of the figures that have a value, 0 to 1.
    var share: Double { members.isEmpty ? 0 : Double(present) / Double(members.count) }

    /// Adds a figure that is computed from `available` daily bars or returns and needs `needed`. Where it has
    /// no value although there are enough, `undefined` says why.
    mutating func add(
        _ name: String, _ value: JSONValue?, available: Int, needed: Int, of unit: String = "daily bars",
        undefined: @autoclosure () -> String = "its prices are too large or too small to compute with"
    ) {
        members[name] = value ?? .null
        guard value == nil || value == .null else {
            present += 1
            return
        }
        let reason = available < needed ? "\(available) \(unit), \(needed) needed" : undefined()
        missing.append(MissingFigures(.bars, name, reason: reason))
    }

    /// Adds a figure of any source; what is not finite is none. Where there is none, `reason` says why.
    mutating func add(_ name: String, _ value: Double?, need: DataNeed, reason: @autoclosure () -> String) {
        let figure = JSONValue.figure(value)
        members[name] = figure
        guard figure == .null else {
            present += 1
            return
        }
        missing.append(MissingFigures(need, name, reason: reason()))
    }
}

extension InsufficientData {
    /// There are `available` daily bars, fewer than a worker can say anything with; what `figures` says of
    /// their source comes with it.
    init(bars available: Int, needed: Int, _ figures: Figures) {
        self.init(
            [MissingFigures(.bars, reason: "\(available) daily bars, at least \(needed) needed")]
                + figures.missing.filter { $0.need == .bars })
    }
}
