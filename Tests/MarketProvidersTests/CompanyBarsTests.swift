import FIMLCore
import MarketData
import Testing

@testable import MarketProviders

@Suite("A bar is refused with its place and reason, and the rest is used")
struct CompanyBarsTests {
    /// Rows of opensAt in minutes, open, high, low, close, volume; the middle one is hostile.
    private static func series(_ hostile: [JSONValue]) -> CheckedBars {
        var series = CheckedBars(every: .minute)
        let rows: [[JSONValue]] = [[1, 10, 11, 9, 10, 5], hostile, [3, 10, 11, 9, 10, 5]]
        for (index, row) in rows.enumerated() {
            let minute = row[0].int64.map { Timestamp(milliseconds: 1_700_000_000_000 + $0 * 60_000) }
            series.add(
                minute, .init(open: row[1], high: row[2], low: row[3], close: row[4], volume: row[5]),
                at: "bars[\(index)]")
        }
        return series
    }

    @Test(
        "Rows that are refused",
        arguments: [
            ([2, 10, 8.999, 9, 9, 5], "bars[1] has a high, low, open and close that contradict each other"),
            ([2, 10, 11, 9, 12, 5], "bars[1] has a high, low, open and close that contradict each other"),
            ([2, 8, 11, 9, 10, 5], "bars[1] has a high, low, open and close that contradict each other"),
            ([2, 10, 11, 0, 10, 5], "bars[1].low is 0.0, which is not allowed: greater than 0"),
            ([2, 10, .null, 9, 10, 5], "bars[1].high is null, which is not a number"),
            ([2, "NaN", 11, 9, 10, 5], "bars[1].open is \"NaN\", which is not a number"),
            ([2, 10, 11, 9, "None", 5], "bars[1].close is \"None\", which is not a number"),
            ([2, 10, 11, 9, -10, 5], "bars[1].close is -10.0, which is not allowed: greater than 0"),
            ([1, 10, 11, 9, 10, 5], "bars[1] is not later than the one before it"),
            ([0, 10, 11, 9, 10, 5], "bars[1] is not later than the one before it"),
        ] as [([JSONValue], String)])
    func refused(row: [JSONValue], reason: String) throws {
        let decoded = try Self.series(row).decoded(limit: 10)
        #expect(decoded.figures.count == 2)
        #expect(decoded.refused.reasons == [reason])
    }

    @Test("A volume that is refused leaves the bar without one; text numbers and sources' rounding are taken")
    func kept() throws {
        for (row, volume, refused) in [
            ([2, 10, 11, 9, 10, -5], nil, 1), ([2, 10, 11, 9, 10, .null], nil, 0),
            ([2, "10", "11.0", "9", "1e1", "5"], 5, 0), ([2, 11.01, 11, 9, 8.992, 5], 5, 0),
        ] as [([JSONValue], Double?, Int)] {
            let decoded = try Self.series(row).decoded(limit: 10)
            #expect(decoded.figures.count == 3)
            #expect(decoded.figures[1].volume == volume)
            #expect(decoded.refused.count == refused)
        }
    }

    @Test(
        "The newest are kept, and at least one, whatever the limit",
        arguments: [(2, 2), (0, 1), (-9, 1), (.max, 3)])
    func limits(limit: Int, count: Int) throws {
        let bars = try Self.series([2, 10, 11, 9, 10, 5]).decoded(limit: limit).figures
        #expect(bars.count == count)
        #expect(bars.last?.opensAt.milliseconds == 1_700_000_180_000)
    }

    @Test(
        "Splits either way are applied once, unbelievable ones never",
        arguments: [2.0, 0.05, 0, -3, .nan, 1e9])
    func splits(ratio: Double) throws {
        let isBelieved = ratio == 2 || ratio == 0.05
        var series = CheckedBars(every: .minute)
        for (minute, price) in [(0, isBelieved ? 100 * ratio : 100), (1, 100.0)] {
            let number = JSONValue.number(price)
            series.add(
                Timestamp(milliseconds: 1_700_000_000_000 + Int64(minute) * 60_000),
                .init(open: number, high: number, low: number, close: number, volume: 8),
                at: "bars[\(minute)]")
        }
        series.addSplit(from: Timestamp(milliseconds: 1_700_000_060_000), ratio: ratio, at: "split")
        let decoded = try series.decoded(limit: 10)
        #expect(decoded.figures.map(\.close) == [100, 100])
        #expect(decoded.figures[0].volume == (isBelieved ? 8 * ratio : 8))
        #expect(decoded.refused.count == (isBelieved ? 0 : 1))
    }
}
