import FIMLCore

/// How a provider writes a moment as text.
enum MomentFormat {
    /// `2016-01-11T23:13:00Z`, with any offset.
    case rfc3339
    /// `20231224T203014`, in UTC.
    case compact
    /// `2023-09-21 03:17:42`, in UTC.
    case spaced
    /// `2017-12-18 14:56:00`, in New York.
    case newYork

    /// The moment; nil where the text is none.
    func read(_ text: String) -> Timestamp? {
        switch self {
        case .rfc3339: Timestamp(rfc3339: text)
        case .compact: Self.readCompact(Array(text.utf8))
        case .spaced: Self.readSpaced(text)
        case .newYork: Self.readSpaced(text).map(Self.fromNewYork)
        }
    }

    private static func readSpaced(_ text: String) -> Timestamp? {
        guard text.utf8.count == 19, text.utf8.dropFirst(10).first == UInt8(ascii: " ") else { return nil }
        return Timestamp(rfc3339: text.prefix(10) + "T" + text.suffix(8) + "Z")
    }

    private static func readCompact(_ text: [UInt8]) -> Timestamp? {
        guard text.count == 15, text[8] == UInt8(ascii: "T") else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: text[range], as: UTF8.self) }
        return Timestamp(
            rfc3339: "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))"
                + "T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
    }

    /// New York is 5 hours behind UTC, and 4 from the second Sunday of March 2:00 to the first Sunday of
    /// November 2:00 (Energy Policy Act of 2005, since 2007). The hour that occurs twice counts as summer.
    private static func fromNewYork(_ wall: Timestamp) -> Timestamp {
        let year = wall.rfc3339.prefix(4)
        let hour: Int64 = 3_600_000
        func firstSunday(from date: String) -> Timestamp? {
            guard let day = Timestamp(rfc3339: "\(year)-\(date)T00:00:00Z") else { return nil }
            // 1970-01-01 was a Thursday, 3 days before a Sunday.
            let weekday = (day.milliseconds / Timestamp.dayMilliseconds + 4) % 7
            return day.adding(days: Int((7 - weekday) % 7))
        }
        guard let begin = firstSunday(from: "03-08"), let end = firstSunday(from: "11-01") else {
            return wall
        }
        let isSummer =
            wall.milliseconds >= begin.milliseconds + 2 * hour
            && wall.milliseconds < end.milliseconds + 2 * hour
        return Timestamp(milliseconds: wall.milliseconds + (isSummer ? 4 : 5) * hour)
    }
}
