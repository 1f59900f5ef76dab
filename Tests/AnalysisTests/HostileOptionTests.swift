import Analysis
import FIMLCore
import GatewayTesting
import MarketData
import Testing

@Suite("Whatever the chain, options are judged by finite numbers, or said to be too few")
struct HostileOptionTests {
    /// A figure that a source may tell: none, none that is a number, or one of any size.
    private static func any(using generator: inout SeededGenerator) -> Double? {
        switch Int.random(in: 0..<12, using: &generator) {
        case 0: nil
        case 1: 0
        case 2: .nan
        case 3: .infinity
        case 4: -1
        case 5: .greatestFiniteMagnitude
        case 6: .leastNonzeroMagnitude
        case 7: .random(in: 0...1, using: &generator)
        default: .random(in: 0...1_000, using: &generator)
        }
    }

    private static func figures(using generator: inout SeededGenerator) -> Figures {
        let count = Int.random(in: 0...80, using: &generator)
        let contracts = (0..<count).map { number in
            var contract = OptionFixtures.option(
                "X\(number)", Bool.random(using: &generator) ? .call : .put,
                strike: any(using: &generator) ?? 100, days: .random(in: -2...400, using: &generator),
                volume: any(using: &generator), open: any(using: &generator),
                volatility: Bool.random(using: &generator) ? any(using: &generator) : nil,
                bid: any(using: &generator), ask: any(using: &generator))
            if Int.random(in: 0..<20, using: &generator) == 0 {
                contract.expiresOn = Timestamp(milliseconds: .random(in: .min ... .max, using: &generator))
            }
            return contract
        }
        let isOdd = Int.random(in: 0..<20, using: &generator) == 0
        return OptionFixtures.figures(
            contracts, price: Bool.random(using: &generator) ? 100 : any(using: &generator),
            at: isOdd
                // Far enough from the ends for the fixtures' own minute.
                ? Timestamp(milliseconds: .random(in: Int64.min / 2...Int64.max / 2, using: &generator))
                : OptionFixtures.morning)
    }

    /// Records what no finding may hold.
    private static func check(_ value: JSONValue) {
        switch value {
        case .null, .bool, .integer: return
        case .number(let number): #expect(number.isFinite)
        case .string(let text): #expect(!text.contains("nan") && !text.contains("inf "), "\(text)")
        case .array(let elements): elements.forEach(check)
        case .object(let members): members.values.forEach(check)
        }
    }

    @Test("Of any figures", arguments: 0..<4)
    func anyChain(part: Int) {
        var generator = SeededGenerator(seed: 0x0B71_0225 + UInt64(part))
        var findings = 0
        for _ in 0..<150 {
            do {
                let finding = try OptionsWorker().analyze(Self.figures(using: &generator))
                findings += 1
                #expect((0...10).contains(finding.score))
                #expect((0...1).contains(finding.confidence))
                Self.check(.object(finding.details))
                let metrics = finding.value("metrics")?.members ?? [:]
                let nulls = Set(metrics.filter { $0.value == .null }.keys)
                #expect(nulls == finding.missingSubjects)
                #expect((finding.value("unusual_activity")?.elements?.count ?? 11) <= 10)
            } catch {
                #expect(!error.missing.isEmpty)
            }
        }
        #expect(findings > 75)
    }
}
