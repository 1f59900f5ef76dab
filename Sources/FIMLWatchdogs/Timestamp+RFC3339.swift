import FIMLCore
import FoundationEssentials

extension Timestamp {
    /// `2020-03-17T00:00:00.000Z`. Stands in for the property of this name in FIMLCore.
    var rfc3339: String {
        // Formatting cuts, so the half keeps a millisecond that a Double holds from just below.
        Date(timeIntervalSince1970: (Double(milliseconds) + 0.5) / 1_000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }
}
