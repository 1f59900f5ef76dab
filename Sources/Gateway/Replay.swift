import Broadcast
import EventLoop
import EventStore
import FIMLCore
import LinuxSystem
import Transport

/// A subscription that is being given stored events before it goes live.
struct Replay {
    let connection: SlotToken
    let subscriptionID: String
    /// What threads that read for it call it.
    let number: Int
    var filter: EventFilter
    /// Everything up to here has been looked at.
    var cursor: StreamPosition
    /// The end of the stream when it was asked for. What lies up to here is replayed, though this loop may
    /// have yet to broadcast it.
    let goal: StreamPosition
    /// It begins before the last so many events that pass, wherever that is; nil once that is known.
    var last: Int?
    /// Events sent.
    var sent = 0
    /// Events that were read and not looked at yet.
    var page: ArraySlice<Publication> = []
    /// Up to where the stream was looked through once the page is done.
    var pageEnd: StreamPosition?
    /// Whether another thread reads for it.
    var isReading = false
    /// Not before this time of the loop is the store asked again.
    var retryAt: UInt64 = 0
}

// Replays are paced: all of a loop together get a millisecond a turn, each some events after the other. So a
// thousand clients that come back at once share what a loop can spare, and live events pass between.
extension LoopService {
    private static let turnNanoseconds: UInt64 = 1_000_000
    /// Events that one replay sends before the next one's turn: a quarter of a page, some 50 KiB.
    private static let eventsAtOnce = 64
    /// How long a store that cannot be read is left alone.
    private static let retryMilliseconds: UInt64 = 500

    /// What became of a replay's turn.
    private enum Step {
        /// It has more to send.
        case goesOn
        /// It waits for its connection, the store, or the loop.
        case waits
        /// It has reached the loop's position.
        case isComplete
        /// Its connection is gone.
        case isOver
    }

    /// Stored events up to the end of the stream that a filter passes; nil where not all are in memory, so
    /// that counting them would take as long as sending them.
    func countMatches(_ filter: EventFilter, after start: StreamPosition) -> Int? {
        let goal = max(position, state.publisher.range.last)
        var cursor = start
        var count = 0
        while cursor < goal {
            guard let page = state.publisher.journal.page(after: cursor) else { return nil }
            guard let last = page.events.last else { break }
            count += page.events.count { $0.position <= goal && filter.matches($0.event) }
            cursor = last.position
        }
        return count
    }

    /// Begins to replay for a subscription; `last` as in `Replay`.
    func beginReplay(
        _ connection: Connection, _ subscriptionID: String, _ filter: EventFilter,
        after cursor: StreamPosition, last: Int? = nil
    ) {
        replayNumber += 1
        replays.append(
            Replay(
                connection: connection.token, subscriptionID: subscriptionID, number: replayNumber,
                filter: filter, cursor: cursor, goal: state.publisher.range.last, last: last))
    }

    /// Goes on with the replays, one after the other, for as long as a turn gives; whether one can go on at
    /// once. One that has reached the loop's position goes live there: nothing is skipped or repeated in
    /// between, since what comes next is broadcast by this same loop.
    func replay() -> Bool {
        guard !replays.isEmpty else { return false }
        let end = monotonicNanoseconds() + Self.turnNanoseconds
        var waiting = 0
        while waiting < replays.count, monotonicNanoseconds() < end {
            if nextReplay >= replays.count { nextReplay = 0 }
            let number = replays[nextReplay].number
            let step = step(nextReplay)
            // A connection that was closed meanwhile has taken its replays with it.
            guard nextReplay < replays.count, replays[nextReplay].number == number else { continue }
            switch step {
            case .goesOn: waiting = 0
            case .waits: waiting += 1
            case .isOver: replays.remove(at: nextReplay)
            case .isComplete:
                let replay = replays.remove(at: nextReplay)
                if let connection = transport[replay.connection] { goLive(replay, connection) }
            }
            if case .isOver = step { continue }
            if case .isComplete = step { continue }
            nextReplay += 1
        }
        return waiting < replays.count
    }

    private func step(_ index: Int) -> Step {
        guard let connection = transport[replays[index].connection],
            let session = connection.session as? ClientSession
        else { return .isOver }
        guard isTurn(of: replays[index].number, session) else { return .waits }
        // It, or a client that comes from another node or loop, may have seen what this one has yet to
        // broadcast: it goes live from there.
        if replays[index].isReading || replays[index].cursor > position || transport.isBusy(connection) {
            return .waits
        }
        return replays[index].page.isEmpty ? nextPage(index, connection) : sendSome(index, connection)
    }

    /// Replays of one connection come one after the other, so that one client has a page at a time.
    private func isTurn(of number: Int, _ session: ClientSession) -> Bool {
        if let other = session.replaying, other != number, replays.contains(where: { $0.number == other }) {
            return false
        }
        session.replaying = number
        return true
    }

    private func sendSome(_ index: Int, _ connection: Connection) -> Step {
        let number = replays[index].number
        for _ in 0..<Self.eventsAtOnce {
            guard let publication = replays[index].page.first else { break }
            guard publication.position <= max(position, replays[index].goal) else {
                return replays[index].cursor > position ? .waits : .isComplete
            }
            replays[index].page.removeFirst()
            replays[index].cursor = publication.position
            guard replays[index].filter.matches(publication.event) else { continue }
            replays[index].sent += 1
            state.metrics.messagesSent["event"].increment()
            transport.send(publication, to: connection)
            // The connection may have been closed for being too slow; its replays are gone then.
            guard index < replays.count, replays[index].number == number else { return .goesOn }
            if transport.isBusy(connection) { return .waits }
        }
        if replays[index].page.isEmpty, let end = replays[index].pageEnd {
            replays[index].cursor = max(replays[index].cursor, min(end, position))
        }
        return .goesOn
    }

    // MARK: - Pages

    private func nextPage(_ index: Int, _ connection: Connection) -> Step {
        if replays[index].last == nil, let page = state.publisher.journal.page(after: replays[index].cursor) {
            guard !page.events.isEmpty || replays[index].cursor < page.earliest else { return .isComplete }
            take(page, index, connection)
            return .goesOn
        }
        guard transport.now >= replays[index].retryAt else { return .waits }
        let replay = replays[index]
        let mailbox = transport.mailbox
        let journal = state.publisher.journal
        let read: @Sendable (EventJournal) -> Void = { journal in
            let found = Result { () throws(StoreError) in try Self.read(replay, journal) }
            mailbox.post(.task { ($0.service as? LoopService)?.hasRead(found, for: replay) })
        }
        let isTaken = replay.last == nil ? journal.onReader(read) : journal.onSearcher(read)
        replays[index].isReading = isTaken
        if !isTaken { retryLater(index) }
        return .waits
    }

    private static func read(
        _ replay: Replay, _ journal: EventJournal
    ) throws(StoreError) -> (start: StreamPosition, page: EventPage) {
        var start = replay.cursor
        if let last = replay.last {
            start = try journal.findPosition(beforeLast: last, matching: replay.filter)
        }
        let page = try journal.readPage(after: start)
        return (start, page)
    }

    private func hasRead(
        _ found: Result<(start: StreamPosition, page: EventPage), StoreError>, for replay: Replay
    ) {
        guard let index = replays.firstIndex(where: { $0.number == replay.number }),
            let connection = transport[replay.connection]
        else { return }
        replays[index].isReading = false
        switch found {
        case .success(let (start, page)):
            replays[index].cursor = start
            replays[index].last = nil
            take(page, index, connection)
        case .failure:
            // Its log line and the health tell of it; the client goes on from where it is.
            retryLater(index)
        }
    }

    private func retryLater(_ index: Int) {
        replays[index].retryAt = transport.now + Self.retryMilliseconds
        transport.wake(at: replays[index].retryAt)
    }

    private func take(_ page: EventPage, _ index: Int, _ connection: Connection) {
        let cursor = replays[index].cursor
        guard cursor >= page.earliest else {
            replays[index].cursor = page.earliest
            return tellGap(from: cursor, to: page.earliest, connection)
        }
        replays[index].page = page.events[...]
        replays[index].pageEnd = page.cursor
        if page.events.isEmpty, let end = page.cursor { replays[index].cursor = min(end, position) }
    }

    /// The store had to let go of events before they could be sent. How many is not known.
    func tellGap(from: StreamPosition, to earliest: StreamPosition, _ connection: Connection) {
        send(
            "gap",
            ServerMessage.gap(
                from: from, to: earliest, dropped: SeverityCounts(), reason: "window_exceeded",
                backfill: "/events?after=\(earliest)"), to: connection)
    }

    /// The store has lost what it had up to `floor`: everybody is told, for it may be that an event was
    /// stored and lost before it was told here.
    func streamBroke(at floor: StreamPosition) {
        let from = position
        position = max(position, floor)
        transport.forEachStream { connection in
            guard let session = connection.session as? ClientSession, !session.subscriptions.isEmpty else {
                return
            }
            tellGap(from: from, to: floor, connection)
        }
    }

    private func goLive(_ replay: Replay, _ connection: Connection) {
        guard let session = connection.session as? ClientSession,
            let entry = session.index(of: replay.subscriptionID)
        else { return }
        session.subscriptions[entry].handle = transport.hub.subscribe(connection.token.slot, replay.filter)
        session.subscriptions[entry].liveSince = position
        send(
            "replay_complete",
            ServerMessage.replayComplete(
                subscriptionID: replay.subscriptionID, position: position, eventsSent: replay.sent),
            at: position, to: connection)
    }
}
