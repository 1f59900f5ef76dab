import FIMLCore

/// Reads the members of one JSON object of figures or findings, each checked and bounded, each error with its
/// path. A member that is `null` counts as absent.
struct FigureReader {
    /// What any list may hold, so that a text of some megabytes cannot become many times as much memory.
    enum Limits {
        static let bars = 20_000
        static let benchmarks = 64
        static let observations = 20_000
        static let articles = 2_000
        static let contracts = 50_000
        static let symbols = 256
        static let missing = 512
        /// Unicode scalars of a name, a reason, a headline.
        static let text = 4_096
        /// Unicode scalars of an article's summary.
        static let summary = 65_536
        /// Moments from the year 1000 to the end of 9999: observations of an economy may be older than 1970.
        static let milliseconds = -30_610_224_000_000...Timestamp.last.milliseconds
        /// A second to ten years.
        static let seconds: ClosedRange<Int64> = 1...315_360_000
    }

    private let members: [String: JSONValue]
    let path: String

    init(_ value: JSONValue?, at path: String) throws(InvalidMember) {
        guard let members = value?.members else {
            throw InvalidMember(path: path, problem: "must be an object")
        }
        self.members = members
        self.path = path
    }

    func path(of name: String) -> String {
        path.isEmpty ? name : "\(path).\(name)"
    }

    func problem(_ name: String, _ problem: String) -> InvalidMember {
        InvalidMember(path: path(of: name), problem: problem)
    }

    func value(_ name: String) -> JSONValue? {
        members[name].flatMap { $0 == .null ? nil : $0 }
    }

    /// The names of all members, in their order.
    var names: [String] { members.keys.sorted() }

    func required(_ name: String) throws(InvalidMember) -> JSONValue {
        guard let value = value(name) else { throw problem(name, "is required") }
        return value
    }

    /// A finite number.
    func number(_ name: String) throws(InvalidMember) -> Double? {
        guard let value = value(name) else { return nil }
        guard let number = value.double, number.isFinite else { throw problem(name, "must be a number") }
        return number
    }

    func number(_ name: String, in range: ClosedRange<Double>) throws(InvalidMember) -> Double {
        guard let number = try number(name), range.contains(number) else {
            throw problem(name, "must be a number from \(range.lowerBound) to \(range.upperBound)")
        }
        return number
    }

    func text(_ name: String, limit: Int = Limits.text) throws(InvalidMember) -> String? {
        guard let value = value(name) else { return nil }
        guard let text = value.text, text.unicodeScalars.count <= limit else {
            throw problem(name, "must be a string of at most \(limit) characters")
        }
        return text
    }

    func requiredText(_ name: String) throws(InvalidMember) -> String {
        guard let text = try text(name) else { throw problem(name, "is required") }
        return text
    }

    func moment(_ name: String) throws(InvalidMember) -> Timestamp? {
        guard let value = value(name) else { return nil }
        return Timestamp(milliseconds: try integer(value, name, in: Limits.milliseconds))
    }

    func requiredMoment(_ name: String) throws(InvalidMember) -> Timestamp {
        guard let moment = try moment(name) else { throw problem(name, "is required") }
        return moment
    }

    /// The elements of a list; none where it is absent.
    func list(_ name: String, limit: Int) throws(InvalidMember) -> [JSONValue] {
        guard let value = value(name) else { return [] }
        guard let elements = value.elements, elements.count <= limit else {
            throw problem(name, "must be a list of at most \(limit) entries")
        }
        return elements
    }

    /// As `list`, each element read.
    func list<Element>(
        _ name: String, limit: Int,
        _ read: (FigureReader) throws(InvalidMember) -> Element
    ) throws(InvalidMember) -> [Element] {
        let elements = try list(name, limit: limit)
        var result: [Element] = []
        result.reserveCapacity(elements.count)
        for (index, element) in elements.enumerated() {
            result.append(try read(FigureReader(element, at: "\(path(of: name))[\(index)]")))
        }
        return result
    }

    // MARK: - Columns: lists of equal length

    /// A column of moments, which says how many rows there are.
    func moments(_ name: String, limit: Int) throws(InvalidMember) -> [Timestamp] {
        let elements = try list(name, limit: limit)
        var moments: [Timestamp] = []
        moments.reserveCapacity(elements.count)
        for element in elements {
            moments.append(Timestamp(milliseconds: try integer(element, name, in: Limits.milliseconds)))
        }
        return moments
    }

    /// A column of finite numbers; nil where an entry is `null`, or the column is absent.
    func optionalNumbers(_ name: String, rows: Int) throws(InvalidMember) -> [Double?] {
        guard let elements = try column(name, rows: rows) else { return Array(repeating: nil, count: rows) }
        var numbers: [Double?] = []
        numbers.reserveCapacity(rows)
        for element in elements {
            if element == .null {
                numbers.append(nil)
            } else {
                guard let number = element.double, number.isFinite else {
                    throw problem(name, "must be of numbers and null")
                }
                numbers.append(number)
            }
        }
        return numbers
    }

    /// A column of prices: finite and greater than 0.
    func prices(_ name: String, rows: Int) throws(InvalidMember) -> [Double] {
        try numbers(name, rows: rows, "greater than 0") { $0 > 0 }
    }

    /// A column of finite numbers.
    func numbers(_ name: String, rows: Int) throws(InvalidMember) -> [Double] {
        try numbers(name, rows: rows, "finite") { _ in true }
    }

    private func numbers(
        _ name: String, rows: Int, _ rule: String, _ isAllowed: (Double) -> Bool
    ) throws(InvalidMember) -> [Double] {
        var numbers: [Double] = []
        numbers.reserveCapacity(rows)
        for element in try column(name, rows: rows) ?? [] {
            guard let number = element.double, number.isFinite, isAllowed(number) else {
                throw problem(name, "must be of numbers \(rule)")
            }
            numbers.append(number)
        }
        guard numbers.count == rows else { throw problem(name, "must have \(rows) entries") }
        return numbers
    }

    /// A column of texts.
    func texts(_ name: String, rows: Int) throws(InvalidMember) -> [String] {
        var texts: [String] = []
        texts.reserveCapacity(rows)
        for element in try column(name, rows: rows) ?? [] {
            guard let text = element.text, text.unicodeScalars.count <= Limits.text else {
                throw problem(name, "must be of strings of at most \(Limits.text) characters")
            }
            texts.append(text)
        }
        guard texts.count == rows else { throw problem(name, "must have \(rows) entries") }
        return texts
    }

    /// Lengths in seconds: one number for all rows, or a column.
    func seconds(_ name: String, rows: Int) throws(InvalidMember) -> [Int64] {
        guard rows > 0 else { return [] }
        let value = try required(name)
        if value.elements == nil {
            return Array(repeating: try integer(value, name, in: Limits.seconds), count: rows)
        }
        var seconds: [Int64] = []
        for element in try column(name, rows: rows) ?? [] {
            seconds.append(try integer(element, name, in: Limits.seconds))
        }
        return seconds
    }

    /// The entries of a column; nil where it is absent.
    private func column(_ name: String, rows: Int) throws(InvalidMember) -> [JSONValue]? {
        guard let value = value(name) else { return nil }
        guard let elements = value.elements, elements.count == rows else {
            throw problem(name, "must be a list of \(rows) entries")
        }
        return elements
    }

    private func integer(
        _ value: JSONValue, _ name: String, in range: ClosedRange<Int64>
    ) throws(InvalidMember) -> Int64 {
        guard let integer = value.int64, range.contains(integer) else {
            throw problem(name, "must be of whole numbers from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }
}
