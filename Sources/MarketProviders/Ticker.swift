import FIMLCore
import LinuxSystem

/// The symbol of a US equity or fund, checked before it goes into a URL.
enum Ticker {
    /// `AAPL`, `BRK.B`: a letter or digit, then up to 14 letters, digits, points and hyphens, in upper case;
    /// nil for anything else, and for assets that are not US equities or funds.
    static func us(_ asset: Asset) -> String? {
        guard asset.market == .us, asset.assetType == .equity || asset.assetType == .etf else { return nil }
        return checked(asset.symbol)
    }

    /// The symbol in upper case, if it is safe in a path; nothing in it needs to be encoded.
    static func checked(_ symbol: String) -> String? {
        let bytes = symbol.utf8
        guard (1...15).contains(bytes.count), let first = bytes.first, isAlphanumeric(first),
            bytes.allSatisfy({ isAlphanumeric($0) || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
        else { return nil }
        return symbol.uppercased()
    }

    /// With a hyphen before the class of share, as Yahoo, Stooq and Tiingo write it: `BRK-B`.
    static func hyphenated(_ ticker: String) -> String {
        String(decoding: ticker.utf8.map { $0 == UInt8(ascii: ".") ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
    }

    private static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }
}

extension Timestamp {
    /// Milliseconds of a day.
    static let dayMilliseconds: Int64 = 86_400_000

    /// The present by the system's clock, which the module reads nowhere else.
    @usableFromInline static var present: Timestamp { Timestamp(milliseconds: wallMilliseconds()) }

    /// The start of its day in UTC.
    var dayStart: Timestamp {
        Timestamp(milliseconds: milliseconds - milliseconds % Self.dayMilliseconds)
    }

    /// The moment that many days later, or earlier.
    func adding(days: Int) -> Timestamp {
        Timestamp(milliseconds: milliseconds + Int64(days) * Self.dayMilliseconds)
    }

    /// `2025-10-10`.
    var dayText: String { String(rfc3339.prefix(10)) }
}
