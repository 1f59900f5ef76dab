import Broadcast
import Dispatch
import FIMLCore
import LinuxSystem
import Locking

/// The one thread that appends to the store and trims it: takes what was submitted while it wrote the last
/// batch, and writes that at once.
final class JournalWriter: Sendable {
    /// How often a store in trouble is tried again, in milliseconds.
    private static let retryMilliseconds: UInt64 = 500
    /// How often the store is trimmed, in milliseconds.
    static let trimMilliseconds: UInt64 = 1_000

    struct Entry: Sendable {
        let submission: Submission
        let patience: EventJournal.Patience
        let submittedAt: UInt64
        let answer: @Sendable (EventJournal.Outcome) -> Void
    }

    private struct State {
        var queue: [Entry] = []
        /// Events in the queue and in what is held.
        var waiting = 0
        var isStopped = false
    }

    private let state = Locked(State())
    private let ready = DispatchSemaphore(value: 0)
    private let ended = DispatchSemaphore(value: 0)
    private let stored: StreamPosition

    /// `stored`: the newest position of the store.
    init(stored: StreamPosition) {
        self.stored = stored
    }

    func start(_ journal: EventJournal) throws(SystemCallError) {
        try LinuxSystem.Thread(name: "journal") { [self] in
            var work = Work(journal: journal, stored: stored)
            while run(&work) {}
            ended.signal()
        }.detach()
    }

    /// Writes what waits and ends; waits for that some seconds at most.
    func stop() {
        state.withLock { $0.isStopped = true }
        ready.signal()
        _ = ended.wait(timeout: .now() + .seconds(8))
    }

    /// Queues what came together. What may not wait is answered at once.
    func submit(
        _ submissions: [(Submission, answer: @Sendable (EventJournal.Outcome) -> Void)],
        _ patience: EventJournal.Patience, _ journal: EventJournal
    ) {
        if case .refuse = patience, let trouble = journal.status.withLock({ $0.trouble }) {
            return submissions.forEach { $0.answer(.refused(trouble)) }
        }
        let now = monotonicNanoseconds()
        let limit = journal.limits.waitingEvents
        let refusals = state.withLock { state in
            let wasEmpty = state.queue.isEmpty
            defer { if wasEmpty, !state.queue.isEmpty { ready.signal() } }
            return submissions.map { submission, answer -> EventJournal.Outcome? in
                guard !state.isStopped else { return .refused("the gateway is shutting down") }
                // A batch that is larger than the bound is taken where it is alone.
                guard state.waiting == 0 || state.waiting + submission.events.count <= limit else {
                    return .overloaded
                }
                state.waiting += submission.events.count
                state.queue.append(
                    Entry(submission: submission, patience: patience, submittedAt: now, answer: answer))
                return nil
            }
        }
        for (refusal, submission) in zip(refusals, submissions) {
            if let refusal { submission.answer(refusal) }
        }
    }

    /// One turn; false once it is over.
    private func run(_ work: inout Work) -> Bool {
        let milliseconds = work.isTroubled ? Self.retryMilliseconds : Self.trimMilliseconds
        _ = ready.wait(timeout: .now() + .milliseconds(Int(milliseconds)))
        let (entries, isStopped) = state.withLock { state -> ([Entry], Bool) in
            var entries: [Entry] = []
            swap(&entries, &state.queue)
            return (entries, state.isStopped)
        }
        let now = monotonicMilliseconds()
        if let error = work.journal.takeReaderError() { work.begin(error) }
        if work.isTroubled {
            work.bear(entries)
            if now >= work.retriedAt + Self.retryMilliseconds || isStopped {
                work.retriedAt = now
                work.heal()
            }
        } else if !entries.isEmpty {
            work.write(entries)
        }
        work.trimIfDue(now)
        if isStopped { work.refuseHeld("the gateway is shutting down") }
        let answered = work.takeAnswered()
        let waiting = state.withLock { state in
            state.waiting -= answered
            return state.waiting
        }
        work.journal.status.withLock { $0.waiting = waiting }
        return !isStopped
    }
}

/// An event that has its position and is to be told.
struct NewEvent {
    let event: SubmittedEvent
    let position: StreamPosition
    let submittedAt: UInt64
}

/// What the writer's thread has in hand.
private struct Work {
    let journal: EventJournal
    /// The newest position that is stored.
    var stored: StreamPosition
    /// When a store in trouble was last tried, in milliseconds of the monotonic clock.
    var retriedAt: UInt64 = 0
    private var trimmedAt: UInt64 = 0
    /// Events of entries that have been answered since the last look.
    private var answered = 0
    /// What waits for the store to be well again.
    private var held: [JournalWriter.Entry] = []
    /// What was told and is not stored, and the states that belong to it.
    private var unstored: [ToldEvent] = []
    private var unstoredStates: [String: [UInt8]] = [:]
    private(set) var isTroubled = false
    /// Whether the store was told that events are told without it.
    private var isMarked = false
    /// Whether trying again does not help before the store is opened anew.
    private var mustReopen = false

    private static let trimsPerTurn = 16

    init(journal: EventJournal, stored: StreamPosition) {
        self.journal = journal
        self.stored = stored
    }

    /// How many events have been answered for since the last call.
    mutating func takeAnswered() -> Int {
        defer { answered = 0 }
        return answered
    }

    private mutating func answer(_ entry: JournalWriter.Entry, _ outcome: EventJournal.Outcome) {
        answered += entry.submission.events.count
        entry.answer(outcome)
    }

    // MARK: - A store that is well

    /// Stores the entries and tells their events; after an error, goes on as in trouble.
    mutating func write(_ entries: [JournalWriter.Entry]) {
        do throws(StoreError) {
            let outcomes = try journal.store.append(entries.map(\.submission), now: wallMilliseconds())
            if isTroubled { end() }
            settle(entries, outcomes)
        } catch {
            begin(error)
            bear(entries)
        }
    }

    private mutating func settle(_ entries: [JournalWriter.Entry], _ outcomes: [Appended]) {
        let follower = journal.follower
        let count = outcomes.reduce(0) { $0 + $1.positions.count }
        journal.status.withLock { $0.count += count }
        // What stands in a shared store is told by who follows it.
        let rounds = follower == nil ? take(entries, outcomes) : []
        // A store in memory is no larger than it may be, and who is answered sees it so.
        if journal.limits.keptBeyond == 0 { trimIfDue(monotonicMilliseconds()) }
        // Answers go before the broadcast, which takes longer.
        defer { for round in rounds { journal.listener.broadcast(round) } }
        for (entry, outcome) in zip(entries, outcomes) {
            switch outcome {
            case .fenced: answer(entry, .fenced)
            case .stored(let positions):
                answered += entry.submission.events.count
                guard let follower, let last = positions.last else {
                    entry.answer(.stored(positions))
                    continue
                }
                follower.whenTold(last) { entry.answer(.stored(positions)) }
            }
        }
    }

    /// Takes up what was stored; what is to be broadcast.
    private mutating func take(
        _ entries: [JournalWriter.Entry], _ outcomes: [Appended]
    ) -> [[Publication]] {
        var news: [NewEvent] = []
        for (entry, outcome) in zip(entries, outcomes) {
            news += zip(entry.submission.events, outcome.positions).map {
                NewEvent(event: $0, position: $1, submittedAt: entry.submittedAt)
            }
        }
        stored = news.last?.position ?? stored
        return journal.take(news, stored: stored)
    }

    /// Trims the store once in a while, or where it has grown too far. `now`: milliseconds of the monotonic
    /// clock.
    mutating func trimIfDue(_ now: UInt64) {
        let limits = journal.limits
        let count = journal.status.withLock { $0.count }
        guard !isTroubled,
            now >= trimmedAt + JournalWriter.trimMilliseconds || count > limits.kept + limits.keptBeyond
        else {
            return
        }
        let moment = limits.keptMilliseconds.map { wallMilliseconds() - $0 }
        do throws(StoreError) {
            // A call lets go of some thousand; as many are made as a full batch needs.
            for _ in 0..<Self.trimsPerTurn {
                let (earliest, left) = try journal.store.trim(toNewest: limits.kept, storedSince: moment)
                journal.tail.withLock { $0.trimmed(to: earliest) }
                journal.status.withLock { $0.count = left }
                if left <= limits.kept { trimmedAt = now }
                if left <= limits.kept + limits.keptBeyond { break }
            }
        } catch {
            begin(error)
        }
    }

    // MARK: - A store in trouble

    mutating func begin(_ error: StoreError) {
        if case .unusable = error { mustReopen = true }
        if !isTroubled { journal.listener.trouble(error.description) }
        isTroubled = true
        journal.status.withLock { status in
            if status.troubleSince == nil { status.troubleSince = wallMilliseconds() }
            status.trouble = error.description
        }
    }

    private mutating func end() {
        isTroubled = false
        journal.status.withLock { ($0.trouble, $0.troubleSince) = (nil, nil) }
        journal.listener.trouble(nil)
    }

    /// Answers who would not wait. What may wait is told without being stored, where the store can promise
    /// that nobody resumes over it, and else held.
    mutating func bear(_ entries: [JournalWriter.Entry]) {
        let reason = journal.status.withLock { $0.trouble } ?? "the event store is in trouble"
        for entry in entries {
            switch entry.patience {
            case .refuse: answer(entry, .refused(reason))
            case .wait: held.append(entry)
            }
        }
        tellHeld()
    }

    private mutating func tellHeld() {
        guard let store = journal.store as? any LocalEventStore, !held.isEmpty else { return }
        while let entry = held.first,
            unstored.count + entry.submission.events.count <= journal.limits.waitingEvents
        {
            var position = journal.range.last
            let news = entry.submission.events.map { event in
                position = position.next(at: wallMilliseconds())
                return NewEvent(event: event, position: position, submittedAt: entry.submittedAt)
            }
            do throws(StoreError) {
                isMarked = true
                try store.markUnstored(upTo: position)
            } catch {
                return begin(error)
            }
            held.removeFirst()
            unstored += news.map { ToldEvent(position: $0.position, event: $0.event) }
            unstoredStates.merge(entry.submission.states) { $1 }
            let rounds = journal.take(news, stored: stored)
            answer(entry, .told(news.map(\.position)))
            for round in rounds { journal.listener.broadcast(round) }
        }
        journal.status.withLock { $0.unstored = unstored.count }
    }

    /// Tries whether the store is well again, by storing what is not.
    mutating func heal() {
        do throws(StoreError) {
            if mustReopen {
                journal.reopened(try journal.store.open(now: wallMilliseconds()))
                mustReopen = false
            }
            if let store = journal.store as? any LocalEventStore {
                try store.append(told: unstored, states: unstoredStates)
                tookUnstored()
                if isMarked { try store.clearUnstored() }
                isMarked = false
            } else if held.isEmpty {
                _ = try journal.store.trim(toNewest: journal.limits.kept, storedSince: nil)
            }
        } catch {
            return begin(error)
        }
        let waiting = held
        held = []
        if waiting.isEmpty { end() } else { write(waiting) }
    }

    /// What was told is stored now.
    private mutating func tookUnstored() {
        stored = unstored.last?.position ?? stored
        let count = unstored.count
        (unstored, unstoredStates) = ([], [:])
        journal.tail.withLock { $0.shrink(stored: stored) }
        journal.status.withLock {
            $0.unstored = 0
            $0.count += count
        }
    }

    /// Refuses what is still held at the end.
    mutating func refuseHeld(_ reason: String) {
        for entry in held { answer(entry, .refused(reason)) }
        held = []
    }
}
