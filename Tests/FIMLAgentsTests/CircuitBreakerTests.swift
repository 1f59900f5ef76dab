import Testing

@testable import FIMLAgents

@Suite("A worker's circuit opens after 5 failures in a row, for 60 s, then lets one task try")
struct CircuitBreakerTests {
    /// What happens, and when, in seconds.
    enum Event: Sendable {
        case fails(Double), answers, isAbandoned(Double)
        /// The trial, which begins and ends at that time.
        case trialFails(Double), trialAnswers(Double), trialIsAbandoned(Double)
        /// A trial begins and does not end.
        case trialBegins(Double)
    }

    private static func milliseconds(_ seconds: Double) -> UInt64 { UInt64(seconds * 1000) }
    private static func failures(_ count: Int) -> [Event] { Array(repeating: .fails(0), count: count) }

    private func breaker(after events: [Event]) -> CircuitBreaker {
        var circuit = CircuitBreaker(threshold: 5, openMilliseconds: 60_000)
        func trial(_ seconds: Double) {
            #expect(circuit.admits(at: Self.milliseconds(seconds)))
            let isTrial = circuit.began()
            #expect(isTrial)
        }
        for event in events {
            switch event {
            case .fails(let time): circuit.failed(isTrial: false, at: Self.milliseconds(time))
            case .answers: circuit.succeeded(isTrial: false)
            case .isAbandoned(let time): circuit.abandoned(isTrial: false, at: Self.milliseconds(time))
            case .trialBegins(let time): trial(time)
            case .trialFails(let time):
                trial(time)
                circuit.failed(isTrial: true, at: Self.milliseconds(time))
            case .trialAnswers(let time):
                trial(time)
                circuit.succeeded(isTrial: true)
            case .trialIsAbandoned(let time):
                trial(time)
                circuit.abandoned(isTrial: true, at: Self.milliseconds(time))
            }
        }
        return circuit
    }

    struct Row: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let events: [Event]
        let state: CircuitState
        /// Whether tasks are admitted, by the time in seconds.
        let admits: [Double: Bool]
    }

    private static let rows: [Row] = [
        Row(testDescription: "new", events: [], state: .closed, admits: [0: true]),
        Row(testDescription: "4 failures", events: failures(4), state: .closed, admits: [0: true]),
        Row(
            testDescription: "5 failures", events: failures(5), state: .open,
            admits: [0: false, 59.999: false, 60: true]),
        Row(
            testDescription: "4 failures, an answer, 4 failures",
            events: failures(4) + [.answers] + failures(4),
            state: .closed, admits: [0: true]),
        Row(
            testDescription: "4 failures, one abandoned, a failure",
            events: failures(4) + [.isAbandoned(0), .fails(0)], state: .open, admits: [1: false]),
        Row(
            testDescription: "the trial is under way", events: failures(5) + [.trialBegins(60)],
            state: .halfOpen, admits: [60: false, 1000: false]),
        Row(
            testDescription: "the trial answers", events: failures(5) + [.trialAnswers(60)], state: .closed,
            admits: [60: true]),
        Row(
            testDescription: "after an answered trial 4 failures count anew",
            events: failures(5) + [.trialAnswers(60)] + failures(4), state: .closed, admits: [60: true]),
        Row(
            testDescription: "the trial fails", events: failures(5) + [.trialFails(70)], state: .open,
            admits: [70: false, 129.999: false, 130: true]),
        Row(
            testDescription: "the trial is abandoned", events: failures(5) + [.trialIsAbandoned(60)],
            state: .open, admits: [60: true]),
        Row(
            testDescription: "an older task answers while it is open", events: failures(5) + [.answers],
            state: .open, admits: [1: false, 60: true]),
        Row(
            testDescription: "an older task fails while it is open", events: failures(5) + [.fails(30)],
            state: .open, admits: [59.999: false, 60: true]),
        Row(
            testDescription: "an older task is abandoned during the trial",
            events: failures(5) + [.trialBegins(60), .isAbandoned(61)], state: .halfOpen,
            admits: [61: false]),
        Row(
            testDescription: "older tasks answer and fail during the trial",
            events: failures(5) + [.trialBegins(60), .answers, .fails(61)], state: .halfOpen,
            admits: [61: false]),
    ]

    @Test("State and admission follow from what happened", arguments: rows)
    func table(row: Row) {
        let circuit = breaker(after: row.events)
        #expect(circuit.state == row.state)
        for (time, admits) in row.admits {
            #expect(circuit.admits(at: Self.milliseconds(time)) == admits, "at \(time) s")
        }
    }
}
