import EventLoop
import FIMLCore
import Transport

/// A subscription that is being given stored events before it goes live.
struct Replay {
    let connection: SlotToken
    let subscriptionID: String
    var filter: EventFilter
    /// Everything up to here has been looked at.
    var cursor: StreamPosition
    /// Events sent.
    var sent = 0
}

extension LoopService {
    /// Stored events up to the loop's position that a filter passes.
    func countMatches(_ filter: EventFilter, after start: StreamPosition) -> Int {
        var cursor = start
        var count = 0
        while cursor < position {
            let page = state.publisher.page(after: cursor).events
            guard let last = page.last else { break }
            count += page.count { $0.position <= position && filter.matches($0.event) }
            cursor = last.position
        }
        return count
    }

    /// Goes on with each replay by a page, as far as its connection keeps up; whether one can go on at once.
    /// One that has reached the loop's position goes live there: nothing is skipped or repeated in between,
    /// since what comes next is broadcast by this same loop.
    func replay() -> Bool {
        var canGoOn = false
        var index = 0
        while index < replays.count {
            guard let connection = transport[replays[index].connection] else {
                replays.remove(at: index)
                continue
            }
            // A client that comes from another loop may have seen what this one has yet to broadcast.
            if transport.isBusy(connection) || replays[index].cursor > position {
                index += 1
                continue
            }
            if replayPage(index, connection) {
                goLive(replays.remove(at: index), connection)
            } else {
                canGoOn = true
                index += 1
            }
        }
        return canGoOn
    }

    /// Whether the replay has reached the loop's position.
    private func replayPage(_ index: Int, _ connection: Connection) -> Bool {
        let (earliest, page) = state.publisher.page(after: replays[index].cursor)
        if replays[index].cursor < earliest {
            tellTrimmed(replays[index].cursor, earliest, connection)
            guard index < replays.count, replays[index].connection == connection.token else { return false }
            replays[index].cursor = earliest
        }
        for publication in page {
            guard publication.position <= position else { return true }
            if transport.isBusy(connection) { return false }
            replays[index].cursor = publication.position
            guard replays[index].filter.matches(publication.event) else { continue }
            replays[index].sent += 1
            state.metrics.messagesSent["event"].increment()
            transport.send(publication, to: connection)
            // The connection may have been closed for being too slow; its replays are gone then.
            guard index < replays.count, replays[index].connection == connection.token else { return false }
        }
        return page.count < Publisher.pageEvents
    }

    /// The store had to let go of events before they could be replayed. How many is not known.
    private func tellTrimmed(_ cursor: StreamPosition, _ earliest: StreamPosition, _ connection: Connection) {
        send(
            "gap",
            ServerMessage.gap(
                from: cursor, to: earliest, dropped: SeverityCounts(),
                reason: "window_exceeded",
                backfill: "/events?after=\(earliest)"), to: connection)
    }

    private func goLive(_ replay: Replay, _ connection: Connection) {
        guard let session = connection.session as? ClientSession,
            let entry = session.index(of: replay.subscriptionID)
        else { return }
        session.subscriptions[entry].handle = transport.hub.subscribe(connection.token.slot, replay.filter)
        send(
            "replay_complete",
            ServerMessage.replayComplete(
                subscriptionID: replay.subscriptionID, position: position, eventsSent: replay.sent),
            to: connection)
    }
}
