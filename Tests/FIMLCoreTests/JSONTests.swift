import FIMLCore
import GatewayTesting
import Testing

@Suite("JSON is read strictly by RFC 8259 and written so that it reads back")
struct JSONTests {
    @Test(
        "Valid texts give their values",
        arguments: [
            ("null", .null), (" true ", true), ("false", false), ("0", 0), ("-0", 0), ("-12", -12),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("9223372036854775808", 9223372036854775808.0), ("1.0", 1.0), ("1e3", 1000.0), ("1E+2", 100.0),
            ("-1.5e-3", -0.0015), ("\"\"", ""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{c}\n\r\t"),
            (#""\u00e9\uD834\uDD1E""#, "é𝄞"), ("\"é𝄞\u{7f}\"", "é𝄞\u{7f}"), ("[]", []),
            ("[ 1 , [ ] ]", [1, []]),
            ("{}", [:]), ("\t{ \"a\" : 1 ,\r\n \"b\" : { } }", ["a": 1, "b": [:]]),
        ] as [(String, JSONValue)])
    func valid(text: String, value: JSONValue) throws {
        #expect(try parse(text) == value)
    }

    @Test(
        "What is not JSON is refused, with the place",
        arguments: [
            ("", .unexpectedEnd, 1, 1), ("  ", .unexpectedEnd, 1, 3), ("[1,]", .unexpectedCharacter, 1, 4),
            ("{\"a\":1,}", .unexpectedCharacter, 1, 8), ("{\"a\" 1}", .unexpectedCharacter, 1, 6),
            ("{a:1}", .unexpectedCharacter, 1, 2), ("[1 2]", .unexpectedCharacter, 1, 4),
            ("{\"a\":\n\n tru}", .unexpectedCharacter, 3, 5), ("nul", .unexpectedEnd, 1, 4),
            ("1 2", .trailingText, 1, 3),
            ("01", .trailingText, 1, 2), ("+1", .unexpectedCharacter, 1, 1), ("1.", .badNumber, 1, 1),
            (".5", .unexpectedCharacter, 1, 1), ("-", .badNumber, 1, 1), ("1e", .badNumber, 1, 1),
            ("[1,1e400]", .numberOutOfRange, 1, 4), ("NaN", .unexpectedCharacter, 1, 1),
            ("'a'", .unexpectedCharacter, 1, 1),
            ("\"a", .unexpectedEnd, 1, 3), ("\"a\u{1}\"", .controlCharacter, 1, 3),
            ("\"\n\"", .controlCharacter, 1, 2),
            (#""\x""#, .badEscape, 1, 3), (#""\u12g4""#, .badEscape, 1, 6), (#""\ud800""#, .badEscape, 1, 2),
            (#""\ud800\u0041""#, .badEscape, 1, 2), (#""\udc00""#, .badEscape, 1, 2),
            ("{\"a\":1,\n\"a\":2}", .duplicateName, 2, 1), ("{\"a\":1,\"\\u0061\":2}", .duplicateName, 1, 8),
            ("// x\n1", .unexpectedCharacter, 1, 1), ("\u{feff}1", .unexpectedCharacter, 1, 1),
        ] as [(String, JSONError.Reason, Int, Int)])
    func invalid(text: String, reason: JSONError.Reason, line: Int, column: Int) {
        let error = #expect(throws: JSONError.self) { try parse(text) }
        #expect(error?.reason == reason)
        #expect(error?.line == line)
        #expect(error?.column == column)
    }

    @Test(
        "Bytes that are not UTF-8 are refused, escaped or not",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x82]]
            as [[UInt8]])
    func badUTF8(bytes: [UInt8]) {
        for prefix in ["", "\\n"] {
            let text = Array("\"\(prefix)".utf8) + bytes + Array("\"".utf8)
            #expect(throws: JSONError.self) { try JSONValue.parse(text) }
        }
        #expect(throws: JSONError.self) { try JSONValue.parse([0x7B, 0, 0x7D, 0]) }  // UTF-16
    }

    @Test("Nesting is bounded, however long the text")
    func depth() throws {
        func nested(_ depth: Int) -> [UInt8] {
            Array((String(repeating: "[", count: depth) + String(repeating: "]", count: depth)).utf8)
        }
        _ = try JSONValue.parse(nested(64))
        let objects = String(repeating: "{\"a\":", count: 1_000_000)
        for tooDeep in [nested(65), nested(1_000_000), Array(objects.utf8)] {
            let error = #expect(throws: JSONError.self) { try JSONValue.parse(tooDeep) }
            #expect(error?.reason == .tooDeep)
        }
        #expect(throws: JSONError.self) { try JSONValue.parse(nested(2), maxDepth: 1) }
    }

    @Test("A text cut anywhere is refused")
    func truncated() {
        let bytes = Array(whaleText.utf8)
        for end in bytes.indices {
            #expect(throws: JSONError.self) { try JSONValue.parse(Array(bytes[..<end])) }
        }
    }

    @Test("A text with any byte changed is read or refused, never more")
    func mutated() {
        var generator = SeededGenerator(seed: 7)
        for _ in 0..<20_000 {
            var bytes = Array(whaleText.utf8)
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(
                    in: 0...255, using: &generator)
            }
            if let value = try? JSONValue.parse(bytes) {
                #expect((try? JSONValue.parse(value.json)) == value)
            }
        }
    }

    @Test(
        "Values are written in one way",
        arguments: [
            (["b": 1, "a": [.null, true, "x"], "é": [:]], #"{"a":[null,true,"x"],"b":1,"é":{}}"#),
            (.integer(.min), "-9223372036854775808"), (0.1, "0.1"), (27101250.0, "27101250.0"),
            (1e300, "1e+300"),
            (.number(.leastNonzeroMagnitude), "5e-324"), (-0.0, "-0.0"), (1e16, "1e+16"),
            (.number(.infinity), "null"),
            ("/\u{7f}\u{2028}é", "\"/\u{7f}\u{2028}é\""),
            ("\"\\\n\r\t\u{8}\u{c}\u{1f}\u{0}", #""\"\\\n\r\t\b\f\u001f\u0000""#),
        ] as [(JSONValue, String)])
    func written(value: JSONValue, expected: String) {
        #expect(text(value.json) == expected)
    }

    @Test("Any value reads back as itself")
    func roundTrip() throws {
        var generator = SeededGenerator(seed: 1)
        for _ in 0..<2000 {
            let value = Self.random(depth: 4, &generator)
            #expect(try JSONValue.parse(value.json) == value)
        }
    }

    @Test("Writing appends to what is there, and the reader takes a buffer as well")
    func appending() throws {
        var bytes = Array("data: ".utf8)
        JSONValue.array([1]).write(into: &bytes)
        #expect(text(bytes) == "data: [1]")
        let read = try Array("[1]".utf8).withUnsafeBytes { try JSONValue.parse($0) }
        #expect(read == [1])
    }

    private static func random(depth: Int, _ generator: inout SeededGenerator) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(Int64(bitPattern: generator.next()))
        case 3:
            let number = Double(bitPattern: generator.next())
            return .number(number.isFinite ? number : 0.5)
        case 4:
            let scalars = (0..<6).compactMap { _ in
                Unicode.Scalar(UInt32.random(in: 0...0x2_0000, using: &generator))
            }
            return .string(String(String.UnicodeScalarView(scalars)))
        case 5: return .array((0..<3).map { _ in random(depth: depth - 1, &generator) })
        default:
            return .object(
                Dictionary((0..<3).map { ("k\($0)", random(depth: depth - 1, &generator)) }) { first, _ in
                    first
                })
        }
    }
}
