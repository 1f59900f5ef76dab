import FIMLCore

/// How a worker is.
public enum WorkerStatus: String, CaseIterable, JSONWritable, Sendable {
    /// Its host is starting.
    case initializing
    case healthy
    /// Its last task failed, or its circuit is half open.
    case degraded
    /// Not heard of for too long, failing too often, its circuit open or its host gone.
    case unhealthy
    /// Stopped.
    case shutdown
}

/// One worker's figures, by FIML's names.
public struct WorkerMetrics: Sendable {
    /// `fund_0`; `fundamentals@redis` stands for those of other gateways.
    public let id: String
    /// What it does.
    public let type: WorkerType
    /// Whether it stands for the workers of other gateways.
    public let isRemote: Bool
    /// How it is.
    public let status: WorkerStatus
    /// Why it is not healthy; nil where it is.
    public let reason: String?
    /// Whether it gets tasks.
    public let circuit: CircuitState
    /// Failures in a row.
    public let consecutiveFailures: Int
    /// In how many milliseconds an open circuit lets a task try; nil where it is not open.
    public let circuitRetryMilliseconds: UInt64?
    /// Tasks that it has now.
    public let tasksInProgress: Int
    /// What became of its tasks so far.
    public let tally: TaskTally
    /// When its host was last heard of; nil before.
    public let lastHeartbeat: Timestamp?
    /// Resident memory of its host, which the workers of a type share, in MiB.
    public let memoryMB: Double
    /// Of one core, what its host uses.
    public let cpuPercent: Double
}

/// What became of a worker's tasks.
public struct TaskTally: Sendable {
    /// A task that failed.
    public struct Failure: Sendable {
        /// When.
        public var time: Timestamp
        /// Why, in one line.
        public var reason: String
    }

    /// Of so many last tasks the error rate is.
    static let window = 100
    /// So many errors are remembered.
    static let errorLimit = 10

    /// Answered, also where the figures did not suffice.
    public private(set) var completed = 0
    /// Not answered, those that took too long included.
    public private(set) var failed = 0
    /// Took too long.
    public private(set) var timedOut = 0
    /// The shortest time of those that were answered, in seconds; nil before the first.
    public private(set) var minSeconds: Double?
    /// The longest.
    public private(set) var maxSeconds: Double?
    private var totalSeconds = 0.0
    /// When the last task ended.
    public private(set) var lastTaskAt: Timestamp?
    /// The last ten, newest last.
    public private(set) var recentErrors: [Failure] = []
    private var recent: [Bool] = []
    private var next = 0
    /// Whether the last task failed.
    public private(set) var lastFailed = false

    /// Of those that were answered; nil before the first.
    public var avgSeconds: Double? { completed == 0 ? nil : totalSeconds / Double(completed) }

    /// The part of all tasks that was answered, 0…1; 1 before the first.
    public var successRate: Double {
        completed + failed == 0 ? 1 : Double(completed) / Double(completed + failed)
    }

    /// The part of the last 100 tasks that failed, 0…1.
    public var errorRate: Double {
        recent.isEmpty ? 0 : Double(recent.count { $0 }) / Double(recent.count)
    }

    /// How many tasks the error rate is of.
    var recentCount: Int { recent.count }

    mutating func answered(in seconds: Double, at time: Timestamp) {
        completed += 1
        totalSeconds += seconds
        minSeconds = min(minSeconds ?? seconds, seconds)
        maxSeconds = max(maxSeconds ?? seconds, seconds)
        ended(failing: false, at: time)
    }

    mutating func failed(_ reason: String, isTimeout: Bool, at time: Timestamp) {
        failed += 1
        if isTimeout { timedOut += 1 }
        recentErrors = recentErrors.suffix(Self.errorLimit - 1) + [Failure(time: time, reason: reason)]
        ended(failing: true, at: time)
    }

    private mutating func ended(failing: Bool, at time: Timestamp) {
        lastTaskAt = time
        lastFailed = failing
        if recent.count < Self.window {
            recent.append(failing)
        } else {
            recent[next] = failing
            next = (next + 1) % Self.window
        }
    }
}
