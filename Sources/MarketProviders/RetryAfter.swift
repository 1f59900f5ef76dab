import FIMLCore

/// Until when a provider wants to be left alone.
enum RetryAfter {
    /// Longer is not believed.
    static let maxMilliseconds: Int64 = 3_600_000

    /// The moment that a `Retry-After` field names (RFC 9110 section 10.2.3): a number of seconds, or a date.
    /// nil for anything else, and for what has passed.
    static func moment(_ field: String, at now: Timestamp) -> Timestamp? {
        let latest = Timestamp(milliseconds: now.milliseconds + maxMilliseconds)
        let named: Timestamp
        if !field.isEmpty, field.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            // What does not fit into 64 bits is later than the latest.
            let seconds = min(Int64(field) ?? .max, maxMilliseconds / 1_000)
            named = Timestamp(milliseconds: now.milliseconds + seconds * 1_000)
        } else if let date = date(field) {
            named = date
        } else {
            return nil
        }
        return named > now ? min(named, latest) : nil
    }

    /// `IMF-fixdate` of RFC 9110 section 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`. The two older forms, which
    /// nobody sends any more, are not read.
    static func date(_ text: String) -> Timestamp? {
        let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        let parts = text.split(separator: " ").map(String.init)
        guard parts.count == 6, parts[5] == "GMT", let month = months.firstIndex(of: parts[2]) else {
            return nil
        }
        let number = month < 9 ? "0\(month + 1)" : "\(month + 1)"
        return Timestamp(rfc3339: "\(parts[3])-\(number)-\(parts[1])T\(parts[4])Z")
    }
}
