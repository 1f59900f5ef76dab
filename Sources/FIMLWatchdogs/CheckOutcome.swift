/// Gathers the judgements of one check, asset by asset, so that one failing source does not spoil the rest.
struct CheckOutcome {
    private(set) var judgements: [Judgement] = []
    private var firstFailure: (any Error)?

    /// Adds what `judge` finds, if anything; keeps its error.
    mutating func add(_ judge: () async throws -> Judgement?) async {
        do {
            if let judgement = try await judge() { judgements.append(judgement) }
        } catch {
            firstFailure = firstFailure ?? error
        }
    }

    /// All judgements. Throws the first failure when there are none.
    func get() throws -> [Judgement] {
        if judgements.isEmpty, let firstFailure { throw firstFailure }
        return judgements
    }
}
