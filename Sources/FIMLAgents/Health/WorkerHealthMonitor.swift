import FIMLCore
import LinuxSystem

/// All workers' health, by FIML's names.
public struct WorkerHealthSummary: Sendable {
    /// The workers of one type together.
    public struct OfType: Sendable {
        /// How many there are.
        public var total = 0
        /// How many are healthy or degraded.
        public var healthy = 0
        /// Tasks answered.
        public var tasksCompleted = 0
        /// Tasks not answered.
        public var tasksFailed = 0
        /// Of those answered, in seconds; nil before the first.
        public var avgExecutionTime: Double?
    }

    /// One for each worker, by type.
    public let workers: [WorkerMetrics]
    /// One for each type that is switched on.
    public let hosts: [WorkerHostStatus]
    /// When it was taken.
    public let timestamp: Timestamp

    /// How many can do their job.
    public var healthyWorkers: Int { workers.count - unhealthyWorkers }
    /// How many cannot.
    public var unhealthyWorkers: Int { workers.count { $0.status == .unhealthy || $0.status == .shutdown } }
    /// Tasks of all.
    public var totalTasks: Int { totalSuccesses + totalFailures }
    /// Tasks answered.
    public var totalSuccesses: Int { workers.reduce(0) { $0 + $1.tally.completed } }
    /// Tasks not answered.
    public var totalFailures: Int { workers.reduce(0) { $0 + $1.tally.failed } }
    /// The part of all tasks that was answered, 0…1; 1 before the first.
    public var overallSuccessRate: Double {
        totalTasks == 0 ? 1 : Double(totalSuccesses) / Double(totalTasks)
    }

    /// By type, of those that are switched on.
    public var byType: [WorkerType: OfType] {
        workers.reduce(into: [:]) { types, worker in
            var of = types[worker.type] ?? OfType()
            let answered = (of.avgExecutionTime ?? 0) * Double(of.tasksCompleted)
            of.total += 1
            if worker.status != .unhealthy, worker.status != .shutdown { of.healthy += 1 }
            of.tasksCompleted += worker.tally.completed
            of.tasksFailed += worker.tally.failed
            if of.tasksCompleted > 0 {
                let own = (worker.tally.avgSeconds ?? 0) * Double(worker.tally.completed)
                of.avgExecutionTime = (answered + own) / Double(of.tasksCompleted)
            }
            types[worker.type] = of
        }
    }
}

/// Tells how the workers are.
public final class WorkerHealthMonitor: Sendable {
    let pools: [WorkerPool]

    init(_ pools: [WorkerPool]) {
        self.pools = pools
    }

    /// All of them together.
    public func healthSummary() -> WorkerHealthSummary {
        WorkerHealthSummary(
            workers: allMetrics(), hosts: hosts(), timestamp: Timestamp(milliseconds: wallMilliseconds()))
    }

    /// One worker's figures; nil where there is none of that id.
    public func metrics(of id: String) -> WorkerMetrics? {
        pools.first { $0.mayHave(id) && $0.isShown }?.metrics().first { $0.id == id }
    }

    /// Every worker's figures, by type.
    public func allMetrics() -> [WorkerMetrics] {
        pools.filter(\.isShown).flatMap { $0.metrics() }
    }

    /// Those that cannot do their job.
    public func unhealthyWorkers() -> [WorkerMetrics] {
        allMetrics().filter { $0.status == .unhealthy }
    }

    /// Where they run, by type.
    public func hosts() -> [WorkerHostStatus] {
        pools.filter(\.isShown).map { $0.hostStatus() }
    }
}
