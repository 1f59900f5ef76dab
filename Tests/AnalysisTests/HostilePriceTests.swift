import Analysis
import FIMLCore
import GatewayTesting
import MarketData
import Testing

@Suite("Whatever the bars, the workers that judge by prices answer finite numbers")
struct HostilePriceTests {
    private static let workers: [any Worker] = [TechnicalWorker(), RiskWorker(), CorrelationWorker()]

    /// Prices of one kind or another: gentle, wild, over all magnitudes that a number has, flat, and mixed.
    private static func bars(_ kind: Int, using generator: inout SeededGenerator) -> [Bar] {
        let count = Int.random(in: 0...270, using: &generator)
        var price = 100.0
        return (0..<count).map { day in
            func any() -> Double {
                let magnitude = Double(
                    sign: .plus, exponent: .random(in: -1_074...1_023, using: &generator), significand: 1)
                return magnitude * .random(in: 1..<2, using: &generator)
            }
            switch kind {
            case 0: price *= .random(in: 0.95...1.05, using: &generator)
            case 1: price = min(max(price * .random(in: 0.01...50, using: &generator), 1e-300), 1e300)
            case 2: price = any()
            case 3: break
            default: if Int.random(in: 0..<20, using: &generator) == 0 { price = any() }
            }
            let isOdd = kind > 3 && Int.random(in: 0..<50, using: &generator) == 0
            return Bar(
                opensAt: isOdd
                    ? Timestamp(milliseconds: .random(in: .min ... .max, using: &generator))
                    : PriceFixtures.start.adding(seconds: Int64(day) * 86_400),
                intervalSeconds: isOdd ? .random(in: 1 ... .max, using: &generator) : 86_400, open: price,
                high: kind == 2 ? any() : price, low: kind == 2 ? any() : price, close: price,
                volume: [nil, 0, 1e18].randomElement(using: &generator) ?? nil)
        }
    }

    /// The names of the members that are null, at any depth; records what no finding may hold.
    private static func nulls(_ value: JSONValue, _ name: String = "") -> [String] {
        switch value {
        case .null: return [name]
        case .number(let number):
            #expect(number.isFinite, "\(name)")
            return []
        case .string(let text):
            #expect(!text.contains("nan") && !text.contains("inf "), "\(text)")
            return []
        case .bool, .integer: return []
        case .array(let elements): return elements.flatMap { nulls($0, name) }
        case .object(let members): return members.flatMap { nulls($0.value, $0.key) }
        }
    }

    @Test("Of any positive finite prices", arguments: 0..<5)
    func anyPrices(kind: Int) {
        var generator = SeededGenerator(seed: 0x0DDB_A125 + UInt64(kind))
        var findings = 0
        for _ in 0..<60 {
            let figures = PriceFixtures.figures(
                Self.bars(kind, using: &generator),
                benchmarks: ["M", "N"].map { ($0, Self.bars(kind, using: &generator)) })
            for worker in Self.workers {
                do {
                    let finding = try worker.analyze(figures)
                    findings += 1
                    #expect((0...10).contains(finding.score))
                    #expect((0...1).contains(finding.confidence))
                    let nulls = Set(Self.nulls(.object(finding.details)))
                    // A correlation is missing by its benchmark, a shift with the coefficients.
                    guard worker.type != .correlation else { continue }
                    #expect(nulls == finding.missingSubjects)
                } catch {
                    #expect(!error.missing.isEmpty)
                }
            }
        }
        #expect(findings > 60)
    }

    @Test("Of prices that are none", arguments: [0, -1, .nan, .infinity, -.infinity] as [Double])
    func noPrice(price: Double) throws {
        let good = PriceFixtures.bars((0..<130).map { 100 + Double($0 % 7) })
        var bars = good
        bars.insert(contentsOf: PriceFixtures.bars([price]), at: 60)
        let market = PriceFixtures.bars((0..<130).map { 50 + Double($0 % 5) })
        for worker in Self.workers {
            let finding = try worker.analyze(PriceFixtures.figures(bars, benchmarks: [("M", market)]))
            let expected = try worker.analyze(PriceFixtures.figures(good, benchmarks: [("M", market)]))
            #expect(finding == expected)
        }
    }
}
