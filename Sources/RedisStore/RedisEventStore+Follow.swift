import EventStore
import FIMLCore
import LinuxSystem

extension RedisEventStore {
    /// One wait of the server's: a loss, and `close`, are noticed after it.
    private static let sliceMilliseconds = 500

    /// See `SharedEventStore`.
    public func follow(
        after position: StreamPosition, limit: Int, milliseconds: Int
    ) throws(StoreError) -> StoredPage {
        let limit = min(max(limit, 1), 10_000)
        let end = monotonicMilliseconds() + UInt64(max(milliseconds, 0))
        while true {
            let now = monotonicMilliseconds()
            let wait = min(Self.sliceMilliseconds, Int(clamping: end - min(end, now)))
            let page = try client.call { client throws(RedisFailure) in
                try slice(client, after: position, limit: limit, wait: wait)
            }
            if page.isBroken || page.earliest > position || page.end != nil || !page.events.isEmpty {
                return page
            }
            if monotonicMilliseconds() >= end || state.withLock({ $0.isClosed }) { return page }
        }
    }

    private func slice(
        _ client: RedisClient, after position: StreamPosition, limit: Int, wait: Int
    ) throws(RedisFailure) -> StoredPage {
        var command = RedisCommand("XREAD", "COUNT", String(limit))
        // BLOCK 0 would wait for ever.
        if wait > 0 { command.append("BLOCK"); command.append(String(wait)) }
        for word in ["STREAMS", StreamKeys.stream, position.description] { command.append(word) }
        // The check comes after what was read: a page behind a loss is never taken for the next one.
        let (reply, after) = try client.ask(
            command, then: StreamScripts.state, keys: StreamKeys.all, known(seenAtLeast: position),
            waitMilliseconds: wait)
        let status = try StreamStatus(after)
        let isLoss = state.withLock { state in
            guard status.epoch != state.epoch else { return false }
            let isFirst = state.epoch.isEmpty
            state.epoch = status.epoch
            state.seen = max(state.seen, isFirst ? position : status.earliest)
            // What was stored then may be gone; whoever tries it again has it stored again.
            state.unanswered = UnansweredAppends()
            return !isFirst
        }
        if isLoss {
            var page = StoredPage(earliest: status.earliest, events: [])
            page.isBroken = true
            return page
        }
        let entries = (reply.elements.first?.elements.last?.elements ?? []).compactMap(StreamEntry.init)
        return StoredPage(
            earliest: status.earliest, events: events(entries, status), end: entries.last?.position)
    }

    /// The events that entries are; what is none is left out.
    private func events(_ entries: [StreamEntry], _ status: StreamStatus) -> [StoredEvent] {
        guard let last = entries.last else { return [] }
        var events: [StoredEvent] = []
        for entry in entries {
            do {
                events.append(try entry.event())
            } catch {
                skip(entry, error.message)
            }
        }
        note(last.position, epoch: status.epoch)
        return events
    }
}
