import FIMLCore
import LinuxSystem
import Locking

/// Where a host's state is written by the supervisor's thread and read by everybody else.
final class HostBoard: Sendable {
    private struct State {
        var status: WorkerHostStatus
        /// How many processes have been started.
        var processNumber = 0
        /// Processor time of its processes that have ended.
        var endedCPUSeconds = 0.0
        /// When the process that runs was last measured, or started, and its processor time then.
        var measuredAt: UInt64 = 0
        var measuredCPUSeconds = 0.0
        var hasMeasured = false
    }

    private static let measuringNanoseconds: UInt64 = 1_000_000_000

    private let state: Locked<State>
    private let onChange: @Sendable (WorkerHostStatus) -> Void

    init(_ type: WorkerType, onChange: @escaping @Sendable (WorkerHostStatus) -> Void) {
        state = Locked(State(status: WorkerHostStatus(type, .starting)))
        self.onChange = onChange
    }

    /// How it is; memory and processor time are measured again where that was a second ago or more.
    func status() -> WorkerHostStatus {
        state.withLock { state in
            Self.measure(&state, at: monotonicNanoseconds())
            return state.status
        }
    }

    /// Which of its processes the host has now, or had last; 0 before the first.
    var processNumber: Int { state.withLock { $0.processNumber } }

    /// The number of a process stays its own while it is on the board: it is taken off before it is reaped.
    private static func measure(_ state: inout State, at now: UInt64) {
        guard let process = state.status.processID,
            !state.hasMeasured || now - state.measuredAt >= measuringNanoseconds,
            let seconds = ProcessReadings.cpuSeconds(of: process),
            let bytes = ProcessReadings.residentBytes(of: process)
        else { return }
        let elapsed = Double(now - state.measuredAt) / 1e9
        // Right after the start there is too little time to divide by.
        if elapsed >= 0.01 {
            state.status.cpuPercent = max(0, seconds - state.measuredCPUSeconds) / elapsed * 100
        }
        state.status.memoryMB = Double(bytes) / 1_048_576
        state.status.cpuSeconds = state.endedCPUSeconds + seconds
        state.measuredAt = now
        state.measuredCPUSeconds = seconds
        state.hasMeasured = true
    }

    // MARK: - On the supervisor's thread

    func started(_ process: Int32, _ limits: AppliedLimits) {
        change { state in
            state.processNumber += 1
            state.status.state = .starting
            state.status.processID = process
            state.status.startedAt = Timestamp(milliseconds: wallMilliseconds())
            state.status.memoryLimitedBy = limits.memoryLimitedBy
            state.status.cpuLimitedBy = limits.cpuLimitedBy
            state.measuredAt = monotonicNanoseconds()
            state.measuredCPUSeconds = 0
            state.hasMeasured = false
        }
    }

    /// It has said something.
    func heard() {
        let hasBegun = state.withLock { state in
            state.status.lastHeartbeat = Timestamp(milliseconds: wallMilliseconds())
            return state.status.state == .starting
        }
        if hasBegun { change { $0.status.state = .running } }
    }

    /// It is being ended for that reason, and started again later. Told to nobody yet: `ended` tells it once,
    /// with how it went.
    func ending(_ reason: String) {
        state.withLock { state in
            state.status.state = .restarting
            state.status.lastExit = reason
        }
    }

    /// The process that ran is about to be taken note of: its number may then be another's.
    func forgetProcess() {
        state.withLock { state in
            state.status.processID = nil
            state.status.memoryMB = 0
            state.status.cpuPercent = 0
        }
    }

    /// The process has ended, or could not be started.
    func ended(_ reason: String, cpuSeconds: Double, forGood: Bool) {
        change { state in
            state.status.state = forGood ? .stopped : .restarting
            state.status.processID = nil
            state.status.lastExit = reason
            state.endedCPUSeconds += cpuSeconds
            state.status.cpuSeconds = state.endedCPUSeconds
        }
    }

    func restarted() {
        state.withLock { $0.status.restarts += 1 }
    }

    func stopped() {
        change { $0.status.state = .stopped }
    }

    private func change(_ body: (inout State) -> Void) {
        let status = state.withLock { state in
            body(&state)
            return state.status
        }
        onChange(status)
    }
}
