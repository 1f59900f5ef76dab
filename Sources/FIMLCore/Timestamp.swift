/// A moment in UTC, to the millisecond.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    public var milliseconds: Int64

    /// The moment that many milliseconds after 1970-01-01T00:00:00Z.
    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    /// 9999-12-31T23:59:59.999Z, the last that is written as itself.
    public static let last = Timestamp(milliseconds: 253_402_300_799_999)

    /// The moment so many seconds later, or earlier where negative; saturates instead of trapping.
    public func adding(seconds: Int64) -> Timestamp {
        let (product, tooFar) = seconds.multipliedReportingOverflow(by: 1_000)
        let (sum, overflow) = milliseconds.addingReportingOverflow(product)
        guard tooFar || overflow else { return Timestamp(milliseconds: sum) }
        return Timestamp(milliseconds: seconds < 0 ? .min : .max)
    }

    /// Earlier is less.
    public static func < (left: Timestamp, right: Timestamp) -> Bool {
        left.milliseconds < right.milliseconds
    }
}

extension Timestamp: JSONWritable {
    /// `2026-11-24T05:24:01.123Z` (RFC 3339), always with three digits of a second. What lies before 1970 or
    /// after 9999 is written as the nearest moment that does not.
    public var rfc3339: String {
        String(decoding: rfc3339Bytes, as: UTF8.self)
    }

    /// Appends `rfc3339`, without quotes.
    public func append(to bytes: inout [UInt8]) {
        bytes.append(contentsOf: rfc3339Bytes)
    }

    /// Writes `rfc3339` as a string.
    public func write(to writer: inout JSONWriter) {
        writer.string(rfc3339)
    }

    private var rfc3339Bytes: [UInt8] {
        let clamped = min(max(milliseconds, 0), Self.last.milliseconds)
        let (days, rest) = clamped.quotientAndRemainder(dividingBy: 86_400_000)
        let date = CivilDate(daysSinceEpoch: Int(days))
        let second = Int(rest) / 1000
        var text: [UInt8] = []
        text.reserveCapacity(24)
        func put(_ number: Int, _ width: Int, _ after: Unicode.Scalar) {
            var rest = number
            text.append(contentsOf: repeatElement(0, count: width))
            for place in (text.count - width..<text.count).reversed() {
                text[place] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            }
            text.append(UInt8(ascii: after))
        }
        put(date.year, 4, "-")
        put(date.month, 2, "-")
        put(date.day, 2, "T")
        put(second / 3600, 2, ":")
        put(second / 60 % 60, 2, ":")
        put(second % 60, 2, ".")
        put(Int(rest) % 1000, 3, "Z")
        return text
    }
}

extension Timestamp {
    /// Reads a `date-time` of RFC 3339 section 5.6: any offset, any number of digits of a second (those after
    /// the third are cut off), `T` and `Z` in either case. A leap second counts as the second after it.
    ///
    /// nil for anything else, and for moments before 1970 or after 9999.
    public init?(rfc3339: String) {
        self.init(rfc3339: Array(rfc3339.utf8)[...])
    }

    /// As `init(rfc3339: String)`, of the bytes of the text.
    init?(rfc3339: ArraySlice<UInt8>) {
        var scanner = DigitScanner(rfc3339)
        guard let year = scanner.number(4), scanner.take("-"), let month = scanner.number(2),
            scanner.take("-"),
            let day = scanner.number(2), scanner.take("T") || scanner.take("t"),
            let hour = scanner.number(2), scanner.take(":"), let minute = scanner.number(2),
            scanner.take(":"),
            let second = scanner.number(2), let fraction = scanner.fractionMilliseconds(),
            let offset = scanner.offsetMinutes(), scanner.isAtEnd,
            let date = CivilDate(year: year, month: month, day: day), hour < 24, minute < 60, second < 61
        else { return nil }
        let seconds = date.daysSinceEpoch * 86_400 + (hour * 60 + minute - offset) * 60 + second
        self.init(milliseconds: Int64(seconds * 1000 + fraction))
        guard milliseconds >= 0, self <= Self.last else { return nil }
    }
}

/// A day of the Gregorian calendar.
///
/// The two conversions count in eras of 400 years (146,097 days) that begin on 1 March, so that the leap day
/// is the last day of a year; after H. Hinnant, "chrono-compatible low-level date algorithms". Years 0 to
/// 9999.
private struct CivilDate {
    let year: Int
    let month: Int
    let day: Int

    /// nil where the calendar has no such day.
    init?(year: Int, month: Int, day: Int) {
        guard (1...12).contains(month) else { return nil }
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        let length = [31, isLeap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1]
        guard (1...length).contains(day) else { return nil }
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that many days after 1970-01-01; not negative.
    init(daysSinceEpoch: Int) {
        let shifted = daysSinceEpoch + 719_468  // days from 0000-03-01
        let era = shifted / 146_097
        let dayOfEra = shifted % 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = era * 400 + yearOfEra + (month <= 2 ? 1 : 0)
    }

    var daysSinceEpoch: Int {
        // One era later, so that year 0 is not negative.
        let shiftedYear = month <= 2 ? year + 399 : year + 400
        let yearOfEra = shiftedYear % 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return (shiftedYear / 400 - 1) * 146_097 + dayOfEra - 719_468
    }
}

/// Reads fixed-width numbers and single characters off a text.
private struct DigitScanner {
    private var rest: ArraySlice<UInt8>

    init(_ text: ArraySlice<UInt8>) {
        rest = text
    }

    var isAtEnd: Bool { rest.isEmpty }

    mutating func take(_ character: Unicode.Scalar) -> Bool {
        guard let first = rest.first, first == UInt8(ascii: character) else { return false }
        rest.removeFirst()
        return true
    }

    mutating func digit() -> Int? {
        guard let byte = rest.first, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        rest.removeFirst()
        return Int(byte - UInt8(ascii: "0"))
    }

    mutating func number(_ width: Int) -> Int? {
        var number = 0
        for _ in 0..<width {
            guard let digit = digit() else { return nil }
            number = number * 10 + digit
        }
        return number
    }

    /// 0 where there is no fraction; nil for a point without digits.
    mutating func fractionMilliseconds() -> Int? {
        guard take(".") else { return 0 }
        guard let tenths = digit() else { return nil }
        var milliseconds = tenths * 100
        var weight = 10
        while let digit = digit() {
            milliseconds += digit * weight
            weight /= 10
        }
        return milliseconds
    }

    mutating func offsetMinutes() -> Int? {
        if take("Z") || take("z") { return 0 }
        let sign = take("+") ? 1 : take("-") ? -1 : 0
        guard sign != 0, let hours = number(2), take(":"), let minutes = number(2), hours < 24, minutes < 60
        else {
            return nil
        }
        return sign * (hours * 60 + minutes)
    }
}
