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
            if page.earliest > position || !page.events.isEmpty { return page }
            if monotonicMilliseconds() >= end || state.withLock({ $0.isClosed }) { return page }
        }
    }

    private func slice(
        _ client: RedisClient, after position: StreamPosition, limit: Int, wait: Int
    ) throws(RedisFailure) -> StoredPage {
        let start = state.withLock { state in
            if let skipped = state.skipped, skipped.from == position { skipped.to } else { position }
        }
        var command = RedisCommand("XREAD", "COUNT", String(limit))
        // BLOCK 0 would wait for ever.
        if wait > 0 { command.append("BLOCK"); command.append(String(wait)) }
        for word in ["STREAMS", StreamKeys.stream, start.description] { command.append(word) }
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
            state.skipped = nil
            // What was stored then may be gone; whoever tries it again has it stored again.
            state.unanswered = UnansweredAppends()
            return !isFirst
        }
        if isLoss { return StoredPage(earliest: status.earliest, events: []) }
        let entries = (reply.elements.first?.elements.last?.elements ?? []).compactMap(StreamEntry.init)
        return StoredPage(earliest: status.earliest, events: events(entries, after: position, status))
    }

    /// The events that entries are; where the last of them are none, the next `follow` passes over them.
    private func events(
        _ entries: [StreamEntry], after position: StreamPosition, _ status: StreamStatus
    ) -> [StoredEvent] {
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
        let reached = events.last?.position ?? position
        state.withLock { $0.skipped = reached < last.position ? (reached, last.position) : nil }
        return events
    }
}
