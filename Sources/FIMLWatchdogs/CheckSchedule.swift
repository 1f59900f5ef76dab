import FIMLCore
import MarketData

/// Says at which moments of a market a watchdog is due.
///
/// Time is cut into slots of one interval, counted from 1970; the first moment of each slot is due. So a
/// figure that arrives with a new slot is judged at once, whatever was looked at before, and each lap of a
/// replay is the same.
struct CheckSchedule: Sendable {
    private let intervalMilliseconds: Int64
    private var last: (lap: Int, slot: Int64)?

    init(intervalSeconds: Int64) {
        let (product, overflow) = max(1, intervalSeconds).multipliedReportingOverflow(by: 1_000)
        intervalMilliseconds = overflow ? .max : product
    }

    /// Whether a check is due; if so, it counts as done.
    mutating func isDue(at moment: MarketMoment) -> Bool {
        let (quotient, remainder) = moment.time.milliseconds.quotientAndRemainder(
            dividingBy: intervalMilliseconds)
        let slot = remainder < 0 ? quotient - 1 : quotient
        if let last, last.lap == moment.lap, last.slot >= slot { return false }
        last = (moment.lap, slot)
        return true
    }
}
