/// Walks over the lines of a CSV file (RFC 4180), except that a quoted field ends with its line.
struct CSVLines {
    private let bytes: [UInt8]
    private var index: Int
    /// The number of the line that was read last, the first being 1.
    private(set) var number = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        // Spreadsheets put a byte order mark in front.
        index = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
    }

    /// The next line that is not empty, without its end; nil at the end of the file.
    mutating func next() -> ArraySlice<UInt8>? {
        while index < bytes.count {
            let end = bytes[index...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
            var line = bytes[index..<end]
            index = end + 1
            number += 1
            if line.last == UInt8(ascii: "\r") { line.removeLast() }
            if !line.isEmpty { return line }
        }
        return nil
    }

    /// The fields of a line, without quotes and surrounding blanks; two quotes inside of quotes are one
    /// (RFC 4180, section 2.7). Nil for more than `limit` fields.
    static func fields(of line: ArraySlice<UInt8>, limit: Int) -> [ArraySlice<UInt8>]? {
        var fields: [ArraySlice<UInt8>] = []
        var start = line.startIndex
        var isQuoted = false
        for index in line.indices {
            let byte = line[index]
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: ","), !isQuoted {
                fields.append(trimmed(line[start..<index]))
                start = index + 1
                if fields.count == limit { return nil }
            }
        }
        fields.append(trimmed(line[start...]))
        return fields
    }

    private static func trimmed(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        func isBlank(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
        var field = field
        while let first = field.first, isBlank(first) { field.removeFirst() }
        while let last = field.last, isBlank(last) { field.removeLast() }
        if field.count >= 2, field.first == UInt8(ascii: "\""), field.last == UInt8(ascii: "\"") {
            return unescaped(field.dropFirst().dropLast())
        }
        return field
    }

    /// What stood between two quotes: of two quotes in a row the second is kept, of a single one none.
    private static func unescaped(_ field: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let quote = UInt8(ascii: "\"")
        guard field.contains(quote) else { return field }
        var bytes: [UInt8] = []
        var isAfterQuote = false
        for byte in field {
            isAfterQuote = byte == quote && !isAfterQuote
            if !isAfterQuote { bytes.append(byte) }
        }
        return bytes[...]
    }
}
