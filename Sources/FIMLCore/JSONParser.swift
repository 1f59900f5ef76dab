/// Reads JSON text strictly by RFC 8259. Used through `JSONValue.parse`.
///
/// Foundation's decoder takes trailing commas, says nothing of where an error is and keeps one of two members
/// of the same name in silence; what two readers may understand differently is refused here instead.
struct JSONParser {
    private let bytes: [UInt8]
    private let maxDepth: Int
    /// The byte that is read next.
    var offset = 0

    init(_ bytes: [UInt8], maxDepth: Int) {
        self.bytes = bytes
        self.maxDepth = maxDepth
    }

    /// The one value that the text holds.
    mutating func parse() throws(JSONError) -> JSONValue {
        skipSpace()
        let value = try value(depth: 0)
        skipSpace()
        guard isAtEnd else { throw error(.trailingText) }
        return value
    }

    mutating func value(depth: Int) throws(JSONError) -> JSONValue {
        guard let byte = peek() else { throw error(.unexpectedEnd) }
        switch byte {
        case UInt8(ascii: "{"): return try object(depth: depth + 1)
        case UInt8(ascii: "["): return try array(depth: depth + 1)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
        default: throw error(.unexpectedCharacter)
        }
    }

    private mutating func object(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= maxDepth else { throw error(.tooDeep) }
        offset += 1
        skipSpace()
        var members: [String: JSONValue] = [:]
        if take(UInt8(ascii: "}")) { return .object(members) }
        while true {
            skipSpace()
            let start = offset
            guard peek() == UInt8(ascii: "\"") else { throw unexpected() }
            let name = try string()
            skipSpace()
            guard take(UInt8(ascii: ":")) else { throw unexpected() }
            skipSpace()
            let value = try value(depth: depth)
            // RFC 8259 section 4: names should be unique; readers differ on which member they keep.
            guard members.updateValue(value, forKey: name) == nil else {
                throw error(.duplicateName, at: start)
            }
            skipSpace()
            if take(UInt8(ascii: "}")) { return .object(members) }
            guard take(UInt8(ascii: ",")) else { throw unexpected() }
        }
    }

    private mutating func array(depth: Int) throws(JSONError) -> JSONValue {
        guard depth <= maxDepth else { throw error(.tooDeep) }
        offset += 1
        skipSpace()
        var elements: [JSONValue] = []
        if take(UInt8(ascii: "]")) { return .array(elements) }
        while true {
            skipSpace()
            elements.append(try value(depth: depth))
            skipSpace()
            if take(UInt8(ascii: "]")) { return .array(elements) }
            guard take(UInt8(ascii: ",")) else { throw unexpected() }
        }
    }

    private mutating func literal(_ text: StaticString, _ value: JSONValue) throws(JSONError) -> JSONValue {
        for byte in text.description.utf8 {
            guard take(byte) else { throw unexpected() }
        }
        return value
    }

    /// RFC 8259 section 6.
    mutating func number() throws(JSONError) -> JSONValue {
        let start = offset
        let isNegative = take(UInt8(ascii: "-"))
        var digits: UInt64 = 0
        var places = 0
        // Zeros in front are counted as digits here, which only makes the quick way rarer.
        let firstDigit = offset
        if !take(UInt8(ascii: "0")) { try self.digits(from: start, into: &digits) }
        var count = offset - firstDigit
        var isInteger = true
        var isPlain = true
        if take(UInt8(ascii: ".")) {
            isInteger = false
            let point = offset
            try self.digits(from: start, into: &digits)
            places = offset - point
            count += places
        }
        if take(UInt8(ascii: "e")) || take(UInt8(ascii: "E")) {
            isInteger = false
            isPlain = false
            if !take(UInt8(ascii: "+")) { _ = take(UInt8(ascii: "-")) }
            try self.digits(from: start, into: &digits)
        }
        // 19 digits fit into 64 bits, but not all of them into 63.
        if isPlain, count < 20 {
            if isInteger {
                if digits <= Int64.max { return .integer(isNegative ? -Int64(digits) : Int64(digits)) }
            } else if let number = JSONNumber.double(digits, places: places) {
                return .number(isNegative ? -number : number)
            }
        }
        let text = String(decoding: bytes[start..<offset], as: UTF8.self)
        if isInteger, let integer = Int64(text) { return .integer(integer) }
        guard let number = Double(text), number.isFinite else { throw error(.numberOutOfRange, at: start) }
        return .number(number)
    }

    /// One digit or more, put behind those of `number`, which wraps around where they are too many.
    private mutating func digits(from start: Int, into number: inout UInt64) throws(JSONError) {
        let first = offset
        while offset < bytes.count {
            let digit = bytes[offset] &- UInt8(ascii: "0")
            guard digit < 10 else { break }
            number = number &* 10 &+ UInt64(digit)
            offset += 1
        }
        guard offset > first else { throw error(.badNumber, at: start) }
    }

    /// RFC 8259 section 7.
    mutating func string() throws(JSONError) -> String {
        offset += 1
        let start = offset
        var allBits: UInt8 = 0
        while let byte = peek(), byte >= 0x20, byte != UInt8(ascii: "\""), byte != UInt8(ascii: "\\") {
            allBits |= byte
            offset += 1
        }
        if peek() == UInt8(ascii: "\"") {
            offset += 1
            let text = bytes[start..<offset - 1]
            // ASCII needs no validating, which costs several times as much as making the string.
            if allBits < 0x80 { return String(decoding: text, as: UTF8.self) }
            guard let text = String(validating: text, as: UTF8.self) else {
                throw error(.badUTF8, at: start)
            }
            return text
        }
        var unescaped = Array(bytes[start..<offset])
        while let byte = peek() {
            guard byte >= 0x20 else { throw error(.controlCharacter) }
            offset += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard let text = String(validating: unescaped, as: UTF8.self) else {
                    throw error(.badUTF8, at: start)
                }
                return text
            case UInt8(ascii: "\\"): try escape(into: &unescaped)
            default: unescaped.append(byte)
            }
        }
        throw error(.unexpectedEnd)
    }

    private mutating func escape(into unescaped: inout [UInt8]) throws(JSONError) {
        guard let byte = peek() else { throw error(.unexpectedEnd) }
        offset += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): unescaped.append(byte)
        case UInt8(ascii: "b"): unescaped.append(0x08)
        case UInt8(ascii: "f"): unescaped.append(0x0C)
        case UInt8(ascii: "n"): unescaped.append(0x0A)
        case UInt8(ascii: "r"): unescaped.append(0x0D)
        case UInt8(ascii: "t"): unescaped.append(0x09)
        case UInt8(ascii: "u"): unescaped.append(contentsOf: String(try unicodeEscape()).utf8)
        default: throw error(.badEscape, at: offset - 1)
        }
    }

    /// What follows `\u`. A surrogate without its partner names no character (RFC 8259 section 8.2).
    private mutating func unicodeEscape() throws(JSONError) -> Character {
        let start = offset - 2
        var code = try fourHexDigits()
        if (0xD800..<0xDC00).contains(code) {
            guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")) else {
                throw error(.badEscape, at: start)
            }
            let low = try fourHexDigits()
            guard (0xDC00..<0xE000).contains(low) else { throw error(.badEscape, at: start) }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else { throw error(.badEscape, at: start) }
        return Character(scalar)
    }

    private mutating func fourHexDigits() throws(JSONError) -> UInt32 {
        var code: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek() else { throw error(.unexpectedEnd) }
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else { throw error(.badEscape) }
            code = code << 4 | UInt32(digit)
            offset += 1
        }
        return code
    }

    func peek() -> UInt8? {
        offset < bytes.count ? bytes[offset] : nil
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        guard peek() == byte else { return false }
        offset += 1
        return true
    }

    /// Reads over that text where it is what comes next; whether it is.
    mutating func take(_ text: StaticString) -> Bool {
        text.withUTF8Buffer { text in
            guard bytes.count - offset >= text.count else { return false }
            for (place, byte) in text.enumerated() where bytes[offset + place] != byte { return false }
            offset += text.count
            return true
        }
    }

    var isAtEnd: Bool { offset == bytes.count }

    private mutating func skipSpace() {
        while let byte = peek(), byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { offset += 1 }
    }

    private func unexpected() -> JSONError {
        error(offset < bytes.count ? .unexpectedCharacter : .unexpectedEnd)
    }

    private func error(_ reason: JSONError.Reason, at place: Int? = nil) -> JSONError {
        let before = bytes[..<(place ?? offset)]
        let lineStart = before.lastIndex(of: 0x0A).map { $0 + 1 } ?? 0
        let line = before.count { $0 == 0x0A } + 1
        return JSONError(reason: reason, line: line, column: before.count - lineStart + 1)
    }
}

extension JSONValue {
    /// Levels of arrays and objects that a text may have.
    public static let maxDepth = 64

    /// The value that a text holds, read strictly by RFC 8259: UTF-8, no trailing commas, no comments, no
    /// lone surrogates, no member named twice. Integers beyond 64 bits and other numbers become the nearest
    /// `Double`.
    ///
    /// Never nests its own calls deeper than `maxDepth`. Throws what is wrong and where.
    public static func parse(_ bytes: [UInt8], maxDepth: Int = maxDepth) throws(JSONError) -> JSONValue {
        var parser = JSONParser(bytes, maxDepth: maxDepth)
        return try parser.parse()
    }

    /// As `parse([UInt8])`, of a copy of the bytes.
    public static func parse(_ bytes: UnsafeRawBufferPointer, maxDepth: Int = maxDepth) throws(JSONError)
        -> JSONValue
    {
        try parse([UInt8](bytes), maxDepth: maxDepth)
    }
}
