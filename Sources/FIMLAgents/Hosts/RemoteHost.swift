import Analysis
import FIMLCore

/// The workers of other gateways, however those are reached.
public protocol OtherGateways: Sendable {
    /// The types that others have workers of at this moment; nil where that cannot be told.
    func offeredTypes() -> Set<WorkerType>?

    /// What some worker of the type makes of the figures; fails as `WorkerHost.run` does.
    func run(_ figures: Figures, by type: WorkerType, within limit: Duration) async throws(WorkerFailure)
        -> WorkerAnswer
}

/// The workers of one type that other gateways have, as a host of one worker: which of theirs does a task is
/// up to them.
struct RemoteHost: WorkerHost {
    let type: WorkerType
    let others: any OtherGateways

    func run(
        _ figures: Figures, by worker: Int, within limit: Duration
    ) async throws(WorkerFailure) -> WorkerAnswer {
        let status = status()
        // No failure of a worker: whoever comes next is to try again.
        guard status.state == .running else { throw .refused(status.lastExit ?? "") }
        return try await others.run(figures, by: type, within: limit)
    }

    /// Running where another gateway has such workers, stopped where none has, and starting again where that
    /// cannot be told.
    func status() -> WorkerHostStatus {
        var status = WorkerHostStatus(type, .running)
        status.isRemote = true
        if let offered = others.offeredTypes() {
            guard !offered.contains(type) else { return status }
            status.state = .stopped
            status.lastExit = "no other gateway has \(type.rawValue) workers now"
        } else {
            status.state = .restarting
            status.lastExit = "the other gateways cannot be reached"
        }
        return status
    }

    /// They are not ours to end.
    func shutDown() async {}
}
