import FIMLCore
import MarketData
import Testing

@testable import Analysis

@Suite("Measures of prices agree with published examples and with what can be computed by hand")
struct PriceMeasureTests {
    /// QQQQ from 14 December 2009 to 1 February 2010, and its RSI from the 15th day on: the worksheet of
    /// ChartSchool's page on the RSI.
    private static let worksheetCloses = [
        44.3389, 44.0902, 44.1497, 43.6124, 44.3278, 44.8264, 45.0955, 45.4245, 45.8433, 46.0826, 45.8931,
        46.0328, 45.6140, 46.2820, 46.2820, 46.0028, 46.0328, 46.4116, 46.2222, 45.6439, 46.2122, 46.2521,
        45.7137, 46.4515, 45.7835, 45.3548, 44.0288, 44.1783, 44.2181, 44.5672, 43.4205, 42.6628, 43.1314,
    ]
    private static let worksheetRSI = [
        70.53, 66.32, 66.55, 69.41, 66.36, 57.97, 62.93, 63.26, 56.06, 62.38, 54.71, 50.42, 39.99, 41.46,
        41.87, 45.46, 37.30, 33.08, 37.77,
    ]

    @Test("RSI is the worksheet's to its two decimals", arguments: zip(15..<34, worksheetRSI))
    func worksheet(day: Int, expected: Double) throws {
        let closes = Array(Self.worksheetCloses.prefix(day))
        let value = try #require(WilderAverages.relativeStrengthIndex(closes))
        #expect(abs(value - expected) < 0.005_001)
    }

    @Test("RSI of the first 14 changes of Wilder's example: gains of 11.80, losses of 4.10")
    func wilder() throws {
        let closes = [
            54.80, 56.80, 57.85, 59.85, 60.57, 61.10, 62.17, 60.60, 62.35, 62.15, 62.35, 61.45, 62.80, 61.37,
            62.50,
        ]
        #expect(isClose(WilderAverages.relativeStrengthIndex(closes), 100 * 11.8 / 15.9))
        #expect(WilderAverages.relativeStrengthIndex(Array(closes.dropLast())) == nil)
    }

    @Test("RSI is 100 where a price only rises, 0 where it only falls, and undefined where it rests")
    func oneWay() {
        #expect(WilderAverages.relativeStrengthIndex(PriceFixtures.ramp(20)) == 100)
        #expect(WilderAverages.relativeStrengthIndex(PriceFixtures.ramp(20).reversed()) == 0)
        #expect(WilderAverages.relativeStrengthIndex(Array(repeating: 7, count: 20)) == nil)
    }

    @Test(
        "Averages of 1, 2, 3, … lag by half of period − 1, so that MACD is 7 and its signal too",
        arguments: [34, 35, 100, 260])
    func lag(count: Int) throws {
        let closes = PriceFixtures.ramp(count)
        let last = Double(count)
        #expect(isClose(MovingAverage.simple(closes, 20), last - 9.5))
        #expect(isClose(MovingAverage.exponential(closes, 12), last - 5.5))
        #expect(isClose(MovingAverage.exponential(closes, 26), last - 12.5))
        let macd = try #require(MACD(closes))
        #expect(isClose(macd.macd, 7) && isClose(macd.signal, 7) && abs(macd.histogram) < 1e-12)
        #expect(MACD(PriceFixtures.ramp(33)) == nil)
    }

    @Test("MACD begins with the two means on the 26th day and the signal with the mean of nine")
    func macdStart() throws {
        // 25 closes of 0.5, then 1.5: the slow mean is 14 / 26, the fast one 7 / 12; and 1.5 from then on.
        let closes = Array(repeating: 0.5, count: 25) + Array(repeating: 1.5, count: 9)
        let differences = (0..<9).map { day in
            (0..<day).reduce(14.0 / 26 - 1.5) { gap, _ in gap * 25 / 27 } * -1
                + (0..<day).reduce(7.0 / 12 - 1.5) { gap, _ in gap * 11 / 13 }
        }
        let macd = try #require(MACD(closes))
        #expect(isClose(macd.macd, differences[8]))
        #expect(isClose(macd.signal, differences.reduce(0, +) / 9))
    }

    @Test("Bollinger bands of 20 consecutive numbers: a population variance of 399 / 12")
    func bollinger() throws {
        let bands = try #require(BollingerBands(PriceFixtures.ramp(20)))
        #expect(isClose(bands.middle, 10.5))
        #expect(isClose(bands.upper, 22.032_562_594_670_796))
        #expect(isClose(bands.lower, -1.032_562_594_670_796))
        #expect(BollingerBands(PriceFixtures.ramp(19)) == nil)
    }

    @Test("The true range counts a gap from the close before, up or down", arguments: [50.0, 150.0])
    func gap(close: Double) {
        var bars = PriceFixtures.bars(Array(repeating: 100, count: 15))
        #expect(WilderAverages.averageTrueRange(DailyPrices(bars)) == 0)
        bars += [bars[14]]
        bars[15].high = close
        bars[15].low = close
        bars[15].close = close
        // 13 parts of 0 and one of 50.
        #expect(isClose(WilderAverages.averageTrueRange(DailyPrices(bars)), 50.0 / 14))
    }

    @Test(
        "A trend needs the price and both averages in order",
        arguments: [
            (PriceFixtures.ramp(51), PriceTrend.bullish), (PriceFixtures.ramp(260), .bullish),
            (PriceFixtures.ramp(260).reversed(), .bearish),
            (PriceFixtures.ramp(250) + [1], .neutral), (Array(repeating: 0.1, count: 260), .neutral),
            (PriceFixtures.ramp(50), nil),
        ] as [([Double], PriceTrend?)])
    func trend(closes: [Double], expected: PriceTrend?) {
        #expect(PriceTrend(closes) == expected)
    }

    @Test("The risk-free rate of a day compounds to 4 % in 252 days")
    func riskFree() {
        let year = (0..<252).reduce(1.0) { value, _ in value * (1 + ReturnStatistics.dailyRiskFreeRate) }
        #expect(isClose(year, 1.04, within: 1e-13))
    }

    @Test("Percentiles are interpolated between neighbours")
    func percentile() {
        #expect(ReturnStatistics.percentile((0...100).map(Double.init), 0.05) == 5)
        #expect(isClose(ReturnStatistics.percentile([1, 2, 3, 4], 0.05), 1.15))
        #expect(ReturnStatistics.percentile([3], 0.01) == 3)
    }

    @Test("Twenty returns of ±1 % in turn: a sample variance of 20 / 19 of 0.0001")
    func alternating() {
        let statistics = ReturnStatistics((0..<20).map { $0.isMultiple(of: 2) ? 0.01 : -0.01 })
        #expect(isClose(statistics.volatility, 0.162_869_014_209_191_1))
        #expect(statistics.meanReturn.map { abs($0) < 1e-15 } == true)
        #expect(isClose(statistics.valueAtRisk95, -0.01))
        #expect(isClose(statistics.conditionalValueAtRisk95, -0.01))
        #expect(isClose(statistics.downsideDeviation, 0.113_996_886_979_808_09))
        #expect(isClose(statistics.sharpeRatio, -0.240_830_127_288_783_8))
        #expect(isClose(statistics.sortinoRatio, -0.344_077_513_540_749_7))
    }

    @Test(
        "A drawdown is from the highest close so far, the first among them",
        arguments: [
            ([100, 80, 120, 60, 90], -0.5), ([100, 50], -0.5), ([1, 2, 3], 0), ([5], 0), ([], 0),
            ([4, 3, 8, 5, 9], -0.375),
        ] as [([Double], Double)])
    func drawdown(closes: [Double], expected: Double) {
        #expect(isClose(ReturnStatistics.maxDrawdown(closes), expected))
    }

    @Test("What moves twice as far the same way has a beta of 2, and of −2 the other way")
    func beta() {
        let market: [Double] = [1, -2, 3, 0, -1, 2, 1]
        let double = Comovement(market.map { 2 * $0 + 5 }[...], market[...])
        #expect(isClose(double.beta, 2) && isClose(double.correlation, 1))
        let opposite = Comovement(market.map { -2 * $0 }[...], market[...])
        #expect(isClose(opposite.beta, -2) && isClose(opposite.correlation, -1))
        let constant = Comovement(Array(repeating: 3, count: 7)[...], market[...])
        #expect(constant.beta == 0 && constant.correlation == nil)
        #expect(Comovement(market[...], Array(repeating: 3, count: 7)[...]).beta == nil)
    }

    @Test("A square beyond what a number holds is no correlation of 0")
    func overflow() {
        let market: [Double] = [1, -2, 3, 0, -1, 2, 1]
        let huge = Comovement([1e200, 0, 0, 0, 0, 0, 0], market[...])
        #expect(huge.correlation == nil && huge.beta == nil)
    }

    @Test("Returns are between the days that both have, whatever the hour at which their bars open")
    func joint() {
        let daily = PriceFixtures.bars([1, 2, 4, 8, 16, 32, 64, 128])  // Monday to Monday
        var weekdays = PriceFixtures.bars([1, 3, 9, 27, 81, 0.1, 0.1, 243])
        weekdays.removeSubrange(5...6)
        for index in weekdays.indices { weekdays[index].opensAt.milliseconds += 52_200_000 }
        let joint = JointReturns(DailyCloses(daily), DailyCloses(weekdays))
        #expect(joint.first == [1, 1, 1, 1, 7])
        #expect(joint.second == [2, 2, 2, 2, 2])
        #expect(joint.closesAt == weekdays.last?.closesAt)
    }

    @Test("Of several bars on one day the last counts; one that goes back in time is left out")
    func days() {
        var bars = PriceFixtures.bars([1, 2, 3, 4])
        bars[1].opensAt.milliseconds -= 1  // the last millisecond of the first day
        bars[3].opensAt = PriceFixtures.start
        let closes = DailyCloses(bars)
        #expect(closes.closes == [2, 3])
        #expect(closes.days == [20_458, 20_460])
        #expect(closes.closesAt.last == bars[2].closesAt)
        bars[0].opensAt.milliseconds = -1
        #expect(DailyCloses(Array(bars.prefix(1))).days == [-1])
    }

    @Test(
        "Figures in sentences",
        arguments: [(1.005, "1.00"), (-0.001, "0.00"), (-2.5, "-2.50"), (12, "12.00")])
    func decimals(value: Double, expected: String) {
        #expect(DecimalText.decimals(value) == expected)
        #expect(DecimalText.percent(0.1234) == "12.3 %")
        #expect(DecimalText.decimals(.infinity) == "above 10¹²")
    }
}
