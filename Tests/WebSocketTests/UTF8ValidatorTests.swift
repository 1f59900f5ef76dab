import GatewayTesting
import Testing
import WebSocket

@Suite("RFC 3629: UTF-8, judged while it arrives")
struct UTF8ValidatorTests {
    @Test(
        "valid text is valid wherever it is cut (Markus Kuhn's stress test, sections 1 and 2, and 5.3)",
        arguments: [
            ("empty", ""),
            ("ASCII of 7 bytes", "41 42 43 44 45 46 47"),
            ("ASCII of 17 bytes", "41 42 43 44 45 46 47 48 49 4a 4b 4c 4d 4e 4f 50 51"),
            ("1 the Greek word kosme", "ce ba e1 bd b9 cf 83 ce bc ce b5"),
            ("2.1.1 U+0000", "00"),
            ("2.1.2 U+0080", "c2 80"),
            ("2.1.3 U+0800", "e0 a0 80"),
            ("2.1.4 U+10000", "f0 90 80 80"),
            ("2.2.1 U+007F", "7f"),
            ("2.2.2 U+07FF", "df bf"),
            ("2.2.3 U+FFFF", "ef bf bf"),
            ("2.3.1 U+D7FF", "ed 9f bf"),
            ("2.3.2 U+E000", "ee 80 80"),
            ("2.3.3 U+FFFD", "ef bf bd"),
            ("2.3.4 U+10FFFF", "f4 8f bf bf"),
            ("5.3.1 U+FFFE", "ef bf be"),
            ("a character across the eighth byte", "41 42 43 44 45 46 47 e2 82 ac 41 42 43 44 45 46 47 48"),
        ])
    func valid(name: String, digits: String) {
        let bytes = hex(digits)
        #expect(bytes.withUnsafeBytes(UTF8Validator.isValid))
        for cut in 0...bytes.count {
            var validator = UTF8Validator()
            #expect(consume(bytes[..<cut], &validator) && consume(bytes[cut...], &validator))
            #expect(validator.isComplete)
        }
    }

    @Test(
        "bad text fails at its first bad byte, however it is cut (Kuhn's stress test, sections 2 to 5)",
        arguments: [
            ("2.1.5 five bytes", "f8 88 80 80 80", 0),
            ("2.1.6 six bytes", "fc 84 80 80 80 80", 0),
            ("2.2.4 U+1FFFFF", "f7 bf bf bf", 0),
            ("2.3.5 U+110000", "f4 90 80 80", 1),
            ("3.1.1 a continuation byte 80", "80", 0),
            ("3.1.2 a continuation byte bf", "bf", 0),
            ("3.1.3 one after a character", "c2 80 80", 2),
            ("3.2.1 lead byte and space", "c2 20", 1),
            ("3.2.2 lead byte of three and space", "e1 20", 1),
            ("3.2.3 lead byte of four and space", "f1 20", 1),
            ("3.3.2 the last of three bytes missing", "e1 80 20", 2),
            ("3.3.3 the last of four bytes missing", "f1 80 80 20", 3),
            ("3.5.1 fe", "fe", 0),
            ("3.5.2 ff", "ff", 0),
            ("4.1.1 overlong slash in two", "c0 af", 0),
            ("4.1.2 overlong slash in three", "e0 80 af", 1),
            ("4.1.3 overlong slash in four", "f0 80 80 af", 1),
            ("4.2.1 overlong U+007F", "c1 bf", 0),
            ("4.2.2 overlong U+07FF", "e0 9f bf", 1),
            ("4.2.3 overlong U+FFFF", "f0 8f bf bf", 1),
            ("4.3.1 overlong U+0000", "c0 80", 0),
            ("5.1.1 surrogate U+D800", "ed a0 80", 1),
            ("5.1.7 surrogate U+DFFF", "ed bf bf", 1),
            ("5.2.1 a pair of surrogates", "ed a0 80 ed b0 80", 1),
            ("after sixteen of ASCII", "41 42 43 44 45 46 47 48 41 42 43 44 45 46 47 48 ff", 16),
        ])
    func invalid(name: String, digits: String, firstBad: Int) {
        let bytes = hex(digits)
        #expect(!bytes.withUnsafeBytes(UTF8Validator.isValid))
        for cut in 0...bytes.count {
            var validator = UTF8Validator()
            #expect(consume(bytes[..<cut], &validator) == (cut <= firstBad), "cut at \(cut)")
            #expect(!consume(bytes[cut...] + [0x41], &validator))
            #expect(!validator.isComplete)
        }
    }

    @Test(
        "text that ends inside a character is not complete",
        arguments: ["c2", "e1", "e1 80", "f1", "f1 80", "f1 80 80", "41 e0", "f4 8f bf"])
    func incomplete(digits: String) {
        var validator = UTF8Validator()
        #expect(consume(hex(digits)[...], &validator))
        #expect(!validator.isComplete)
    }

    /// The values around every border in the table of RFC 3629 §4.
    private static let borders: [UInt8] = [
        0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE,
        0xEF, 0xF0,
        0xF1, 0xF3, 0xF4, 0xF5, 0xFF,
    ]

    @Test(
        "it agrees with the standard library on all combinations of three bytes at the borders of the table")
    func threeBytes() {
        for first in Self.borders {
            for second in Self.borders {
                for third in Self.borders {
                    expectAgreement([first, second, third])
                }
            }
        }
    }

    @Test("it agrees with the standard library on lead bytes of four with all that can follow at the borders")
    func fourBytes() {
        for first: UInt8 in [0xF0, 0xF1, 0xF4] {
            for second in Self.borders {
                for third: UInt8 in [0x7F, 0x80, 0xBF, 0xC0] {
                    for fourth: UInt8 in [0x7F, 0x80, 0xBF, 0xC0] {
                        expectAgreement([first, second, third, fourth])
                    }
                }
            }
        }
    }

    @Test("it agrees with the standard library on random text, whole and with one byte changed")
    func random() {
        var generator = SeededGenerator(seed: 3629)
        let alphabet: [Unicode.Scalar] = ["a", "b", " ", "é", "€", "\u{10FFFF}", "\u{FFFF}", "𝄞"]
        for _ in 0..<2_000 {
            var text = String.UnicodeScalarView()
            for _ in 0..<Int.random(in: 1...24, using: &generator) {
                text.append(alphabet[Int.random(in: 0..<alphabet.count, using: &generator)])
            }
            var bytes = Array(String(text).utf8)
            expectAgreement(bytes)
            bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(
                in: .min ... .max, using: &generator)
            expectAgreement(bytes)
        }
    }

    private func expectAgreement(_ bytes: [UInt8]) {
        let expected = String(validating: bytes, as: UTF8.self) != nil
        guard bytes.withUnsafeBytes(UTF8Validator.isValid) != expected else { return }
        Issue.record("\(bytes) is \(expected ? "valid" : "invalid")")
    }

    private func consume(_ bytes: ArraySlice<UInt8>, _ validator: inout UTF8Validator) -> Bool {
        bytes.withUnsafeBytes { validator.consume($0) }
    }
}
