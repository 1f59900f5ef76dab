import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import MarketProviders

@Suite("A bar is refused with its place and reason, and the rest is used")
struct CompanyBarsTests {
    /// Rows of opensAt in minutes, open, high, low, close, volume; the third is hostile.
    private static func series(_ hostile: [JSONValue]) -> CheckedBars {
        var series = CheckedBars(every: .minute)
        let rows: [[JSONValue]] = [
            [1, 10, 11, 9, 10, 5], [2, 10, 11, 9, 10, 5], hostile, [4, 10, 11, 9, 10, 5],
            [5, 10, 11, 9, 10, 5],
        ]
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
            ([3, 10, 8.999, 9, 9, 5], "bars[2] has a high, low, open and close that contradict each other"),
            ([3, 10, 11, 9, 12, 5], "bars[2] has a high, low, open and close that contradict each other"),
            ([3, 8, 11, 9, 10, 5], "bars[2] has a high, low, open and close that contradict each other"),
            ([3, 10, 11, 0, 10, 5], "bars[2].low is 0.0, which is not allowed: greater than 0"),
            ([3, 10, .null, 9, 10, 5], "bars[2].high is null, which is not a number"),
            ([3, "NaN", 11, 9, 10, 5], "bars[2].open is \"NaN\", which is not a number"),
            ([3, 10, 11, 9, "None", 5], "bars[2].close is \"None\", which is not a number"),
            ([3, 10, 11, 9, -10, 5], "bars[2].close is -10.0, which is not allowed: greater than 0"),
            ([0, 10, 11, 9, 10, 5], "bars[2] is out of the order of time"),
            ([900, 10, 11, 9, 10, 5], "bars[2] is out of the order of time"),
            // Of two of one moment the later one stays.
            ([2, 10, 11, 9, 10, 5], "bars[1] is out of the order of time"),
        ] as [([JSONValue], String)])
    func refused(row: [JSONValue], reason: String) throws {
        let decoded = try Self.series(row).decoded(limit: 10)
        #expect(decoded.figures.count == 4)
        #expect(decoded.refused.reasons == [reason])
    }

    @Test("A volume that is refused leaves the bar without one; text numbers and sources' rounding are taken")
    func kept() throws {
        for (row, volume, refused) in [
            ([3, 10, 11, 9, 10, -5], nil, 1), ([3, 10, 11, 9, 10, .null], nil, 0),
            ([3, "10", "11.0", "9", "1e1", "5"], 5, 0), ([3, 11.01, 11, 9, 8.992, 5], 5, 0),
        ] as [([JSONValue], Double?, Int)] {
            let decoded = try Self.series(row).decoded(limit: 10)
            #expect(decoded.figures.count == 5)
            #expect(decoded.figures[2].volume == volume)
            #expect(decoded.refused.count == refused)
        }
    }

    @Test(
        "The newest are kept, and at least one, whatever the limit",
        arguments: [(2, 2), (0, 1), (-9, 1), (.max, 5)])
    func limits(limit: Int, count: Int) throws {
        let bars = try Self.series([3, 10, 11, 9, 10, 5]).decoded(limit: limit).figures
        #expect(bars.count == count)
        #expect(bars.last?.opensAt.milliseconds == 1_700_000_300_000)
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

    @Test(
        "One moment that is wrong costs one figure, whatever the order of the answer",
        arguments: [
            [2, 3, 99, 4, 5], [99, 2, 3, 4, 5], [2, 3, 4, 5, 0], [5, 4, 0, 3, 2], [0, 5, 4, 3, 2],
            [5, 4, 3, 2, 99],
        ])
    func wrongMoments(days: [Int]) {
        var reader = AnswerReader()
        let figures = days.map { (place: "[\($0)]", figure: Timestamp(milliseconds: Int64($0))) }
        #expect(reader.chronological(figures) { $0 }.map(\.milliseconds) == [2, 3, 4, 5])
        #expect(reader.refused.count == 1)
    }

    @Test("Of any order the most is kept that ascends, as trying all of them shows")
    func mostIsKept() {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<200 {
            let days = (0..<Int.random(in: 0...9, using: &generator)).map { _ in
                Int64.random(in: 0...9, using: &generator)
            }
            var reader = AnswerReader()
            let figures = days.map { (place: "", figure: Timestamp(milliseconds: $0)) }
            let kept = reader.chronological(figures) { $0 }.map(\.milliseconds)
            let turns = zip(days, days.dropFirst()).map { $0 < $1 ? 1 : $0 > $1 ? -1 : 0 }.reduce(0, +)
            let ordered = turns < 0 ? days.reversed() : days
            let most = (0..<(1 << ordered.count)).map { chosen in
                ordered.indices.filter { chosen >> $0 & 1 == 1 }.map { ordered[$0] }
            }.filter { zip($0, $0.dropFirst()).allSatisfy(<) }.map(\.count).max()
            #expect(kept.count == most)
            #expect(zip(kept, kept.dropFirst()).allSatisfy(<))
            #expect(kept.count + reader.refused.count == days.count)
        }
    }
}
