import FIMLCore
import LinuxSystem

/// A host as the supervisor's thread has it: its process, the tasks that it has, and what is to happen when.
/// Times are `monotonicMilliseconds()`.
final class HostRun {
    /// Bytes that wait to be written to one host; more tasks are refused.
    static let maxSendBytes = 16 << 20
    /// What is said of a task for which there is no room.
    static let tooManyWait = "too many tasks wait for the worker's host"
    /// A host says every 5 s that it lives; who would be heard of more often cannot be.
    private static let shortestHeartbeatAge = Duration.seconds(6)
    /// Reads of one connection before the others have their turn.
    private static let readsPerTurn = 16
    /// How long a host that is shut down has to end by itself.
    private static let grace: UInt64 = 1_000

    private struct Task {
        var deadline: UInt64
        var limit: Duration
        /// Nil where nobody waits any more. The worker goes on all the same, and must end in time.
        var answer: HostAnswer?
    }

    /// A process with its connection.
    private struct Running: ~Copyable {
        let child: ChildProcess
        let limits: AppliedLimits
        let startedAt: UInt64
        /// Nil once nothing is said to it any more.
        var connection: FileDescriptor?
        /// Why it is being killed, where that is so.
        var fault: String?
    }

    private let plan: HostPlan
    private let id: UInt64
    private let name: String
    private let place: Int
    private var running: Running?
    private var reader = FrameReader()
    private var sending = SendBuffer()
    private var isWaitingToWrite = false
    private var tasks: [UInt64: Task] = [:]
    /// No task's time is over before that.
    private var nextDeadline = UInt64.max
    private var lastHeard: UInt64 = 0
    private var backoff = RestartBackoff()
    /// When it is started, or started again.
    private var startAt: UInt64?
    private var killAt: UInt64?
    private var isShuttingDown = false
    private var waitingForEnd: [CheckedContinuation<Void, Never>] = []
    private var whyGone = "it is not started yet"

    /// A host that is not started yet.
    ///
    /// - Parameter name: of its control group.
    /// - Parameter place: which of the hosts it is, from 0.
    init(_ plan: HostPlan, id: UInt64, name: String, place: Int) {
        self.plan = plan
        self.id = id
        self.name = name
        self.place = place
        startAt = 0
    }

    /// Whether it has ended for good.
    var isOver: Bool { isShuttingDown && running == nil }

    /// When it wants `tick` at the latest.
    var nextTick: UInt64 {
        var next = min(nextDeadline, startAt ?? .max, killAt ?? .max)
        if isConnected { next = min(next, lastHeard &+ Self.milliseconds(maxHeartbeatAge)) }
        return next
    }

    private var maxHeartbeatAge: Duration { max(plan.maxHeartbeatAge, Self.shortestHeartbeatAge) }

    /// In milliseconds, within a year.
    static func milliseconds(_ duration: Duration) -> UInt64 {
        let parts = min(max(duration, .zero), .seconds(31_536_000)).components
        return UInt64(parts.seconds) * 1_000 + UInt64(parts.attoseconds / 1_000_000_000_000_000)
    }

    private var isConnected: Bool { connectionNumber != nil }

    private var connectionNumber: Int32? { running?.connection?.raw }

    // MARK: - Tasks

    /// Gives the host a task, or says why not.
    func run(_ task: HostTask, at now: UInt64) {
        guard isConnected else {
            task.answer.resume(returning: .failure(isShuttingDown ? .stopped : .hostLost(whyGone)))
            return
        }
        guard task.process == nil || task.process == plan.board.processNumber else {
            task.answer.resume(returning: .failure(.hostLost("it was started anew")))
            return
        }
        guard sending.count + task.frame.count <= Self.maxSendBytes else {
            task.answer.resume(returning: .failure(.refused(Self.tooManyWait)))
            return
        }
        let deadline = now &+ Self.milliseconds(task.limit)
        tasks[task.id] = Task(deadline: deadline, limit: task.limit, answer: task.answer)
        nextDeadline = min(nextDeadline, deadline)
        sending.append(task.frame)
    }

    /// Nobody waits for that task any more.
    func cancel(_ task: UInt64) {
        tasks[task]?.answer?.resume(returning: .failure(.stopped))
        tasks[task]?.answer = nil
    }

    private func failAll(_ failure: WorkerFailure) {
        let failed = tasks
        tasks = [:]
        nextDeadline = .max
        for task in failed.values { task.answer?.resume(returning: .failure(failure)) }
    }

    // MARK: - Time

    /// Does what is due.
    func tick(at now: UInt64, _ watch: HostWatch) {
        if now >= nextDeadline { endOverdue(at: now) }
        if isConnected, now >= lastHeard &+ Self.milliseconds(maxHeartbeatAge) {
            fail("no heartbeat for \(maxHeartbeatAge)")
        }
        if let killAt, now >= killAt {
            self.killAt = nil
            running?.child.kill()
        }
        if let startAt, now >= startAt {
            self.startAt = nil
            start(at: now, watch)
        }
    }

    /// Tasks that took too long. Nobody can stop a thread that spins, so the host goes, and its other tasks
    /// with it.
    private func endOverdue(at now: UInt64) {
        var overdue: Duration?
        for (number, task) in tasks where task.deadline <= now {
            task.answer?.resume(returning: .failure(.timedOut(task.limit)))
            tasks[number] = nil
            overdue = task.limit
        }
        nextDeadline = tasks.values.reduce(.max) { min($0, $1.deadline) }
        if let overdue { fail("a task was not answered within \(overdue)") }
    }

    // MARK: - The process

    private func start(at now: UInt64, _ watch: HostWatch) {
        do throws(SystemCallError) {
            let pair = try SocketPair()
            var limits = AppliedLimits()
            let child = try plan.limits.start(
                plan.command, connection: pair.second.raw, name: name, first: place * plan.limits.wholeCores,
                in: watch.group, applied: &limits)
            let process = child.id
            let connection = pair.keepFirst()
            reader = FrameReader()
            sending = SendBuffer()
            isWaitingToWrite = false
            lastHeard = now
            let (childNumber, connectionNumber) = (child.raw, connection.raw)
            running = Running(
                child: child, limits: limits, startedAt: now, connection: connection, fault: nil)
            plan.board.started(process, limits)
            do throws(SystemCallError) {
                try watch.add(host: id, child: childNumber, connection: connectionNumber)
            } catch {
                fail("it cannot be watched: \(error)")
                waitForChild(at: now)
            }
        } catch {
            ended("\(plan.command.executable) cannot be started: \(error)", ranFor: 0, cpuSeconds: 0, at: now)
        }
    }

    /// Kills the process, for that reason; it is started again when it has ended.
    private func fail(_ reason: String, _ failure: WorkerFailure? = nil) {
        guard running != nil, isConnected else { return }
        whyGone = reason
        running?.fault = reason
        // Before its input ends, at which it would end by itself and seem well.
        running?.child.kill()
        running?.connection = nil
        if !isShuttingDown { plan.board.ending(reason) }
        failAll(failure ?? .hostLost(reason))
    }

    /// Looks whether the process has ended.
    func lookAfterChild(at now: UInt64) {
        // What it said before it ended counts.
        if isConnected { receive(at: now) }
        plan.board.forgetProcess()
        if let end = running?.child.reap() { childEnded(end, at: now) }
    }

    /// Waits for a process that has been killed.
    private func waitForChild(at now: UInt64) {
        plan.board.forgetProcess()
        childEnded(running?.child.waitForEnd(), at: now)
    }

    private func childEnded(_ end: ChildProcess.End?, at now: UInt64) {
        let ranFor = now - (running?.startedAt ?? now)
        let fault = running?.fault
        running?.limits.group?.remove()
        running = nil
        let reasons = [fault, end?.description].compactMap { $0 }
        ended(
            reasons.joined(separator: "; "), ranFor: ranFor, cpuSeconds: end?.cpuSeconds ?? 0, at: now)
    }

    private func ended(_ reason: String, ranFor: UInt64, cpuSeconds: Double, at now: UInt64) {
        whyGone = reason
        killAt = nil
        plan.board.ended(reason, cpuSeconds: cpuSeconds, forGood: isShuttingDown)
        failAll(isShuttingDown ? .stopped : .hostLost(reason))
        if isShuttingDown {
            over()
        } else {
            let pause = backoff.pause(
                ranFor: .milliseconds(Int64(clamping: ranFor)), random: Double.random(in: 0..<1))
            plan.board.restarted()
            startAt = now &+ Self.milliseconds(pause)
        }
    }

    /// Begins to end it for good.
    func shutDown(_ waiting: CheckedContinuation<Void, Never>?, at now: UInt64) {
        if let waiting { waitingForEnd.append(waiting) }
        guard !isShuttingDown else { return }
        isShuttingDown = true
        startAt = nil
        failAll(.stopped)
        if running == nil {
            over()
        } else {
            // It ends when its input does.
            running?.connection = nil
            killAt = now + Self.grace
        }
    }

    /// Ends it for good, at once.
    func kill(at now: UInt64) {
        shutDown(nil, at: now)
        guard running != nil else { return }
        running?.child.kill()
        waitForChild(at: now)
    }

    private func over() {
        plan.board.stopped()
        for waiting in waitingForEnd { waiting.resume() }
        waitingForEnd = []
    }

    // MARK: - The connection

    /// Writes what waits, as much as the kernel takes.
    func send(_ watch: HostWatch) {
        guard let raw = connectionNumber, sending.count > 0 else { return }
        let outcome = sending.send(to: raw)
        // Where it failed the host has ended, which its handle tells.
        let wantsToWrite = outcome == .wouldBlock
        guard wantsToWrite != isWaitingToWrite else { return }
        isWaitingToWrite = wantsToWrite
        do throws(SystemCallError) {
            try watch.host(id, raw, wantsToWrite: wantsToWrite)
        } catch {
            fail("its connection cannot be watched: \(error)")
        }
    }

    /// Reads what has come.
    func receive(at now: UInt64) {
        var buffer = [UInt8](unsafeUninitializedCapacity: 1 << 16) { _, count in count = 1 << 16 }
        // What one host says without end must not hold up the others.
        for _ in 0..<Self.readsPerTurn where isConnected {
            switch read(into: &buffer) {
            case .moved(let count):
                lastHeard = now
                plan.board.heard()
                reader.append(buffer[..<count])
                takeFrames()
                if count < buffer.count { return }
            case .wouldBlock, .none: return
            case .endOfStream, .failed:
                // It has ended, mostly, and its status says how; if it has only closed its output, it is of
                // no more use.
                running?.connection = nil
                running?.child.kill()
                whyGone = "it has closed its connection"
                return
            }
        }
    }

    private func read(into buffer: inout [UInt8]) -> Transfer? {
        guard isConnected else { return nil }
        return buffer.withUnsafeMutableBytes { running?.connection?.read(into: $0) }
    }

    private func takeFrames() {
        do throws(FrameViolation) {
            while let frame = try reader.next() { try take(try WorkerReply.parse(frame)) }
        } catch {
            let reason = "it wrote what is no answer: \(error)"
            fail(reason, .rubbish(error.description))
        }
    }

    private func take(_ reply: WorkerReply) throws(FrameViolation) {
        switch reply {
        case .heartbeat: break
        case .answer(let task, let answer): try finish(task, .success(answer))
        case .failed(let task, let reason): try finish(task, .failure(.threw(reason)))
        case .nonsense(let task, let reason): try finish(task, .failure(.rubbish(reason)))
        }
    }

    private func finish(
        _ number: UInt64, _ result: Result<WorkerAnswer, WorkerFailure>
    ) throws(FrameViolation) {
        guard let task = tasks.removeValue(forKey: number) else {
            throw FrameViolation("an answer to a task that it was not given")
        }
        task.answer?.resume(returning: result)
    }
}
