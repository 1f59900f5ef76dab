import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import MarketProviders

@Suite("Whatever a provider of companies answers, it is refused or keeps what the types promise")
struct CompanyHostileTests {
    /// What takes the place of each value of an answer, one at a time.
    static let hostile: [JSONValue] = [
        .null, .bool(true), .integer(0), .integer(-1), .integer(.max), .integer(.min), .number(1e308),
        .number(-1e308), .number(.leastNonzeroMagnitude), .string(""), .string("None"), .string("NaN"),
        .string("inf"),
        .string("-"), .string("1e999"), .string("0x10"), .string("-0"), .string("2020-02-30"),
        .string("2020-13-01 25:61:61"), .string("\u{0}\u{FFFD}👩‍👩‍👧‍👦"),
        .string(String(repeating: "9", count: 5_000)),
        .array([]), .array([.null]), .object([:]), .object(["raw": .string("None")]),
    ]

    @Test("The fixtures themselves keep the promises", arguments: PromiseCheck.all)
    func fixtures(check: PromiseCheck) throws {
        #expect(try check.violations(Array(check.body.utf8)) == [])
    }

    @Test("Each value of each answer replaced by each hostile one, or left out", arguments: PromiseCheck.all)
    func hostileValues(check: PromiseCheck) throws {
        let answer = try JSONValue.parse(Array(check.body.utf8))
        let outcomes = variants(of: answer).map { expectRefusedOrKept(check, bytes(of: $0)) }
        // Both happen, or the test would show nothing.
        #expect(Set(outcomes) == [true, false])
    }

    @Test("Answers that hold nothing are errors", arguments: PromiseCheck.all)
    func nothing(check: PromiseCheck) {
        let bodies = [
            "", " ", "null", "true", "0", "\"\"", "[]", "{}", "[[]]", "[{}]", #"{"chart":{"result":[]}}"#,
            #"{"quoteSummary":null}"#, #"{"results":[]}"#, #"{"feed":[]}"#, #"{"articles":[]}"#,
            "<html><body>502 Bad Gateway</body></html>", String(repeating: "[", count: 100_000),
        ]
        for body in bodies {
            #expect(throws: MarketDataError.self, "\(body.prefix(40))") {
                try check.violations(Array(body.utf8))
            }
        }
        #expect(throws: MarketDataError.self) { try check.violations([0xFF, 0xFE, 0x00]) }
    }

    @Test("Answers cut off at each byte are errors", arguments: PromiseCheck.all)
    func cut(check: PromiseCheck) {
        let whole = Array(check.body.utf8)
        let end = whole.lastIndex { $0 != UInt8(ascii: "\n") } ?? 0
        for length in 0..<end {
            #expect(throws: MarketDataError.self) { try check.violations(Array(whole[..<length])) }
        }
    }

    @Test("Answers with bytes changed, doubled and left out at random", arguments: PromiseCheck.all)
    func mutations(check: PromiseCheck) {
        var generator = SeededGenerator(seed: 20_261_124)
        let alphabet = Array("0123456789eE+-.\"{}[],:nulltrue \\u".utf8)
        for _ in 0..<300 {
            var body = Array(check.body.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<body.count, using: &generator)
                let end = min(body.count, place + Int.random(in: 1...12, using: &generator))
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: body[place] = alphabet.randomElement(using: &generator) ?? 0
                case 1: body[place] = UInt8.random(in: 0...255, using: &generator)
                case 2: body.insert(contentsOf: body[place..<end], at: place)
                default: if end - place < body.count { body.removeSubrange(place..<end) }
                }
            }
            _ = expectRefusedOrKept(check, body)
        }
    }

    @Test("Stooq's table changed at random")
    func stooq() throws {
        var generator = SeededGenerator(seed: 7)
        let spy = Asset(symbol: "SPY", assetType: .etf)
        let endpoint = try #require(Stooq.bars(of: spy, every: .day, limit: 9))
        for _ in 0..<2_000 {
            var body = Array(StooqFixtures.days.utf8)
            for _ in 0..<3 {
                let place = Int.random(in: 30..<body.count, using: &generator)
                body[place] = Array("0123456789,-.\n\re".utf8).randomElement(using: &generator) ?? 0
            }
            guard let bars = try? endpoint.decode(body).figures else { continue }
            #expect(zip(bars, bars.dropFirst()).allSatisfy { $0.opensAt < $1.opensAt })
            #expect(bars.allSatisfy { $0.low > 0 && $0.high >= $0.low && ($0.volume ?? 0) >= 0 })
        }
    }

    /// Whether there were figures; those must keep the promises.
    private func expectRefusedOrKept(_ check: PromiseCheck, _ body: [UInt8]) -> Bool {
        do {
            let violations = try check.violations(body)
            if !violations.isEmpty {
                Issue.record("\(check.name) broke \(violations): \(String(decoding: body, as: UTF8.self))")
            }
            return true
        } catch {
            #expect(error is MarketDataError, "\(error)")
            return false
        }
    }

    /// The value with each part of it, itself included, replaced by each hostile one or left out.
    private func variants(of value: JSONValue) -> [JSONValue] {
        var variants = Self.hostile
        if let members = value.members {
            for (name, member) in members.sorted(by: { $0.key < $1.key }) {
                var changed = members
                changed[name] = nil
                variants.append(.object(changed))
                for variant in self.variants(of: member) {
                    changed[name] = variant
                    variants.append(.object(changed))
                }
            }
        }
        if let elements = value.elements {
            for index in elements.indices {
                var changed = elements
                changed.remove(at: index)
                variants.append(.array(changed))
                changed.insert(elements[index], at: index)
                for variant in self.variants(of: elements[index]) {
                    changed[index] = variant
                    variants.append(.array(changed))
                }
            }
        }
        return variants
    }
}
