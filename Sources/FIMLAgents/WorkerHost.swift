import Analysis
import FIMLCore

/// Where the workers of one type run: a child process, or this one.
public protocol WorkerHost: Sendable {
    /// What the worker of that number (from 0) makes of the figures. Throws when there is no answer within
    /// the limit, or none that can be used. When the task is cancelled it throws `stopped`; the worker may go
    /// on until it has ended.
    func run(_ figures: Figures, by worker: Int, within limit: Duration) async throws(WorkerFailure)
        -> WorkerAnswer

    /// How it is now.
    func status() -> WorkerHostStatus

    /// Ends it, in at most some seconds; whatever runs is answered `stopped`.
    func shutDown() async
}

/// What a worker answered.
public enum WorkerAnswer: Hashable, Sendable {
    /// It found something.
    case finding(Finding)
    /// The figures did not suffice.
    case insufficient([MissingFigures])
}

/// Why a worker did not answer.
public enum WorkerFailure: Error, Hashable, Sendable, CustomStringConvertible {
    /// It said that it could not, for that reason.
    case threw(String)
    /// It took longer than it may.
    case timedOut(Duration)
    /// What it said is no answer, for that reason.
    case rubbish(String)
    /// The process that it ran in has ended, for that reason, or cannot be started.
    case hostLost(String)
    /// The task was not given to it: too many wait already, or its figures are too long.
    case refused(String)
    /// It is being shut down, or who asked has gone.
    case stopped

    /// One line for people.
    public var description: String {
        switch self {
        case .threw(let reason), .refused(let reason): reason
        case .timedOut(let limit): "no answer within \(limit.components.seconds) s"
        case .rubbish(let reason): "an answer that cannot be used: \(reason)"
        case .hostLost(let reason): "the worker's process is gone: \(reason)"
        case .stopped: "stopped"
        }
    }
}

/// How a worker host is.
public struct WorkerHostStatus: Hashable, Sendable {
    /// What it is doing.
    public enum State: String, CaseIterable, JSONWritable, Sendable {
        case starting, running
        /// Its process has ended, and is started again after a pause.
        case restarting
        case stopped
    }

    /// Whether it is at other gateways; then nothing is known of its processes.
    public var isRemote = false
    /// Whose workers run there.
    public var type: WorkerType
    /// What it is doing.
    public var state: State
    /// The process; nil while there is none.
    public var processID: Int32?
    /// When the process was started.
    public var startedAt: Timestamp?
    /// How often it had to be started again.
    public var restarts = 0
    /// Why the last process ended; nil where none has.
    public var lastExit: String?
    /// When it was last heard of.
    public var lastHeartbeat: Timestamp?
    /// Resident memory, as the kernel says, in MiB.
    public var memoryMB = 0.0
    /// Of one core, over the last second or so: 150 is one core and a half.
    public var cpuPercent = 0.0
    /// Processor time of all its processes so far.
    public var cpuSeconds = 0.0
    /// What keeps its memory in bounds: `cgroup v2`, `RLIMIT_DATA`; nil where nothing does.
    public var memoryLimitedBy: String?
    /// What keeps its share of the processor in bounds: `cgroup v2`, `affinity to 2 cores`; nil where nothing
    /// does.
    public var cpuLimitedBy: String?

    /// A host of that type.
    public init(_ type: WorkerType, _ state: State) {
        self.type = type
        self.state = state
    }
}
