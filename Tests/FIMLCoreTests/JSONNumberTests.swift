import GatewayTesting
import Testing

@testable import FIMLCore

@Suite("The quick way with numbers gives what the standard library gives, to the last bit")
struct JSONNumberTests {
    private static func parsed(_ text: String) -> JSONValue? {
        try? JSONValue.parse(Array(text.utf8))
    }

    /// Where rounding is hardest, or the quick way ends: halfway cases (2^53 + 1 and its like), 19 and 20
    /// digits, the bounds of 63 and 64 bits.
    private static let hard = [
        "0", "-0", "0.0", "-0.0", "1.5", "0.1", "9007199254740993.0", "9007199254740992.5",
        "9007199254740993.0000001", "4503599627370496.5", "4503599627370497.5", "0.3000000000000000444",
        "187.44000244140625", "1234567890123456789", "9223372036854775807", "-9223372036854775807",
        "9223372036854775808", "-9223372036854775808", "-9223372036854775809", "18446744073709551615",
        "1844674407370955161.5", "99999999999999999999", "0.0000000000000000001", "0.00000000000000000001",
        "9.999999999999999999", "1e22", "1e-7", "123456789.123456789e3", "0.000001", "00.5", "1.", "-",
    ]

    @Test("A text is read as `Int64` and `Double` read it", arguments: hard)
    func reads(text: String) {
        let isNumber = !["00.5", "1.", "-"].contains(text)
        let isInteger = !text.contains { ".e".contains($0) }
        if isInteger, let integer = Int64(text) {
            #expect(Self.parsed(text) == .integer(integer))
        } else if isNumber, let number = Double(text) {
            let read = Self.parsed(text)
            #expect(read?.double?.bitPattern == number.bitPattern)
        } else {
            #expect(Self.parsed(text) == nil)
        }
    }

    @Test("So are random texts of every number of digits and places", arguments: 0..<4 as Range<UInt64>)
    func readsRandom(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        for count in 1...22 {
            for places in 1...22 {
                for _ in 0..<20 {
                    let digits = (0..<count).map { _ in String(Int.random(in: 0...9, using: &generator)) }
                    let whole = String(Int.random(in: 0..<1000, using: &generator))
                    let fraction = String(repeating: "0", count: places - 1) + digits.joined()
                    let text = "\(whole).\(fraction)"
                    let expected = try #require(Double(text))
                    #expect(Self.parsed(text)?.double?.bitPattern == expected.bitPattern, "\(text)")
                }
            }
        }
    }

    @Test("Every number that was written reads back to the same bits", arguments: 0..<4 as Range<UInt64>)
    func readsWritten(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let number = Double(bitPattern: generator.next())
            guard number.isFinite else { continue }
            let text = String(decoding: number.json, as: UTF8.self)
            #expect(text == number.description)
            #expect(Self.parsed(text)?.double?.bitPattern == number.bitPattern, "\(text)")
        }
    }

    private static let written: [Double] = [
        0, -0.0, 1, -1, 0.5, 0.1, 0.0001, -0.0001, 0.00011, 0.00001, 187.44, 187.44000244140625,
        99_999_999_999,
        99_999_999_999.9999, 100_000_000_000, 123_456_789_012, 1e15, 1e16, 1.0001, 10.01, 0.3, 0.1 + 0.2, 100,
        .greatestFiniteMagnitude, .leastNonzeroMagnitude, .ulpOfOne, 8_000_000_000_000.5,
    ]

    @Test("A number is written as its description is", arguments: written)
    func writes(number: Double) {
        #expect(String(decoding: number.json, as: UTF8.self) == number.description)
    }

    @Test("So are random numbers of few decimals and their neighbours", arguments: 0..<4 as Range<UInt64>)
    func writesRandom(seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<20_000 {
            let digits = Double(Int64.random(in: -1_000_000_000_000...1_000_000_000_000, using: &generator))
            let number =
                digits / [1, 10, 100, 1_000, 10_000, 100_000][Int.random(in: 0..<6, using: &generator)]
            for neighbour in [number, number.nextUp, number.nextDown] {
                #expect(String(decoding: neighbour.json, as: UTF8.self) == neighbour.description)
            }
        }
    }

    @Test("Integers are written with all their digits")
    func writesIntegers() {
        for integer in [0, 1, 9, 10, 99, 100, -1, -10, Int64.max, .min, 1_000_000_000_000_000_000] {
            #expect(String(decoding: integer.json, as: UTF8.self) == integer.description)
        }
        #expect(String(decoding: UInt64.max.json, as: UTF8.self) == "18446744073709551615")
        #expect(String(decoding: (UInt64.max / 10).json, as: UTF8.self) == "1844674407370955161")
    }
}
