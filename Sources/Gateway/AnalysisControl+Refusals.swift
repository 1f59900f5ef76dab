import FIMLAgents
import FIMLCore

// Why there is no analysis, as whoever asked is told.
extension AnalysisControl {
    /// Throws where a type is asked for, or all are, that nobody has workers of.
    func checkEnabled(_ agents: [WorkerType]?) throws(AnalysisProblem) {
        let available = orchestrator.availableTypes
        if available.isEmpty, sharing == nil { throw refused(.switchedOff(WorkerType.allCases)) }
        let off = (agents ?? []).filter { !available.contains($0) }
        guard off.isEmpty else { throw refused(.switchedOff(off)) }
        guard !available.isEmpty else { throw refused(.cutOff) }
    }

    /// What whoever asked is told; counted.
    func refused(_ refusal: AnalysisRefusal) -> AnalysisProblem {
        state.metrics.analyses["refused"].increment()
        return problem(refusal)
    }

    /// What whoever asked is told: the one place where refusals get their codes.
    private func problem(_ refusal: AnalysisRefusal) -> AnalysisProblem {
        switch refusal {
        case .overloaded(let seconds):
            AnalysisProblem(
                code: .unavailable, detail: "as many analyses are under way and wait as may be",
                retryAfterSeconds: max(1, seconds))
        case .switchedOff(let types) where sharing != nil:
            // Another gateway may come with them at any moment: nothing is wrong with the request.
            AnalysisProblem(
                code: .unavailable,
                detail: "\(Self.list(types)) workers are switched off here, and \(othersLack)",
                retryAfterSeconds: Self.returnSeconds)
        case .switchedOff(let types) where types.count == WorkerType.allCases.count:
            AnalysisProblem(
                code: .unavailable, detail: "all workers are switched off by ENABLE_…_WORKER settings")
        case .switchedOff(let types):
            AnalysisProblem(
                code: .invalidMessage,
                detail: "agents names \(Self.list(types)), which are switched off; on are "
                    + Self.list(orchestrator.enabledTypes))
        case .cutOff:
            AnalysisProblem(
                code: .unavailable, detail: "all workers are switched off here, and \(othersLack)",
                retryAfterSeconds: Self.returnSeconds)
        case .timedOut:
            AnalysisProblem(
                code: .unavailable,
                detail: "the analysis took longer than the "
                    + "\(state.settings.analysis.timeout.components.seconds) s of ASYNC_TASK_TIMEOUT",
                retryAfterSeconds: 1)
        case .shuttingDown:
            AnalysisProblem(
                code: .unavailable, detail: "the gateway is shutting down", retryAfterSeconds: 1)
        case .cancelled:
            AnalysisProblem(code: .processingError, detail: "the analysis was cancelled")
        case .lost(let reason): AnalysisProblem(code: .processingError, detail: reason)
        }
    }

    /// A gateway that starts, or comes back, is heard of within so long.
    private static let returnSeconds = 5

    private var othersLack: String {
        sharing?.exchange.offeredTypes() == nil
            ? "the gateways that may have them cannot be reached, since Redis does not answer"
            : "no other gateway has them now"
    }

    private static func list(_ types: [WorkerType]) -> String {
        types.map(\.rawValue).joined(separator: ", ")
    }
}
