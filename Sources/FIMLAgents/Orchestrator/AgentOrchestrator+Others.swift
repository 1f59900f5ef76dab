import Analysis
import FIMLCore

// What this gateway's workers do for other gateways.
extension AgentOrchestrator {
    /// The types that other gateways may count on: those that are switched on and not shut down.
    public var offeredTypes: [WorkerType] {
        enabledTypes.filter { pool($0)?.hostStatus().state != .stopped }
    }

    /// Whether a worker of the type, of this gateway's own, would be given a task at this moment.
    public func takesTasks(of type: WorkerType) -> Bool {
        guard let pool = pool(type), !pool.isRemote else { return false }
        return pool.takesTasks
    }

    /// What a worker of the type, of this gateway's own, makes of figures that another gateway gathered.
    /// Tried once: whoever asks decides what becomes of a failure.
    public func answer(
        to figures: Figures, by type: WorkerType
    ) async throws(WorkerFailure) -> WorkerAnswer {
        guard let pool = pool(type), !pool.isRemote else {
            throw .refused("\(type.rawValue) workers are switched off")
        }
        do throws(AttemptFailure) {
            let attempt = try await pool.attempt(figures, avoiding: nil, stays: true)
            return attempt.answer
        } catch {
            switch error {
            case .worker(let failure, _): throw failure
            case .unavailable: throw .refused("no \(type.rawValue) worker takes tasks, after failures")
            }
        }
    }

    /// The id of the worker that stands for a type's workers at other gateways.
    public static func remoteWorkerID(of type: WorkerType) -> String { WorkerPool.remoteID(type) }
}
