import Broadcast
import Dispatch
import FIMLCore
import LinuxSystem
import Locking

/// The thread that reads a shared store's newest events, whoever has appended them, and tells them: so every
/// node tells the same events in the same order.
final class JournalFollower: Sendable {
    /// How long one wait for events is, in milliseconds.
    private static let waitMilliseconds = 500
    /// How long a store in trouble is left alone, in milliseconds.
    private static let restMilliseconds = 200

    private struct State {
        /// Who is to be answered once a position has been told, in their order.
        var answers: [(position: StreamPosition, answer: @Sendable () -> Void)] = []
        /// Up to where all has been told.
        var told = StreamPosition.zero
        /// Whether the last look has failed: then nobody is kept waiting.
        var isTroubled = false
        var isStopped = false
    }

    private let store: any SharedEventStore
    private let state = Locked(State())
    private let stopped = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)

    init(_ store: any SharedEventStore) {
        self.store = store
    }

    func start(_ journal: EventJournal) throws(SystemCallError) {
        try LinuxSystem.Thread(name: "journal-follow") { [self] in
            var cursor = journal.range.last
            while !state.withLock({ $0.isStopped }) { follow(&cursor, journal) }
            release(upTo: nil)
            ended.signal()
        }.detach()
    }

    func stop() {
        state.withLock { $0.isStopped = true }
        stopped.signal()
        _ = ended.wait(timeout: .now() + .seconds(2))
    }

    /// Calls `answer` once a position that is stored has been told here too, or at once where the store
    /// cannot be followed.
    func whenTold(_ position: StreamPosition, _ answer: @escaping @Sendable () -> Void) {
        let mustWait = state.withLock { state in
            guard position > state.told, !state.isTroubled, !state.isStopped else { return false }
            state.answers.append((position, answer))
            return true
        }
        if !mustWait { answer() }
    }

    private func follow(_ cursor: inout StreamPosition, _ journal: EventJournal) {
        do throws(StoreError) {
            let page = try store.follow(
                after: cursor, limit: EventPage.limit, milliseconds: Self.waitMilliseconds)
            if state.withLock({ $0.isTroubled }) {
                state.withLock { $0.isTroubled = false }
                journal.followed(nil)
            }
            if page.isBroken {
                let known = journal.firing().map {
                    StoredEvent(position: $0.position, json: $0.event.event.json)
                }
                try store.restoreFiring(known, states: journal.known.withLock { $0 })
                journal.lost(before: page.earliest, try store.contents())
                cursor = page.earliest
                return release(upTo: nil)
            }
            // Others have let go of what this node had yet to tell: it has been away for long.
            if page.earliest > cursor {
                journal.missed(upTo: page.earliest)
                cursor = page.earliest
            }
            let publications = page.events.filter { $0.position > cursor }.compactMap { Publication($0) }
            cursor = max(cursor, page.end ?? page.events.last?.position ?? cursor)
            journal.take(publications, stored: cursor)
            release(upTo: cursor)
            if !publications.isEmpty { journal.listener.broadcast(publications) }
        } catch {
            state.withLock { $0.isTroubled = true }
            journal.followed(error)
            release(upTo: nil)
            _ = stopped.wait(timeout: .now() + .milliseconds(Self.restMilliseconds))
        }
    }

    /// Answers who waits for a position up to that; everybody where it is nil.
    private func release(upTo position: StreamPosition?) {
        let answers = state.withLock { state in
            if let position { state.told = position }
            let count =
                position.map { position in state.answers.prefix { $0.position <= position }.count }
                ?? state.answers.count
            let answers = state.answers.prefix(count).map(\.answer)
            state.answers.removeFirst(count)
            return answers
        }
        for answer in answers { answer() }
    }
}
