import FIMLCore
import MarketData

/// Reads figures out of a provider's JSON. Nothing is trusted: what is missing, `null`, a word, not finite
/// or out of range is nil, and the reason is noted with its place.
///
/// A number may also come as text (`"42.5"`), as most exchanges write it.
struct AnswerReader {
    /// The largest price, amount or sum that is believed.
    static let greatest = 1e18
    /// Moments before 1990 or after 2100 are refused: a unit was mistaken.
    static let moments = Timestamp(milliseconds: 631_152_000_000)...Timestamp(milliseconds: 4_102_444_800_000)

    /// What was refused so far.
    private(set) var refused = RefusedFigures()

    /// The JSON of a body. Throws when it is none.
    static func json(_ body: [UInt8]) throws(MarketDataError) -> JSONValue {
        do {
            return try JSONValue.parse(body)
        } catch {
            throw MarketDataError("the answer is not JSON: \(error)")
        }
    }

    /// Notes a refusal of one's own.
    mutating func refuse(_ place: String, _ reason: String) {
        refused.add("\(place) \(reason)")
    }

    /// Any finite number.
    mutating func number(_ value: JSONValue?, at place: @autoclosure () -> String) -> Double? {
        number(value, place, -Self.greatest...Self.greatest, "")
    }

    /// A price: greater than 0.
    mutating func price(_ value: JSONValue?, at place: @autoclosure () -> String) -> Double? {
        number(value, place, .leastNormalMagnitude...Self.greatest, "greater than 0")
    }

    /// A volume, an amount or a sum: at least 0.
    mutating func amount(_ value: JSONValue?, at place: @autoclosure () -> String) -> Double? {
        number(value, place, 0...Self.greatest, "at least 0")
    }

    /// A number that may well be missing: nil without a refusal where it is absent, `null`, or one of the
    /// words that stand for "none".
    mutating func optional(_ value: JSONValue?, at place: @autoclosure () -> String) -> Double? {
        switch value {
        case nil, .null: nil
        case .string(let text) where ["", "None", "-", "N/A", "NaN", "null", "."].contains(text): nil
        default: number(value, at: place())
        }
    }

    /// A moment given in milliseconds since 1970.
    mutating func milliseconds(_ value: JSONValue?, at place: @autoclosure () -> String) -> Timestamp? {
        moment(value, place, scale: 1)
    }

    /// A moment given in seconds since 1970.
    mutating func seconds(_ value: JSONValue?, at place: @autoclosure () -> String) -> Timestamp? {
        moment(value, place, scale: 1_000)
    }

    /// A day given as `2025-10-10`, with anything behind it left aside; its start in UTC.
    mutating func day(_ value: JSONValue?, at place: @autoclosure () -> String) -> Timestamp? {
        if let text = value?.text, text.utf8.count >= 10,
            let day = Timestamp(rfc3339: text.prefix(10) + "T00:00:00Z"),
            Self.moments.contains(day)
        {
            return day
        }
        refused.add("\(place()) \(Self.shown(value)), which is not a day as YYYY-MM-DD from 1990 to 2100")
        return nil
    }

    /// A moment given as text: `2015-04-08T20:49:06.506997Z` (RFC 3339).
    mutating func moment(_ value: JSONValue?, at place: @autoclosure () -> String) -> Timestamp? {
        if let text = value?.text, let moment = Timestamp(rfc3339: text), Self.moments.contains(moment) {
            return moment
        }
        refused.add("\(place()) \(Self.shown(value)), which is not a moment from 1990 to 2100")
        return nil
    }

    private mutating func moment(_ value: JSONValue?, _ place: () -> String, scale: Double) -> Timestamp? {
        guard
            let number = number(value, place, 0...Self.greatest, "at least 0"),
            let milliseconds = Int64(exactly: (number * scale).rounded()),
            Self.moments.contains(Timestamp(milliseconds: milliseconds))
        else {
            refused.add("\(place()) \(Self.shown(value)), which is not a moment from 1990 to 2100")
            return nil
        }
        return Timestamp(milliseconds: milliseconds)
    }

    private mutating func number(
        _ value: JSONValue?, _ place: () -> String, _ range: ClosedRange<Double>, _ allowed: String
    ) -> Double? {
        let number: Double? =
            if let text = value?.text { Self.decimal(text) } else { value?.double }
        guard let number, number.isFinite else {
            refused.add("\(place()) \(Self.shown(value)), which is not a number")
            return nil
        }
        guard range.contains(number) else {
            refused.add(
                "\(place()) is \(number), which is not allowed: \(allowed.isEmpty ? "too large" : allowed)")
            return nil
        }
        return number
    }

    /// A decimal number as text; `Double` would also take "nan", "inf" and hexadecimal.
    private static func decimal(_ text: String) -> Double? {
        guard !text.isEmpty, text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
        return Double(text)
    }

    private static func shown(_ value: JSONValue?) -> String {
        switch value {
        case nil: "is missing"
        case .null: "is null"
        case .bool, .integer, .number: "is \(value?.double.map { "\($0)" } ?? "true or false")"
        case .string(let text): "is \"\(text.prefix(32))\""
        case .array: "is an array"
        case .object: "is an object"
        }
    }
}
