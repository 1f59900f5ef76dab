/// Figures as sentences show them.
enum Figure {
    /// `value` rounded to `count` decimals, `-9.57`; with `+` in front of what is not negative when
    /// `isSigned`.
    static func decimals(_ value: Double, count: Int = 2, isSigned: Bool = false) -> String {
        // Beyond this a Double has no decimals worth showing, and the conversion below would trap.
        guard abs(value) < 1e12 else { return "\(value)" }
        let scale = (0..<min(max(count, 1), 4)).reduce(UInt64(1)) { product, _ in product * 10 }
        let scaled = Int64((value * Double(scale)).rounded())
        let (whole, fraction) = scaled.magnitude.quotientAndRemainder(dividingBy: scale)
        // The 1 in front keeps the leading zeros.
        return "\(scaled < 0 ? "-" : isSigned ? "+" : "")\(whole).\(String(scale + fraction).dropFirst())"
    }

    /// `3 minutes`, `1 day`; the largest unit that fits without a remainder.
    static func span(seconds: Int64) -> String {
        for (length, unit) in [(Int64(86_400), "day"), (3_600, "hour"), (60, "minute")]
        where seconds >= length && seconds % length == 0 {
            let count = seconds / length
            return "\(count) \(unit)\(count == 1 ? "" : "s")"
        }
        return "\(seconds) second\(seconds == 1 ? "" : "s")"
    }
}
