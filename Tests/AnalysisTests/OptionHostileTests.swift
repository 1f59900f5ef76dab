import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import Analysis

@Suite("Implied volatilities are computed where a price tells them, and nothing in a chain upsets the worker")
struct OptionHostileTests {
    private static func contract(
        _ kind: OptionContract.Kind, strike: Double = 100, days: Int64 = 73, bid: Double?, ask: Double?
    ) -> OptionContract {
        OptionsWorkerTests.contract(kind, strike: strike, days: days, bid: bid, ask: ask)
    }

    private static func metrics(_ contracts: [OptionContract], spot: Double? = 100, bars: [Bar] = []) throws
        -> JSONValue?
    {
        // Volumes, so that there is a finding whatever the volatilities are.
        let traded = OptionContract.Kind.allCases.map {
            OptionsWorkerTests.contract($0, days: 73, volume: 1, name: "traded")
        }
        let figures = OptionsWorkerTests.figures(contracts + traded, spot: spot, bars: bars)
        return try OptionsWorker().analyze(figures).value("metrics")
    }

    // S = 100, K = 100, r = 0.04, q = 0, T = 73 / 365 = 0.2; prices at a volatility of 0.25, computed with
    // Python's decimal module and a series for the normal distribution.
    private static let call = 4.8499819722145841
    private static let put = 4.0531734559206472

    @Test("The middle of bid and ask implies the volatility that it was computed from")
    func computed() throws {
        let contracts = [
            Self.contract(.call, bid: Self.call - 0.1, ask: Self.call + 0.1),
            Self.contract(.put, bid: Self.put - 0.1, ask: Self.put + 0.1),
        ]
        for (spot, bars) in [
            (100, []), (nil, PriceFixtures.bars([90, 100])), (-1, PriceFixtures.bars([100])),
        ]
            as [(Double?, [Bar])]
        {
            let metrics = try Self.metrics(contracts, spot: spot, bars: bars)
            #expect(isClose(metrics?["call_implied_volatility"]?.double, 0.25))
            #expect(isClose(metrics?["put_implied_volatility"]?.double, 0.25))
        }
        #expect(try Self.metrics(contracts, spot: nil)?["avg_implied_volatility"] == .null)
    }

    @Test("A finding that rests on computed volatilities is trusted a fifth less")
    func confidence() throws {
        func finding(_ volatility: Double?) throws -> Finding {
            var contracts = [
                Self.contract(.call, bid: Self.call, ask: Self.call),
                Self.contract(.put, bid: Self.put, ask: Self.put),
            ]
            for index in contracts.indices {
                contracts[index].volume = 10
                contracts[index].openInterest = 10
                contracts[index].impliedVolatility = volatility
            }
            return try OptionsWorker().analyze(OptionsWorkerTests.figures(contracts))
        }
        #expect(isClose(try finding(0.25).confidence, 0.1))
        #expect(isClose(try finding(nil).confidence, 0.08))
        #expect(try finding(nil).value("interpretation")?.text?.contains("2 of the implied") == true)
    }

    @Test(
        "No bid, sides that cross, a price below what the option is worth at once, or the day of expiry",
        arguments: [
            (nil, 5.0, 100.0, 73 as Int64), (0, 5, 100, 73), (5, nil, 100, 73), (5, 4.9, 100, 73),
            (.nan, 5, 100, 73), (5, .infinity, 100, 73), (-5, 5, 100, 73), (20, 21, 80, 73), (5, 6, 100, 0),
            // Deep in the money: the middle is above the intrinsic value of 50.4, the bid below.
            (50, 51.5, 50, 73), (99.999, 101, 100, 73),
        ] as [(Double?, Double?, Double, Int64)])
    func none(bid: Double?, ask: Double?, strike: Double, days: Int64) throws {
        let contract = Self.contract(.call, strike: strike, days: days, bid: bid, ask: ask)
        var figures = OptionsWorkerTests.figures([contract])
        figures.optionChain?.contracts += [
            OptionsWorkerTests.contract(.put, days: days, volume: 1, volatility: 0.3)
        ]
        let finding = try OptionsWorker().analyze(figures)
        #expect(finding.value("metrics", "call_implied_volatility") == .null)
        #expect(finding.missingSubjects.contains("call_implied_volatility"))
    }

    @Test(
        "Of a volatility that is absurd nothing is kept", arguments: [0, -0.2, 16.1, 1e300, .nan, .infinity])
    func absurd(volatility: Double) throws {
        var contract = Self.contract(.call, bid: nil, ask: nil)
        contract.impliedVolatility = volatility
        #expect(try Self.metrics([contract])?["call_implied_volatility"] == .null)
        contract.impliedVolatility = 16
        #expect(try Self.metrics([contract])?["call_implied_volatility"]?.double == 16)
    }

    @Test("More puts, dearer puts and more volatility never raise the score")
    func monotone() throws {
        func score(_ puts: Double, _ open: Double, _ skew: Double, _ level: Double) throws -> Double {
            let contracts = [
                OptionsWorkerTests.contract(.call, volume: 100, open: 100, volatility: level - skew / 2),
                OptionsWorkerTests.contract(.put, volume: puts, open: open, volatility: level + skew / 2),
            ]
            return try OptionsWorker().analyze(OptionsWorkerTests.figures(contracts)).score
        }
        let amounts = [0.0, 30, 50, 90, 150, 200, 1e12]
        let series = [
            try amounts.map { try score($0, 90, 0.05, 0.3) },
            try amounts.map { try score(90, $0, 0.05, 0.3) },
            try [-0.5, -0.05, 0, 0.05, 0.15, 0.5].map { try score(90, 90, $0, 0.3) },
            try [0.05, 0.15, 0.3, 0.6, 9].map { try score(90, 90, 0.05, $0) },
        ]
        for scores in series {
            // To the rounding of a level less half of a skew.
            #expect(zip(scores, scores.dropFirst()).allSatisfy { $1 <= $0 + 1e-12 })
            #expect((scores.first ?? 0) > (scores.last ?? 0) + 0.5)
        }
        #expect(try score(0, 0, -0.1, 0.1) == 10)
        #expect(try score(1e9, 1e9, 0.2, 0.7) == 0)
    }

    @Test("Whatever the chain, the numbers are finite, the score is in its range and nulls are named")
    func anything() {
        var generator = SeededGenerator(seed: 0x0971_0125)
        func any() -> Double? { HostileNumber.any(using: &generator) }
        var findings = 0
        for _ in 0..<600 {
            let contracts = (0..<Int.random(in: 0...40, using: &generator)).map { index in
                var contract = OptionContract(
                    symbol: "C\(index)", kind: Bool.random(using: &generator) ? .call : .put,
                    strike: Bool.random(using: &generator) ? 100 : any() ?? 90,
                    expiresOn: Int.random(in: 0..<9, using: &generator) == 0
                        ? Timestamp(milliseconds: .random(in: .min ... .max, using: &generator))
                        : PriceFixtures.start.adding(
                            seconds: ([-2, 0, 5, 9, 9].randomElement(using: &generator) ?? 9) * 86_400))
                contract.bid = any()
                contract.ask = any()
                contract.volume = any().map { abs($0) }
                contract.openInterest = any()
                contract.impliedVolatility = Bool.random(using: &generator) ? any() : nil
                return contract
            }
            var figures = OptionsWorkerTests.figures(
                contracts, spot: any(), bars: PriceFixtures.bars([any() ?? 100]))
            if Int.random(in: 0..<20, using: &generator) == 0 {
                let moment = Timestamp(milliseconds: .random(in: .min ... .max, using: &generator))
                figures.optionChain?.observedAt = moment
            }
            do {
                let finding = try OptionsWorker().analyze(figures)
                findings += 1
                #expect((0...10).contains(finding.score))
                #expect((0...1).contains(finding.confidence))
                let listed = finding.value("unusual_activity")?.elements ?? []
                #expect(listed.count <= 10)
                for entry in listed { _ = HostileNumber.nulls(entry) }
                // What an entry does not say is null and not named.
                let named = finding.details.filter { $0.key != "unusual_activity" }
                #expect(HostileNumber.nulls(.object(named)) == finding.missingSubjects)
            } catch {
                #expect(!error.missing.isEmpty)
            }
        }
        #expect(findings > 150)
    }
}
