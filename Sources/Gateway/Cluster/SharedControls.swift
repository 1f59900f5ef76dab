import EventStore
import FIMLCore
import Locking
import Observability

/// Settings that were changed at one node and hold at all, also at those that come later: kept in Redis by
/// their names.
///
/// One task tells and reads, one after the other, and what was read is what holds: so all nodes end with the
/// same, whatever came to them in which order. What was changed while Redis is away is told when it is back.
final class SharedControls: Sendable {
    private static let kind = "settings"

    private let cluster: ClusterControl
    private let journal: EventJournal
    private let log: Log
    /// What was changed here and is not told yet; as many as there are settings at most.
    private let untold = Locked<[String: String]>([:])
    private let wakes: AsyncStream<Void>
    private let waker: AsyncStream<Void>.Continuation

    init(_ cluster: ClusterControl, _ journal: EventJournal, _ log: Log) {
        self.cluster = cluster
        self.journal = journal
        self.log = log
        (wakes, waker) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Tells all nodes of settings that were changed here.
    func tell(_ values: [String: String]) {
        untold.withLock { $0.merge(values) { $1 } }
        waker.yield()
    }

    /// Calls `use` with all that was changed at any node, now and whenever that may be something else, until
    /// the task is cancelled.
    func run(_ use: ([String: String]) async -> Void) async {
        cluster.hear(Self.kind) { [waker] _, _ in waker.yield() }
        cluster.whenBack { [waker] in waker.yield() }
        waker.yield()
        var isTroubled = false
        for await _ in wakes {
            let told = untold.withLock { values in
                defer { values = [:] }
                return values
            }
            switch await exchange(told) {
            case .success(let kept):
                isTroubled = false
                // What was changed meanwhile is newer.
                await use(kept.merging(untold.withLock { $0 }) { $1 })
            case .failure(let error):
                if !isTroubled { log.warning("settings of watchdogs hold for this gateway alone: \(error)") }
                isTroubled = true
                untold.withLock { $0.merge(told) { newer, _ in newer } }
                guard (try? await Task.sleep(for: .seconds(1))) != nil else { return }
                waker.yield()
            }
        }
    }

    /// Keeps values, tells the others so, and reads all that is kept.
    private func exchange(_ values: [String: String]) async -> Result<[String: String], StoreError> {
        await withCheckedContinuation { continuation in
            let isTaken = journal.onReader { [cluster] _ in
                do throws(StoreError) {
                    continuation.resume(returning: .success(try cluster.share(values, Self.kind)))
                } catch {
                    continuation.resume(returning: .failure(error))
                }
            }
            if !isTaken {
                continuation.resume(returning: .failure(.unavailable("too much waits for the event store")))
            }
        }
    }
}
