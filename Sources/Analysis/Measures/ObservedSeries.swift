import FIMLCore
import MarketData

/// Observations of an indicator by calendar month: the newest, the one before, the one of a year before.
///
/// Months may be missing. A year before is the same month of that calendar year, never so many entries
/// earlier. A quarter counts as its first month.
struct ObservedSeries {
    /// One month's value.
    private struct Entry {
        let month: Int64
        let observation: MacroObservation
    }

    private let entries: [Entry]
    private let byMonth: [Int64: Double]

    /// Sorts by period; of several observations of a month the one of the latest period counts, and of the
    /// same period the last. What is not finite is left out.
    init(_ observations: [MacroObservation]) {
        var newest: [Int64: MacroObservation] = [:]
        for observation in observations where observation.value.isFinite {
            let month = Self.month(of: observation.period)
            guard observation.period >= newest[month]?.period ?? observation.period else { continue }
            newest[month] = observation
        }
        entries = newest.map { Entry(month: $0.key, observation: $0.value) }.sorted { $0.month < $1.month }
        byMonth = newest.mapValues(\.value)
    }

    var latest: MacroObservation? { entries.last?.observation }
    var previous: Double? { entries.dropLast().last?.observation.value }
    /// That of the same month a year before the latest.
    var yearAgo: Double? { entries.last.flatMap { byMonth[$0.month - 12] } }
    /// The latest less the previous; nil where it is not finite.
    var change: Double? { Self.difference(latest?.value, previous) }
    /// The latest less that of a year before; nil where it is not finite.
    var changeOverYear: Double? { Self.difference(latest?.value, yearAgo) }

    /// The change of an index over a year in percent, of each month for which there is the same month a year
    /// before; an index that is not positive has none.
    var yearOnYear: ObservedSeries {
        ObservedSeries(
            entries.compactMap { entry in
                guard let before = byMonth[entry.month - 12], before > 0, entry.observation.value > 0 else {
                    return nil
                }
                return MacroObservation(
                    period: entry.observation.period, value: (entry.observation.value / before - 1) * 100)
            })
    }

    private static func difference(_ value: Double?, _ before: Double?) -> Double? {
        guard let value, let before, (value - before).isFinite else { return nil }
        return value - before
    }

    /// Months since year 0 of the Gregorian calendar, in UTC. Years begin in March here, so that the leap day
    /// is a year's last; after H. Hinnant, "chrono-compatible low-level date algorithms".
    static func month(of period: Timestamp) -> Int64 {
        func floored(_ value: Int64, by divisor: Int64) -> (quotient: Int64, rest: Int64) {
            let (quotient, rest) = value.quotientAndRemainder(dividingBy: divisor)
            return rest < 0 ? (quotient - 1, rest + divisor) : (quotient, rest)
        }
        // 719,468 days lie between 0000-03-01 and 1970-01-01; an era is 400 years.
        let days = floored(period.milliseconds, by: 86_400_000).quotient + 719_468
        let (era, dayOfEra) = floored(days, by: 146_097)
        let year = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * year + year / 4 - year / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        return (era * 400 + year) * 12 + monthFromMarch + 2
    }
}
