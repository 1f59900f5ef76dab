import Analysis
import FIMLCore
import GatewayTesting
import Testing

@testable import FIMLAgents

@Suite("The parts of the language model's interpreter are right where two questions overlap")
struct ModelPartsTests {
    private let start = ScriptedModel.start

    @Test("Only the trial decides about an open circuit; what was asked before it opened does not")
    func lateOutcomes() {
        var circuit = ModelCircuit()
        for _ in 0..<5 { circuit.ended(.failed, isTrial: false, at: start) }
        let until = start.adding(seconds: 60)
        #expect(circuit.state == .open(until: until))
        circuit.ended(.answered, isTrial: false, at: start)
        circuit.ended(.failed, isTrial: false, at: start.adding(seconds: 30))
        #expect(circuit.state == .open(until: until))
        let (first, second) = (circuit.begin(at: until), circuit.begin(at: until))
        #expect(first == (true, true))
        #expect(second == (false, false))
        circuit.ended(.answered, isTrial: false, at: until)
        circuit.ended(.failed, isTrial: false, at: until)
        #expect(circuit.state == .trying)
        circuit.ended(.answered, isTrial: true, at: until)
        #expect(circuit.state == .closed(failures: 0))
    }

    @Test("A trial of which nothing is known lets the next question try")
    func unknownTrial() {
        var circuit = ModelCircuit()
        circuit.ended(.limited(until: start), isTrial: false, at: start)
        let first = circuit.begin(at: start)
        circuit.ended(.unknown, isTrial: true, at: start)
        let second = circuit.begin(at: start)
        #expect(first == (true, true))
        #expect(second == (true, true))
    }

    @Test("Of two pauses that are asked for the longer counts")
    func twoPauses() {
        var circuit = ModelCircuit()
        circuit.ended(.limited(until: start.adding(seconds: 90)), isTrial: false, at: start)
        circuit.ended(.limited(until: start.adding(seconds: 30)), isTrial: false, at: start)
        #expect(circuit.state == .open(until: start.adding(seconds: 90)))
    }

    @Test("What is under way is set aside; what it cost replaces that, also where it is more")
    func reservations() throws {
        var budget = TokenBudget(tokensPerDay: 100)
        let (first, tooMuch) = (budget.reserve(60, at: start), budget.reserve(41, at: start))
        let second = budget.reserve(40, at: start)
        #expect(tooMuch == nil)
        budget.settle(try #require(first), cost: 10)
        let afterFirst = budget.used(at: start)
        budget.settle(try #require(second), cost: 500)
        let (afterSecond, none) = (budget.used(at: start), budget.reserve(1, at: start))
        #expect((afterFirst, afterSecond) == (50, 510))
        #expect(none == nil)
    }

    @Test("A day's cost does not fall on the next, and a clock that is set back gives nothing again")
    func days() throws {
        var budget = TokenBudget(tokensPerDay: 100)
        let today = start.adding(seconds: 86_400)
        let (yesterdays, todays) = (budget.reserve(90, at: start), budget.reserve(80, at: today))
        #expect(todays != nil)
        budget.settle(try #require(yesterdays), cost: 0)
        let (used, again) = (budget.used(at: today), budget.reserve(30, at: start))
        #expect(used == 80)
        #expect(again == nil)
    }

    @Test("Damaged completions, from a seed, are refused or within every range")
    func damaged() throws {
        let whole = Array(
            ScriptedModel.text(
                ScriptedModel.completion(.string(ScriptedModel.text(ScriptedModel.said)))
            ).utf8)
        let interpretable = try #require(WorkerType.risk.interpretable)
        var generator = SeededGenerator(seed: 7)
        var taken = 0
        for _ in 0..<3_000 {
            var bytes = whole
            for _ in 0...Int.random(in: 0...2, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0x20...0x7E, using: &generator)
            }
            guard let value = try? JSONValue.parse(bytes),
                let answer = try? ModelAnswer(value, for: interpretable)
            else { continue }
            taken += 1
            #expect((0...10).contains(answer.score) && (0...1).contains(answer.confidence))
            #expect((1...1_000).contains(answer.text.unicodeScalars.count))
            #expect(interpretable.labels["risk_level"]?.contains(answer.labels["risk_level"] ?? "") == true)
            #expect(ModelAnswer.tokens(value).map { (0...1_000_000).contains($0) } ?? true)
        }
        #expect((1..<3_000).contains(taken))
    }

    @Test("Every interpretable type has a text of its own and labels with at least two values each")
    func interpretables() {
        let asked = WorkerType.allCases.filter { $0.interpretable != nil }
        #expect(Set(asked) == [.fundamentals, .technical, .macro, .risk, .options])
        for type in asked {
            for (name, values) in type.interpretable?.labels ?? [:] {
                #expect(Set(values).count == values.count && values.count > 1, "\(type) \(name)")
                #expect(name != type.interpretable?.textKey)
            }
        }
    }
}
