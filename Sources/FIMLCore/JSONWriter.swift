/// Builds JSON text straight into bytes, member by member in the order of the calls.
///
/// Commas are its own affair; that what is begun is ended is the caller's.
public struct JSONWriter {
    /// What was written so far.
    public fileprivate(set) var bytes: [UInt8] = []
    private var needsComma = false

    /// A writer with room for that many bytes.
    public init(capacity: Int = 256) {
        bytes.reserveCapacity(capacity)
    }

    /// Opens an object, as an element or as the value of the last `name`.
    public mutating func beginObject() {
        open(UInt8(ascii: "{"))
    }

    /// Closes the object that was opened last.
    public mutating func endObject() {
        close(UInt8(ascii: "}"))
    }

    /// Opens an array, as an element or as the value of the last `name`.
    public mutating func beginArray() {
        open(UInt8(ascii: "["))
    }

    /// Closes the array that was opened last.
    public mutating func endArray() {
        close(UInt8(ascii: "]"))
    }

    /// The name of the member whose value is written next.
    public mutating func name(_ name: String) {
        separate()
        quote(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    /// A member, name and value.
    public mutating func member<Value: JSONWritable>(_ name: String, _ value: Value) {
        self.name(name)
        value.write(to: &self)
    }

    /// A member that is left out where there is no value.
    public mutating func member<Value: JSONWritable>(_ name: String, ifPresent value: Value?) {
        if let value { member(name, value) }
    }

    /// A member that is `null` where there is no value.
    public mutating func member<Value: JSONWritable>(_ name: String, orNull value: Value?) {
        self.name(name)
        if let value { value.write(to: &self) } else { null() }
    }

    /// A string, quoted; escaped are only quotes, backslashes and control characters (RFC 8259 section 7).
    public mutating func string(_ text: String) {
        separate()
        quote(text)
        needsComma = true
    }

    /// An integer with all its digits.
    public mutating func integer<Integer: FixedWidthInteger>(_ integer: Integer) {
        separate()
        needsComma = true
        guard let magnitude = UInt64(exactly: integer.magnitude) else {
            bytes.append(contentsOf: String(integer).utf8)
            return
        }
        if integer < 0 { bytes.append(UInt8(ascii: "-")) }
        JSONNumber.append(magnitude, to: &bytes)
    }

    /// A number in the fewest digits that read back to the same value; `null` for what JSON cannot say (NaN,
    /// infinity).
    public mutating func number(_ number: Double) {
        guard let tenThousandths = JSONNumber.tenThousandths(number) else {
            raw((number.isFinite ? number.description : "null").utf8)
            return
        }
        separate()
        needsComma = true
        JSONNumber.append(tenThousandths: tenThousandths, to: &bytes)
    }

    /// `true` or `false`.
    public mutating func bool(_ truth: Bool) {
        raw((truth ? "true" : "false").utf8)
    }

    /// `null`.
    public mutating func null() {
        raw("null".utf8)
    }

    /// One value that is JSON text already.
    public mutating func raw(_ json: some Collection<UInt8>) {
        separate()
        bytes.append(contentsOf: json)
        needsComma = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
    }

    private mutating func quote(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        if text.utf8.contains(where: Self.mustBeEscaped) {
            for byte in text.utf8 { escape(byte) }
        } else {
            bytes.append(contentsOf: text.utf8)
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func mustBeEscaped(_ byte: UInt8) -> Bool {
        byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")
    }

    private mutating func escape(_ byte: UInt8) {
        guard Self.mustBeEscaped(byte) else {
            bytes.append(byte)
            return
        }
        switch byte {
        case 0x08: bytes.append(contentsOf: #"\b"#.utf8)
        case 0x09: bytes.append(contentsOf: #"\t"#.utf8)
        case 0x0A: bytes.append(contentsOf: #"\n"#.utf8)
        case 0x0C: bytes.append(contentsOf: #"\f"#.utf8)
        case 0x0D: bytes.append(contentsOf: #"\r"#.utf8)
        case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes.append(contentsOf: [UInt8(ascii: "\\"), byte])
        default:
            bytes.append(contentsOf: (byte < 0x10 ? #"\u000"# : #"\u00"#).utf8)
            bytes.append(contentsOf: String(byte, radix: 16).utf8)
        }
    }
}

/// What can write itself as one JSON value.
public protocol JSONWritable {
    /// Writes exactly one value.
    func write(to writer: inout JSONWriter)
}

extension JSONWritable {
    /// Appends the JSON text to bytes that are there already.
    public func write(into bytes: inout [UInt8]) {
        var writer = JSONWriter(capacity: 0)
        swap(&writer.bytes, &bytes)
        write(to: &writer)
        swap(&writer.bytes, &bytes)
    }

    /// The JSON text.
    public var json: [UInt8] {
        var writer = JSONWriter()
        write(to: &writer)
        return writer.bytes
    }
}

extension String: JSONWritable {
    /// A quoted string.
    public func write(to writer: inout JSONWriter) {
        writer.string(self)
    }
}

extension Bool: JSONWritable {
    /// `true` or `false`.
    public func write(to writer: inout JSONWriter) {
        writer.bool(self)
    }
}

extension Double: JSONWritable {
    /// A number.
    public func write(to writer: inout JSONWriter) {
        writer.number(self)
    }
}

extension Int: JSONWritable {}
extension Int64: JSONWritable {}
extension UInt64: JSONWritable {}

extension FixedWidthInteger where Self: JSONWritable {
    /// An integer.
    public func write(to writer: inout JSONWriter) {
        writer.integer(self)
    }
}

extension RawRepresentable where Self: JSONWritable, RawValue == String {
    /// The raw value, quoted.
    public func write(to writer: inout JSONWriter) {
        writer.string(rawValue)
    }
}

extension Array: JSONWritable where Element: JSONWritable {
    /// An array.
    public func write(to writer: inout JSONWriter) {
        writer.beginArray()
        for element in self { element.write(to: &writer) }
        writer.endArray()
    }
}
