import Configuration
import FIMLCore
import MarketData
import Testing

@testable import FIMLWatchdogs

@Suite("correlation_breakdown: the last 7 returns correlate otherwise than the last 90")
struct CorrelationBreakdownWatchdogTests {
    private static let day: Int64 = 86_400
    private static let names = (btc: equity("BTC"), spy: equity("SPY"))

    /// Daily bars, one for each close from day 0 on, that open at a second of the day.
    private static func bars(_ closes: [Double], opensAt second: Int64 = 0) -> [Bar] {
        closes.indices.map { bar(Int64($0) * day + second, every: day, close: closes[$0]) }
    }

    /// Closes from 100 on that move by `returns`.
    private static func closes(_ returns: [Double]) -> [Double] {
        returns.reduce(into: [100]) { $0.append(($0.last ?? 0) * (1 + $1)) }
    }

    /// 90 returns of which no two in a row are alike.
    private static let returns = (0..<90).map { [0.01, -0.02, 0.03, 0.005, -0.01][$0 % 5] }
    /// As `returns`, but the last `count` the other way.
    private static func turned(_ count: Int) -> [Double] {
        returns.dropLast(count) + returns.suffix(count).map { -$0 }
    }

    private static func judge(
        _ first: [Bar], _ second: [Bar], atDay: Int64 = 91, isCareless: Bool = false,
        _ change: (inout Settings.CorrelationBreakdown) -> Void = { _ in }
    ) async throws -> [Judgement] {
        var market = FixtureMarket(bars: [names.btc: first, names.spy: second])
        market.isCareless = isCareless
        return try await CorrelationBreakdownWatchdog(
            settings(\.correlationBreakdown, change), pairs: [AssetPair(names.btc, names.spy)], source: market
        ).check(at: at(atDay * day))
    }

    private static func number(_ judgement: Judgement, _ key: String) -> Double {
        judgement.data[key]?.double ?? .nan
    }

    @Test("Pearson's coefficient of Anscombe's first set (The American Statistician 27, 1973) is 0.8164205")
    func anscombe() throws {
        let first: [Double] = [10, 8, 13, 9, 11, 14, 6, 4, 12, 7, 5]
        let second = [8.04, 6.95, 7.58, 8.81, 8.33, 9.96, 7.24, 4.26, 10.84, 4.82, 5.68]
        let coefficient = try #require(Correlation.pearson(first[...], second[...]))
        #expect(abs(coefficient - 0.81642051634484) < 1e-13)
        #expect(Correlation.pearson(first[...], first[...]) == 1)
        #expect(Correlation.pearson([1, 1, 1], [1, 2, 3]) == nil)
        #expect(Correlation.pearson([], []) == nil)
    }

    @Test("assets that move together are as they should be; when one turns, it fires with both")
    func rule() async throws {
        let straight = Self.bars(Self.closes(Self.returns))
        let quiet = try #require(try await Self.judge(straight, straight).first)
        #expect(quiet.anomaly == nil && Self.number(quiet, "change") < 1e-12)
        let broken = try #require(
            try await Self.judge(straight, Self.bars(Self.closes(Self.turned(7)))).first)
        #expect(broken.anomaly == Anomaly(type: .correlationBreak, severity: .high))
        #expect(broken.subject == "BTC/SPY" && broken.assets == [Self.names.btc, Self.names.spy])
        #expect(broken.data["asset1"] == "BTC" && broken.data["asset2"] == "SPY")
        #expect(abs(Self.number(broken, "recent_corr") + 1) < 1e-12)
        #expect((0.5...1).contains(Self.number(broken, "hist_corr")))
        #expect(Self.number(broken, "change") > 1.5)
        #expect(Set(broken.data.keys) == ["asset1", "asset2", "recent_corr", "hist_corr", "change"])
        #expect(
            broken.evidence
                == Evidence(
                    rule: "correlation_breakdown.threshold", operator: "gt", threshold: 0.5,
                    observed: Self.number(broken, "change"), windowSeconds: 90 * Self.day))
        #expect(broken.observedAt == at(91 * Self.day))
        #expect(broken.description.hasPrefix("BTC and SPY correlate at -1.00 over 7 days, at +0."))
    }

    @Test("the change decides, strictly; from the threshold to 0.7 it is medium")
    func threshold() async throws {
        let first = Self.bars(Self.closes(Self.returns))
        let second = Self.bars(Self.closes(Self.turned(2)))
        let judgement = try #require(try await Self.judge(first, second).first)
        let change = Self.number(judgement, "change")
        #expect((0.1...0.7).contains(change))
        let below = try await Self.judge(first, second) { $0.threshold = change.nextDown }
        #expect(below.first?.anomaly?.severity == .medium)
        let equal = try await Self.judge(first, second) { $0.threshold = change }
        #expect(equal.map { $0.anomaly } == [nil])
    }

    @Test("only days on which both trade count, by the day in UTC on which a bar opens")
    func weekends() async throws {
        // 133 days hold 19 weekends, so 95 joint days. What happens on a weekend must not matter.
        let isWeekend = { (day: Int) in day % 7 >= 5 }
        let values = (0..<133).map { 100 + Double($0 * 37 % 11) }
        let shares = Self.bars(values.map { $0 * 2 }, opensAt: 14 * 3_600 + 1_800).enumerated()
            .filter { !isWeekend($0.offset) }.map(\.element)
        let coins = Self.bars(values)
        let wild = Self.bars(values.enumerated().map { isWeekend($0.offset) ? 1e6 : $0.element })
        let judgement = try #require(try await Self.judge(coins, shares, atDay: 133).first)
        #expect(abs(Self.number(judgement, "hist_corr") - 1) < 1e-12)
        #expect(try await Self.judge(wild, shares, atDay: 133) == [judgement])
        // The last share's bar is over in the middle of the day after Friday.
        #expect(judgement.observedAt == at(131 * Self.day + 14 * 3_600 + 1_800))
    }

    @Test("fewer than 90 returns, a price that does not move, and prices that have stopped are not judged")
    func notJudged() async throws {
        let moving = Self.bars(Self.closes(Self.returns))
        #expect(try await Self.judge(moving, Array(moving.dropLast()), atDay: 91) == [])
        #expect(try await Self.judge(moving, Array(moving.dropFirst())) == [])
        #expect(try await Self.judge(moving, []) == [])
        #expect(try await Self.judge(moving, Self.bars(Array(repeating: 5, count: 91))) == [])
        // One percent a day, but for rounding.
        let steady = Self.bars(Self.closes(Array(repeating: 0.01, count: 90)))
        #expect(try await Self.judge(moving, steady) == [])
        let resting = Self.turned(0).dropLast(7) + Array(repeating: 0, count: 7)
        #expect(try await Self.judge(moving, Self.bars(Self.closes(Array(resting)))) == [])
        #expect(try await Self.judge(moving, moving, atDay: 96).count == 1)
        #expect(try await Self.judge(moving, moving, atDay: 97) == [])
    }

    @Test("bars that are not over, are told twice or in no order change nothing; nonsense is a day without")
    func careless() async throws {
        let first = Self.bars(Self.closes([0.07] + Self.returns + [0.3, -0.2]))
        let second = Self.bars(Self.closes([0.07] + Self.turned(7) + [-0.4, 0.2]))
        let honest = try await Self.judge(first, second, atDay: 92)
        #expect(honest.first?.anomaly != nil)
        let doubled = first.reversed() + first
        #expect(try await Self.judge(Array(doubled), second, atDay: 92, isCareless: true) == honest)
        var holed = second
        holed[50].close = .nan
        // 92 joint days but one.
        #expect(try await Self.judge(first, holed, atDay: 92).count == 1)
        holed[51].close = -3
        #expect(try await Self.judge(first, holed, atDay: 92) == [])
    }

    @Test("a pair whose asset fails does not spoil the rest; when none can be judged, the failure is told")
    func failing() async throws {
        let bars = Self.bars(Self.closes(Self.returns))
        let assets = ["A", "B", "C"].map(equity)
        var market = FixtureMarket(bars: Dictionary(uniqueKeysWithValues: assets.map { ($0, bars) }))
        market.failing = ["B"]
        func check() async throws -> [Judgement] {
            try await CorrelationBreakdownWatchdog(
                settings(\.correlationBreakdown), pairs: market.assets.pairs, source: market
            ).check(at: at(91 * Self.day))
        }
        #expect(try await check().map(\.subject) == ["A/C"])
        market.failing = ["A", "C"]
        await #expect(throws: MarketDataError.self) { try await check() }
    }
}
