import Analysis
import Dispatch
import EventStore
import FIMLAgents
import FIMLCore
import Foundation
import LinuxSystem
import Locking
import RedisStore

/// The workers of other gateways, over a Redis that they share: sends each task to whoever takes it, and has
/// the answers come back.
///
/// A task is done at least once: what a gateway that died had taken is done again by another. Who asks hears
/// of the first answer, of the time that is over, of all takers being gone, or of Redis having been away for
/// some seconds.
public final class TaskExchange: OtherGateways {
    /// Bytes of a task. The figures of a long option chain are some hundred kilobytes.
    public static let taskBytes = 4 << 20
    /// Bytes of an answer; those of our own workers are some kilobytes.
    static let answerBytes = 256 << 10

    /// Redis may be away for so long before who waits is told.
    private static let patienceMilliseconds: UInt64 = 5_000
    /// How late a time limit may be, about.
    private static let lookMilliseconds = 1_000

    private struct Waiting {
        let type: WorkerType
        let limit: Duration
        /// Milliseconds of the monotonic clock.
        let end: UInt64
        let answer: CheckedContinuation<Result<WorkerAnswer, WorkerFailure>, Never>
    }

    private struct State {
        var waiting: [String: Waiting] = [:]
        var lastID: UInt64 = 0
        var isStopped = false
    }

    private let tasks: RedisTasks
    private let node: String
    private let offered: @Sendable () -> Set<WorkerType>?
    /// Tells this process's tasks from those of one before it that had the same name.
    private let process = UUID().uuidString.lowercased()
    private let senders: StoreThreads
    private let wake = DispatchSemaphore(value: 0)
    private let state = Locked(State())

    /// An exchange for the gateway of that name. `offered` gives the types that other living gateways have
    /// workers of, nil where that cannot be told.
    public init(
        _ tasks: RedisTasks, node: String, offered: @escaping @Sendable () -> Set<WorkerType>?
    ) throws(SystemCallError) {
        self.tasks = tasks
        self.node = node
        self.offered = offered
        senders = try StoreThreads(name: "task-sender", count: 2, limit: 4_096)
        try LinuxSystem.Thread(name: "task-answers", stackBytes: 1 << 20) { [self] in
            var position = StreamPosition.zero
            var troubledSince: UInt64?
            while !state.withLock({ $0.isStopped }) {
                wake.wait()
                while state.withLock({ !$0.waiting.isEmpty }) { turn(&position, &troubledSince) }
            }
        }.detach()
    }

    /// Ends its threads; whoever waits is answered `stopped`.
    public func stop() {
        let waiting = state.withLock { state in
            state.isStopped = true
            return Array(state.waiting.keys)
        }
        for id in waiting { finish(id, .failure(.stopped)) }
        senders.stop()
        wake.signal()
    }

    /// The types that others have workers of.
    public func offeredTypes() -> Set<WorkerType>? { offered() }

    // MARK: - Asking

    /// What some gateway's worker makes of the figures.
    public func run(
        _ figures: Figures, by type: WorkerType, within limit: Duration
    ) async throws(WorkerFailure) -> WorkerAnswer {
        let payload = figures.json
        guard payload.count <= Self.taskBytes else {
            throw .refused(
                "figures of \(payload.count) bytes are too many for another gateway, which takes "
                    + "\(Self.taskBytes): switch the \(type.rawValue) workers of this one on")
        }
        let id = state.withLock { state in
            state.lastID += 1
            return "\(process)-\(state.lastID)"
        }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { answer in
                begin(id, type, payload, limit, answer)
                // A task that was cancelled before this had nothing to end yet.
                if Task.isCancelled { finish(id, .failure(.stopped)) }
            }
        } onCancel: {
            finish(id, .failure(.stopped))
        }
        return try result.get()
    }

    private func begin(
        _ id: String, _ type: WorkerType, _ payload: [UInt8], _ limit: Duration,
        _ answer: CheckedContinuation<Result<WorkerAnswer, WorkerFailure>, Never>
    ) {
        let milliseconds = max(1, Int(min(limit, .seconds(86_400)) / .milliseconds(1)))
        let end = monotonicMilliseconds() + UInt64(milliseconds)
        let isOpen = state.withLock { state in
            guard !state.isStopped else { return false }
            state.waiting[id] = Waiting(type: type, limit: limit, end: end, answer: answer)
            return true
        }
        guard isOpen else { return answer.resume(returning: .failure(.stopped)) }
        wake.signal()
        let isTaken = senders.run { [self] in
            // Its time may have passed while others were sent.
            guard state.withLock({ $0.waiting[id] != nil }) else { return }
            do throws(StoreError) {
                try tasks.submit(
                    type: type.rawValue, id: id, payload: payload, node: node,
                    withinMilliseconds: milliseconds)
            } catch {
                finish(id, .failure(.refused(error.description)))
            }
        }
        if !isTaken { finish(id, .failure(.refused("too many tasks wait to be sent to other gateways"))) }
    }

    /// The first who finishes a task decides how.
    private func finish(_ id: String, _ result: Result<WorkerAnswer, WorkerFailure>) {
        let waiting = state.withLock { $0.waiting.removeValue(forKey: id) }
        waiting?.answer.resume(returning: result)
    }

    // MARK: - Answers

    private func turn(_ position: inout StreamPosition, _ troubledSince: inout UInt64?) {
        do throws(StoreError) {
            let results = try tasks.results(
                node: node, after: position, waitMilliseconds: Self.lookMilliseconds)
            troubledSince = nil
            for result in results {
                position = result.position
                finish(result.id, Self.outcome(result))
            }
            endHopeless()
        } catch {
            // Another server may count anew; answers that were read already are nobody's.
            position = .zero
            let now = monotonicMilliseconds()
            let since = troubledSince ?? now
            troubledSince = since
            if now - since >= Self.patienceMilliseconds {
                end(.refused(error.description)) { _ in true }
            }
            pause()
        }
        let now = monotonicMilliseconds()
        let late = state.withLock { $0.waiting.filter { $0.value.end <= now } }
        for (id, waiting) in late { finish(id, .failure(.timedOut(waiting.limit))) }
    }

    /// Before Redis is asked again.
    private func pause() {
        _ = wake.wait(timeout: .now() + .milliseconds(500))
    }

    /// Ends the wait for types that no gateway has any more.
    private func endHopeless() {
        guard let offered = offered() else { return }
        end(.refused("the other gateways that had its workers are gone")) { !offered.contains($0) }
    }

    private func end(_ failure: WorkerFailure, where isMeant: (WorkerType) -> Bool) {
        let ended = state.withLock { $0.waiting.filter { isMeant($0.value.type) }.map(\.key) }
        for id in ended { finish(id, .failure(failure)) }
    }

    /// Reasons that are passed on have so many characters at most.
    private static let reasonLimit = 512

    static func outcome(_ result: RedisTasks.Result) -> Result<WorkerAnswer, WorkerFailure> {
        guard result.payload.count <= answerBytes else { return .failure(.rubbish("it is too long")) }
        if result.isFailure {
            let reason = String(decoding: result.payload, as: UTF8.self).prefix(reasonLimit)
            return .failure(.threw(reason.isEmpty ? "another gateway's worker failed" : String(reason)))
        }
        do throws(JSONError) {
            let json = try JSONValue.parse(result.payload)
            do throws(InvalidMember) {
                guard let answer = try WorkerAnswer.parse(json) else {
                    return .failure(.rubbish("neither finding nor insufficient"))
                }
                return .success(answer)
            } catch {
                return .failure(.rubbish(String(error.message.prefix(reasonLimit))))
            }
        } catch {
            return .failure(.rubbish("no JSON: \(error)"))
        }
    }
}
