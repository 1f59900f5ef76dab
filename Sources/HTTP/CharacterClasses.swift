/// The character classes of the grammars, as one byte sees them.
extension UInt8 {
    static let tab = UInt8(ascii: "\t")
    static let lineFeed = UInt8(ascii: "\n")
    static let carriageReturn = UInt8(ascii: "\r")
    static let space = UInt8(ascii: " ")
    static let comma = UInt8(ascii: ",")
    static let colon = UInt8(ascii: ":")

    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }

    var isLetter: Bool { lowercased >= UInt8(ascii: "a") && lowercased <= UInt8(ascii: "z") }

    /// The byte with ASCII letters in lower case. Only letters may be compared by it.
    var lowercased: UInt8 { self >= UInt8(ascii: "A") && self <= UInt8(ascii: "Z") ? self | 0x20 : self }

    /// The value of a hexadecimal digit.
    var hexValue: UInt8? {
        switch self {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): self - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): self - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): self - UInt8(ascii: "A") + 10
        default: nil
        }
    }

    /// `tchar` of RFC 9110 section 5.6.2: what methods and field names are made of.
    var isTokenCharacter: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "!"), UInt8(ascii: "#")...UInt8(ascii: "'"),
            UInt8(ascii: "*"), UInt8(ascii: "+"), UInt8(ascii: "-"), UInt8(ascii: "."),
            UInt8(ascii: "^")...UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            true
        default: false
        }
    }

    /// What field values hold (RFC 9110 section 5.5): `field-vchar`, space and tab, `obs-text` from 0x80.
    var isFieldValueByte: Bool { (self >= 0x20 && self != 0x7F) || self == .tab }

    /// `OWS` of RFC 9110 section 5.6.3.
    var isBlank: Bool { self == .space || self == .tab }

    /// `VCHAR`, the bytes that a request target may consist of.
    var isVisibleASCII: Bool { self > 0x20 && self < 0x7F }

    /// What an IPv6 address is spelt with (RFC 3986 section 3.2.2); whether it is one does not matter here.
    var isIPv6AddressByte: Bool { hexValue != nil || self == .colon || self == UInt8(ascii: ".") }

    /// `unreserved` and `sub-delims` of RFC 3986, which a `reg-name` is made of and an IPv4 address too.
    /// Escapes are part of that grammar but of no name in use, and are refused.
    var isRegisteredNameByte: Bool {
        switch self {
        case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"), UInt8(ascii: "!"),
            UInt8(ascii: "$"), UInt8(ascii: "&")...UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "="):
            true
        default: isDigit || isLetter
        }
    }
}
