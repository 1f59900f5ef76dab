/// The fields of a message in their order (RFC 9110 section 5). Names compare without regard to case.
///
/// All names and values lie in one array of bytes and become `String`s only when asked for, so a parsed
/// request costs two allocations however many fields it has. A value can never hold CR, LF or another control
/// character but tab, so it can never start a new line of a message.
public struct HTTPFields: Sendable {
    private struct Entry {
        let name: Range<Int>
        let value: Range<Int>
    }

    private var bytes: [UInt8]
    private var entries: [Entry]

    /// No fields.
    public init() {
        bytes = []
        entries = []
    }

    /// Appends a field. `name` must be a token (RFC 9110 section 5.1). A control character in `value` becomes
    /// a space, as section 5.5 asks of those who do not reject it; bytes of `value` beyond ASCII are kept.
    public mutating func append(_ name: String, _ value: String) {
        precondition(
            !name.isEmpty && name.utf8.allSatisfy(\.isTokenCharacter), "a field name must be a token")
        let nameStart = bytes.count
        bytes.append(contentsOf: name.utf8)
        let valueStart = bytes.count
        for byte in value.utf8 { bytes.append(byte.isFieldValueByte ? byte : .space) }
        entries.append(Entry(name: nameStart..<valueStart, value: valueStart..<bytes.count))
    }

    /// The first value of the field, or nil if there is none. Bytes that are not UTF-8 become U+FFFD.
    public subscript(name: String) -> String? {
        nextEntry(of: name, from: 0).map { text(entries[$0].value) }
    }

    /// All values of the field, one for each time it came, in order.
    public func values(_ name: String) -> [String] {
        var values: [String] = []
        var next = 0
        while let position = nextEntry(of: name, from: next) {
            values.append(text(entries[position].value))
            next = position + 1
        }
        return values
    }

    /// Whether the field came more than once.
    func isRepeated(_ name: String) -> Bool {
        guard let first = nextEntry(of: name, from: 0) else { return false }
        return nextEntry(of: name, from: first + 1) != nil
    }

    /// Whether a field whose value is a comma-separated list (RFC 9110 section 5.6.1) has `token` among its
    /// members, in any of its lines and without regard to case.
    public func containsToken(_ token: String, in name: String) -> Bool {
        anyMember(of: name) { matches($0, token) }
    }

    /// The members of a field whose value is a comma-separated list, over all its lines, without empty ones.
    func members(of name: String) -> [String] {
        var members: [String] = []
        _ = anyMember(of: name) { range in
            members.append(text(range))
            return false
        }
        return members
    }

    /// Writes every field that `omitting` does not name, as lines.
    func serialize(into output: inout [UInt8], omitting omitted: [String]) {
        for entry in entries where !omitted.contains(where: { matches(entry.name, $0) }) {
            output.append(contentsOf: bytes[entry.name])
            output.append(contentsOf: ": ".utf8)
            output.append(contentsOf: bytes[entry.value])
            output.append(contentsOf: "\r\n".utf8)
        }
    }

    private func anyMember(of name: String, where predicate: (Range<Int>) -> Bool) -> Bool {
        var next = 0
        while let position = nextEntry(of: name, from: next) {
            next = position + 1
            let value = entries[position].value
            var start = value.lowerBound
            while start < value.upperBound {
                let end = bytes[start..<value.upperBound].firstIndex(of: .comma) ?? value.upperBound
                let member = HTTPFields.trimmed(start..<end, in: bytes)
                if !member.isEmpty && predicate(member) { return true }
                start = end + 1
            }
        }
        return false
    }

    private func nextEntry(of name: String, from start: Int) -> Int? {
        entries[start...].firstIndex { matches($0.name, name) }
    }

    private func matches(_ range: Range<Int>, _ text: String) -> Bool {
        guard range.count == text.utf8.count else { return false }
        var position = range.lowerBound
        for expected in text.utf8 {
            guard bytes[position].lowercased == expected.lowercased else { return false }
            position += 1
        }
        return true
    }

    private func text(_ range: Range<Int>) -> String {
        String(decoding: bytes[range], as: UTF8.self)
    }

    private static func trimmed(_ range: Range<Int>, in bytes: [UInt8]) -> Range<Int> {
        var (start, end) = (range.lowerBound, range.upperBound)
        while start < end && bytes[start].isBlank { start += 1 }
        while start < end && bytes[end - 1].isBlank { end -= 1 }
        return start..<end
    }
}

// MARK: - Parsing (RFC 9112 section 5)

extension HTTPFields {
    /// Parses a field section: lines that end with CRLF, of which the last, and only the last, is empty.
    init(section: [UInt8], countLimit: Int) throws(HTTPViolation) {
        bytes = section
        entries = []
        // Field lines take some 30 bytes on average; a request with shorter ones grows the array once more.
        entries.reserveCapacity(Swift.min(countLimit, section.count / 24))
        var position = 0
        while position < section.count - 2 {
            guard entries.count < countLimit else { throw .tooManyFields(limit: countLimit) }
            let (entry, next) = try HTTPFields.parseLine(section, at: position)
            entries.append(entry)
            position = next
        }
    }

    private static func parseLine(
        _ section: [UInt8], at start: Int
    ) throws(HTTPViolation) -> (Entry, next: Int) {
        // RFC 9112 section 5.2: a server must reject a folded field or unfold it; rejecting is the one that
        // cannot differ from what another parser on the way understood. Section 2.2 says the same of
        // whitespace before the first field.
        guard !section[start].isBlank else { throw .foldedField }
        var position = start
        while position < section.count && section[position].isTokenCharacter { position += 1 }
        guard position < section.count, section[position] == .colon else {
            throw nameViolation(section, at: position)
        }
        guard position > start else { throw .emptyFieldName }
        let name = start..<position
        let valueStart = position + 1
        position = valueStart
        while position < section.count && section[position].isFieldValueByte { position += 1 }
        guard position + 1 < section.count, section[position] == .carriageReturn else {
            throw .invalidFieldValue
        }
        guard section[position + 1] == .lineFeed else { throw .bareCarriageReturn }
        return (Entry(name: name, value: trimmed(valueStart..<position, in: section)), position + 2)
    }

    /// What is wrong with a field name that ends at `position` without a colon.
    private static func nameViolation(_ section: [UInt8], at position: Int) -> HTTPViolation {
        var end = position
        while end < section.count && section[end].isBlank { end += 1 }
        guard end + 1 < section.count else { return .missingColon }
        if section[end] == .carriageReturn {
            return section[end + 1] == .lineFeed ? .missingColon : .bareCarriageReturn
        }
        // RFC 9112 section 5.1: whitespace before the colon must be rejected; proxies have read it both ways.
        if section[end] == .colon && end > position { return .whitespaceBeforeColon }
        return .invalidFieldName
    }
}

// MARK: - Iteration

extension HTTPFields: RandomAccessCollection {
    /// The position of the first field.
    public var startIndex: Int { 0 }
    /// The number of fields.
    public var endIndex: Int { entries.count }

    /// The field at a position, its name spelt as it came.
    public subscript(position: Int) -> (name: String, value: String) {
        (text(entries[position].name), text(entries[position].value))
    }
}

extension HTTPFields: ExpressibleByDictionaryLiteral {
    /// Fields in the order of the literal; a name may repeat. See `append` for what is allowed.
    public init(dictionaryLiteral fields: (String, String)...) {
        self.init()
        for (name, value) in fields { append(name, value) }
    }
}
