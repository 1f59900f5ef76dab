import Analysis
import FIMLCore

/// Interprets what workers found: a language model, where one is configured.
public protocol Interpreter: Sendable {
    /// The finding as it is interpreted, or why it is left as the rules made it. Never takes longer than its
    /// own time limit.
    func interpret(_ finding: Finding, of type: WorkerType, asset: Asset) async -> Interpretation
}

/// What came of interpreting a finding.
public enum Interpretation: Hashable, Sendable {
    /// The same figures with the model's words, labels, score and confidence.
    case model(Finding)
    /// The rules decide, for that reason, in one line for people.
    case rules(String)
}
