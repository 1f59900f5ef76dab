import Analysis
import Dispatch
import EventStore
import FIMLAgents
import FIMLCore
import LinuxSystem
import Locking
import RedisStore

/// Takes tasks of one type from other gateways for as long as this one's workers have room, and answers them.
///
/// On a thread of its own, which also says again and again that what was taken is still being done, and
/// claims what others went silent about.
public final class TaskTaker: Sendable {
    /// A gateway that is silent about a task for so long has lost it.
    public static let silenceMilliseconds = 10_000
    /// How often this one tells of its tasks, and looks for what others have lost.
    private static let careMilliseconds: UInt64 = 2_000
    /// How long a look for a task waits for one.
    private static let takeMilliseconds = 1_000

    /// Whose workers do the tasks.
    public struct Place: Sendable {
        let isReady: @Sendable () -> Bool
        let answer: @Sendable (Figures) async -> Result<WorkerAnswer, WorkerFailure>

        /// `isReady`: whether a worker could be given a task. `answer`: what one makes of figures; `stopped`
        /// where it is being shut down, and another gateway is to do it.
        public init(
            isReady: @escaping @Sendable () -> Bool,
            answer: @escaping @Sendable (Figures) async -> Result<WorkerAnswer, WorkerFailure>
        ) {
            self.isReady = isReady
            self.answer = answer
        }
    }

    private struct State {
        var running: [StreamPosition: RedisTasks.Task] = [:]
        var isStopped = false
    }

    private let type: WorkerType
    private let limit: Int
    private let tasks: RedisTasks
    private let consumer: String
    private let place: Place
    private let senders: StoreThreads
    private let silenceMilliseconds: Int
    private let onTrouble: @Sendable (String?) -> Void
    private let freed = DispatchSemaphore(value: 0)
    private let state = Locked(State())

    /// A taker of at most `limit` tasks at once, for the gateway of that name. It answers on the threads of
    /// `senders`. `onTrouble` is told why tasks cannot be taken, once, and nil when they can again.
    public convenience init(
        _ type: WorkerType, limit: Int, tasks: RedisTasks, node: String, place: Place, senders: StoreThreads,
        onTrouble: @escaping @Sendable (String?) -> Void
    ) {
        self.init(
            type, limit: limit, tasks: tasks, node: node, place: place, senders: senders,
            silenceMilliseconds: Self.silenceMilliseconds, onTrouble: onTrouble)
    }

    init(
        _ type: WorkerType, limit: Int, tasks: RedisTasks, node: String, place: Place, senders: StoreThreads,
        silenceMilliseconds: Int, onTrouble: @escaping @Sendable (String?) -> Void
    ) {
        self.type = type
        self.limit = max(1, limit)
        self.tasks = tasks
        consumer = node
        self.place = place
        self.senders = senders
        self.silenceMilliseconds = silenceMilliseconds
        self.onTrouble = onTrouble
    }

    /// Begins to take tasks.
    public func start() throws(SystemCallError) {
        try LinuxSystem.Thread(name: "take-\(type.rawValue)", stackBytes: 1 << 20) { [self] in
            var isTroubled = false
            var nextCare: UInt64 = 0
            while !state.withLock({ $0.isStopped }) {
                do throws(StoreError) {
                    try turn(&nextCare)
                    if isTroubled { onTrouble(nil) }
                    isTroubled = false
                } catch {
                    if !isTroubled { onTrouble(error.description) }
                    isTroubled = true
                    pause()
                }
            }
        }.detach()
    }

    /// Takes no more, within a second. What is under way may end; where it does not, other gateways do it.
    public func stop() {
        state.withLock { $0.isStopped = true }
        freed.signal()
    }

    /// How many tasks are under way.
    var underWay: Int { state.withLock { $0.running.count } }

    private func turn(_ nextCare: inout UInt64) throws(StoreError) {
        let now = monotonicMilliseconds()
        if now >= nextCare {
            nextCare = now + Self.careMilliseconds
            let running = state.withLock { Array($0.running.values) }
            if !running.isEmpty { _ = try tasks.keep(running, type: type.rawValue, consumer: consumer) }
            if room > 0, place.isReady() {
                let claimed = try tasks.claim(
                    type: type.rawValue, consumer: consumer, idleMilliseconds: silenceMilliseconds,
                    limit: room)
                for task in claimed { begin(task) }
            }
        }
        guard room > 0, place.isReady() else { return pause() }
        let taken = try tasks.take(
            type: type.rawValue, consumer: consumer, limit: room, waitMilliseconds: Self.takeMilliseconds)
        for task in taken { begin(task) }
    }

    private var room: Int { limit - underWay }

    /// Until there may be room, or Redis is back.
    private func pause() {
        _ = freed.wait(timeout: .now() + .milliseconds(250))
    }

    private func begin(_ task: RedisTasks.Task) {
        guard let figures = Self.figures(task.payload) else {
            return finish(task, .failure(.refused("figures that another gateway cannot read")))
        }
        let isNew = state.withLock { state in
            defer { state.running[task.entry] = task }
            return state.running[task.entry] == nil
        }
        // Under way here already, if so slowly that it was claimed.
        guard isNew else { return }
        Task {
            let result = await place.answer(figures)
            finish(task, result)
        }
    }

    /// Sends a task's answer, and has room for another then.
    private func finish(_ task: RedisTasks.Task, _ result: Result<WorkerAnswer, WorkerFailure>) {
        let isTaken = senders.run { [self] in
            defer { end(task) }
            do throws(StoreError) {
                switch result {
                case .success(let answer): try send(answer, for: task)
                // Silence: another gateway claims it.
                case .failure(.stopped): break
                case .failure(let failure):
                    try tasks.finish(task, payload: Array(failure.description.utf8), isFailure: true)
                }
            } catch {
                // It is claimed and done again, by whoever reaches Redis first.
                onTrouble("an answer for \(task.node) was not sent: \(error)")
            }
        }
        if !isTaken { end(task) }
    }

    private func send(_ answer: WorkerAnswer, for task: RedisTasks.Task) throws(StoreError) {
        let payload = answer.json
        guard payload.count <= TaskExchange.answerBytes else {
            let reason = "an answer of \(payload.count) bytes is longer than \(TaskExchange.answerBytes)"
            try tasks.finish(task, payload: Array(reason.utf8), isFailure: true)
            return
        }
        try tasks.finish(task, payload: payload)
    }

    private func end(_ task: RedisTasks.Task) {
        state.withLock { _ = $0.running.removeValue(forKey: task.entry) }
        freed.signal()
    }

    /// What a task's payload says; nil for anything that is no figures.
    static func figures(_ payload: [UInt8]) -> Figures? {
        guard payload.count <= TaskExchange.taskBytes, let json = try? JSONValue.parse(payload) else {
            return nil
        }
        return try? Figures.parse(json)
    }
}
