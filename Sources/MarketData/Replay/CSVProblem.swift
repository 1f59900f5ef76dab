/// What is wrong with a file of market data, and where.
public struct CSVProblem: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file, as it was named.
    public var file: String
    /// The line, the first being 1; nil when it is about the whole file.
    public var line: Int?
    /// The column by its header; nil when it is about the whole line.
    public var column: String?
    /// What was found there, at most 40 printable characters.
    public var value: String
    /// What is allowed there.
    public var allowed: String

    /// A problem; `value` is cut and cleaned for printing.
    init(file: String, line: Int? = nil, column: String? = nil, value: String, allowed: String) {
        self.file = file
        self.line = line
        self.column = column
        self.value = String(
            String.UnicodeScalarView(
                value.unicodeScalars.prefix(40).map { $0.value < 32 || $0.value == 127 ? "?" : $0 }))
        self.allowed = allowed
    }

    /// `prices.csv, line 7, column close: "abc" found, allowed is a number greater than 0`.
    public var description: String {
        var place = file
        if let line { place += ", line \(line)" }
        if let column { place += ", column \(column)" }
        return "\(place): \"\(value)\" found, allowed is \(allowed)"
    }
}

/// The rows of a recording that were left out.
public struct RefusedRows: Hashable, Sendable {
    /// How many.
    public internal(set) var count = 0
    /// Why, for the first of them.
    public internal(set) var first: [CSVProblem] = []

    /// How many are told one by one.
    public static let toldLimit = 100

    mutating func add(_ problem: CSVProblem) {
        count += 1
        if first.count < Self.toldLimit { first.append(problem) }
    }
}
