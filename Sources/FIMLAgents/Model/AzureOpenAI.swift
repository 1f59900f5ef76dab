import Analysis
import Configuration
import FIMLCore
import Locking
import WebClient

/// Interprets findings by a chat model that Azure OpenAI serves
/// (`POST {endpoint}/openai/deployments/{deployment}/chat/completions?api-version=…`), in JSON mode and at
/// temperature 0.
///
/// Only score, confidence, one text and the labels of `WorkerType.interpretable` come from the model, and
/// only where they are exactly as asked; in every other case the rules decide, and the reason says why. What
/// is bounded: the time of a question, the size of what is sent and of what comes back, questions at once,
/// tokens a day. A model that fails is left alone (`ModelCircuit`).
///
/// No reason, status or description holds the key, or anything that the service said.
public final class AzureOpenAI: Interpreter {
    /// The size of an answer at most, in bytes.
    static let maxAnswerBytes = 65_536
    /// Questions under way at once; more are left to the rules.
    static let maxQuestions = 8
    /// How long it is left alone after a 429 that names no time, and at most after one that does; in seconds.
    private static let retryAfterSeconds = (unnamed: Int64(60), longest: Int64(3_600))

    private struct State {
        var circuit = ModelCircuit()
        var budget: TokenBudget
        var underWay = 0
        var interpreted: Int64 = 0
        var leftToRules: Int64 = 0
        var lastReason: String?
    }

    /// What was set aside for a question that may be asked.
    private struct Permit {
        let reservation: TokenBudget.Reservation
        let isTrial: Bool
        let estimate: Int
    }

    /// How a question ended.
    private struct Ending {
        var result: Result<ModelAnswer, Refusal>
        var outcome: ModelCircuit.Outcome
        /// Tokens that it cost; nil where that is not known.
        var tokens: Int?
    }

    /// Why the rules decide, in one line.
    private struct Refusal: Error {
        var reason: String
    }

    private let settings: Settings.AzureOpenAI
    private let client: WebClient
    private let now: @Sendable () -> Timestamp
    private let state: Locked<State>

    /// A model by settings; where they are not complete, the rules always decide. `now` tells the time, by
    /// which days, circuit and pauses count.
    public init(
        _ settings: Settings.AzureOpenAI, client: WebClient, now: @escaping @Sendable () -> Timestamp
    ) {
        self.settings = settings
        self.client = client
        self.now = now
        state = Locked(State(budget: TokenBudget(tokensPerDay: settings.tokensPerDay)))
    }

    /// The finding in the model's words, or why the rules decide; within the time limit of the settings.
    public func interpret(_ finding: Finding, of type: WorkerType, asset: Asset) async -> Interpretation {
        guard settings.isConfigured else { return .rules("no language model is configured") }
        guard let interpretable = type.interpretable else {
            return .rules("findings of \(type.rawValue) are not interpreted by a language model")
        }
        guard
            let question = ModelQuestion(
                finding, of: type, asset: asset, interpretable, maxTokens: settings.maxTokens)
        else { return rules("there are too many figures for a question to the language model") }
        switch begin(question) {
        case .failure(let refusal): return rules(refusal.reason)
        case .success(let permit):
            let ending = await ask(question, interpretable)
            end(permit, ending)
            switch ending.result {
            case .success(let answer): return .model(answer.applied(to: finding, interpretable))
            case .failure(let refusal): return rules(refusal.reason)
            }
        }
    }

    /// How it is, for `/health`: whether it is configured, `circuit` (closed, open, half_open) and
    /// `blocked_until`, questions `in_progress`, `tokens_used_today` of `tokens_per_day` (reserved ones
    /// included), how many findings were `interpreted` and how many `left_to_rules`, and the `last_reason`.
    public func status() -> JSONValue {
        let moment = now()
        return state.withLock { state in
            var (circuit, blockedUntil) = ("closed", JSONValue.null)
            switch state.circuit.state {
            case .closed: break
            case .open(let until):
                circuit = until > moment ? "open" : "half_open"
                blockedUntil = until > moment ? .string(until.rfc3339) : .null
            case .trying: circuit = "half_open"
            }
            return [
                "configured": .bool(settings.isConfigured), "circuit": .string(circuit),
                "blocked_until": blockedUntil, "in_progress": .integer(Int64(state.underWay)),
                "tokens_used_today": .integer(Int64(state.budget.used(at: moment))),
                "tokens_per_day": .integer(Int64(settings.tokensPerDay)),
                "interpreted": .integer(state.interpreted), "left_to_rules": .integer(state.leftToRules),
                "last_reason": state.lastReason.map(JSONValue.string) ?? .null,
            ]
        }
    }

    // MARK: - One question

    private func begin(_ question: ModelQuestion) -> Result<Permit, Refusal> {
        let moment = now()
        return state.withLock { state in
            guard state.underWay < Self.maxQuestions else {
                return .failure(Refusal(reason: "the language model is busy with other questions"))
            }
            guard let reservation = state.budget.reserve(question.tokenEstimate, at: moment) else {
                return .failure(Refusal(reason: "the language model's tokens of the day are used up"))
            }
            let (mayAsk, isTrial) = state.circuit.begin(at: moment)
            guard mayAsk else {
                state.budget.settle(reservation, cost: 0)
                return .failure(Refusal(reason: "the language model is left alone after failures"))
            }
            state.underWay += 1
            return .success(
                Permit(reservation: reservation, isTrial: isTrial, estimate: question.tokenEstimate))
        }
    }

    private func end(_ permit: Permit, _ ending: Ending) {
        let moment = now()
        state.withLock { state in
            state.underWay -= 1
            state.budget.settle(permit.reservation, cost: ending.tokens ?? permit.estimate)
            state.circuit.ended(ending.outcome, isTrial: permit.isTrial, at: moment)
            if case .success = ending.result { state.interpreted += 1 }
        }
    }

    private func rules(_ reason: String) -> Interpretation {
        state.withLock { state in
            state.leftToRules += 1
            state.lastReason = reason
        }
        return .rules(reason)
    }

    private func ask(_ question: ModelQuestion, _ interpretable: Interpretable) async -> Ending {
        let request = WebRequest(
            url,
            fields: [
                (name: "api-key", value: settings.apiKey ?? ""),
                (name: "content-type", value: "application/json"),
                (name: "accept", value: "application/json"),
            ],
            body: question.body, timeLimit: settings.timeout, maxBytes: Self.maxAnswerBytes,
            followsRedirects: false)
        do throws(WebError) {
            return read(try await client.fetch(request), interpretable)
        } catch {
            let reason = "the language model: \(error)"
            switch error {
            // What was being answered may be charged.
            case .timedOut, .tooLarge:
                return Ending(result: .failure(Refusal(reason: reason)), outcome: .failed, tokens: nil)
            case .cancelled:
                return Ending(result: .failure(Refusal(reason: reason)), outcome: .unknown, tokens: nil)
            case .busy:
                return Ending(result: .failure(Refusal(reason: reason)), outcome: .unknown, tokens: 0)
            // Most often it was never asked; that some of an answer was cut off cannot be told apart.
            case .unreachable, .badURL, .badField:
                return Ending(result: .failure(Refusal(reason: reason)), outcome: .failed, tokens: 0)
            }
        }
    }

    private func read(_ response: WebResponse, _ interpretable: Interpretable) -> Ending {
        guard response.status == 200 else { return readError(response) }
        guard let completion = try? JSONValue.parse(response.body) else {
            let refusal = Refusal(reason: "the language model's answer is not JSON")
            return Ending(result: .failure(refusal), outcome: .failed, tokens: nil)
        }
        let tokens = ModelAnswer.tokens(completion)
        do throws(ModelAnswer.Failure) {
            let answer = try ModelAnswer(completion, for: interpretable)
            return Ending(result: .success(answer), outcome: .answered, tokens: tokens)
        } catch {
            switch error {
            case .refused:
                return Ending(result: .failure(Self.contentRefused), outcome: .answered, tokens: tokens)
            case .unusable(let reason):
                let refusal = Refusal(reason: "the language model: \(reason)")
                return Ending(result: .failure(refusal), outcome: .failed, tokens: tokens)
            }
        }
    }

    /// What is answered with an error costs no tokens.
    private func readError(_ response: WebResponse) -> Ending {
        let error = (try? JSONValue.parse(response.body))?["error"]
        if response.status == 400, error?["code"] == "content_filter" {
            return Ending(result: .failure(Self.contentRefused), outcome: .answered, tokens: 0)
        }
        let refusal = Refusal(reason: "the language model answered with status \(response.status)")
        guard response.status == 429 else {
            return Ending(result: .failure(refusal), outcome: .failed, tokens: 0)
        }
        let until = now().adding(seconds: Self.pauseSeconds(response.field("retry-after")))
        return Ending(result: .failure(refusal), outcome: .limited(until: until), tokens: 0)
    }

    private static let contentRefused = Refusal(reason: "the language model refused the question's content")

    /// `Retry-After` in seconds (RFC 9110 section 10.2.3); a date, which this service does not send, counts
    /// as none.
    private static func pauseSeconds(_ field: String?) -> Int64 {
        guard let field, !field.isEmpty, field.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            return retryAfterSeconds.unnamed
        }
        return min(max(Int64(field) ?? .max, 1), retryAfterSeconds.longest)
    }

    private var url: String {
        let endpoint = settings.endpoint ?? ""
        let base = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
        // The settings allow only characters in both names that need no encoding.
        return "\(base)/openai/deployments/\(settings.deployment ?? "")/chat/completions"
            + "?api-version=\(settings.apiVersion)"
    }
}

extension AzureOpenAI: CustomStringConvertible, CustomReflectable {
    /// Says only whether it is configured.
    public var description: String {
        "AzureOpenAI(\(settings.isConfigured ? "configured" : "not configured"))"
    }

    /// Nothing, for `dump` would print the key.
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
