import FIMLCore

/// Reads the times that files of market data use.
enum CSVTime {
    /// What `parse` takes, for messages.
    static let allowed =
        "YYYY-MM-DD, an RFC 3339 time, or seconds or milliseconds since 1970, from 1900 to 2199"

    private static let earliest = Int64(-2_208_988_800_000)
    private static let end = Int64(7_258_118_400_000)

    /// The moment that `text` names, and whether it names a whole day. A time without an offset is taken as
    /// UTC.
    static func parse(_ text: ArraySlice<UInt8>) -> (time: Timestamp, isDay: Bool)? {
        if text.count >= 8, text[text.startIndex + 4] == UInt8(ascii: "-") {
            return parseCalendar(text)
        }
        guard (1...16).contains(text.count), let number = digits(text) else { return nil }
        // Seconds stay below 1e11 until the year 5138; milliseconds are above it since 1973.
        let milliseconds = number < 100_000_000_000 ? number * 1_000 : number
        guard milliseconds < end else { return nil }
        return (Timestamp(milliseconds: milliseconds), false)
    }

    private static func parseCalendar(_ text: ArraySlice<UInt8>) -> (time: Timestamp, isDay: Bool)? {
        let bytes = Array(text)
        guard bytes.count >= 10, bytes.count <= 40, bytes[7] == UInt8(ascii: "-"),
            let year = digits(bytes[0..<4]), let month = digits(bytes[5..<7]),
            let day = digits(bytes[8..<10]),
            let days = daysSince1970(year: year, month: month, day: day)
        else { return nil }
        var milliseconds = days * 86_400_000
        let isDay = bytes.count == 10
        if !isDay {
            guard let timeOfDay = parseTimeOfDay(bytes[10...]) else { return nil }
            milliseconds += timeOfDay
        }
        guard milliseconds >= earliest, milliseconds < end else { return nil }
        return (Timestamp(milliseconds: milliseconds), isDay)
    }

    /// Milliseconds that `T12:30:00.250+01:00` adds to its date (RFC 3339, section 5.6).
    private static func parseTimeOfDay(_ text: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(text)
        guard bytes.count >= 9, [UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: " ")].contains(bytes[0]),
            bytes[3] == UInt8(ascii: ":"), bytes[6] == UInt8(ascii: ":"),
            let hour = digits(bytes[1..<3]), let minute = digits(bytes[4..<6]),
            let second = digits(bytes[7..<9]),
            hour < 24, minute < 60, second < 60
        else { return nil }
        var milliseconds = ((hour * 60 + minute) * 60 + second) * 1_000
        var index = 9
        if index < bytes.count, bytes[index] == UInt8(ascii: ".") {
            var unit = Int64(100)
            let first = index + 1
            index = first
            while index < bytes.count, let digit = digits(bytes[index...index]) {
                milliseconds += digit * unit
                unit /= 10
                index += 1
            }
            guard index > first else { return nil }
        }
        guard let offset = parseOffset(bytes[index...]) else { return nil }
        return milliseconds - offset
    }

    /// Milliseconds by which an offset is ahead of UTC; nothing, `Z` or `+01:00`.
    private static func parseOffset(_ text: ArraySlice<UInt8>) -> Int64? {
        let bytes = Array(text)
        if bytes.isEmpty || bytes == [UInt8(ascii: "Z")] || bytes == [UInt8(ascii: "z")] { return 0 }
        guard bytes.count == 6, bytes[3] == UInt8(ascii: ":"), let hour = digits(bytes[1..<3]),
            let minute = digits(bytes[4..<6]), hour < 24, minute < 60
        else { return nil }
        let offset = (hour * 60 + minute) * 60_000
        if bytes[0] == UInt8(ascii: "+") { return offset }
        return bytes[0] == UInt8(ascii: "-") ? -offset : nil
    }

    /// The number that up to 18 digits make.
    private static func digits(_ text: ArraySlice<UInt8>) -> Int64? {
        guard (1...18).contains(text.count) else { return nil }
        var number = Int64(0)
        for byte in text {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            number = number * 10 + Int64(byte - UInt8(ascii: "0"))
        }
        return number
    }

    /// Days from 1970-01-01 to a date of the Gregorian calendar; nil for one that does not exist.
    private static func daysSince1970(year: Int64, month: Int64, day: Int64) -> Int64? {
        guard year >= 1, (1...12).contains(month), day >= 1 else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let lengths: [Int64] = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        guard day <= lengths[Int(month) - 1] else { return nil }
        let before = year - 1
        let daysBeforeYear = before * 365 + before / 4 - before / 100 + before / 400
        let daysBeforeMonth = lengths[..<(Int(month) - 1)].reduce(0, +)
        // 719,162 days lie between 0001-01-01 and 1970-01-01.
        return daysBeforeYear + daysBeforeMonth + day - 1 - 719_162
    }
}
