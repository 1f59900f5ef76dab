import EventStore
import FIMLCore
import LinuxSystem
import Locking

/// The event stream of several gateways, in one Redis server (7.0 or newer, no Redis Cluster).
///
/// The stream is `watchdog:events`; its entries have the fields `type`, `severity`, `status`, `watchdog`,
/// `assets` (symbols with commas between) and `event` (JSON of the public protocol), for people to read with
/// `redis-cli XRANGE watchdog:events - +`. Entries that other programs add are taken in where they can be
/// read as events (see `StreamEntry.event`). `StreamKeys` names the other keys.
///
/// What fires is kept by the gateways' own appends. Events of other programs are not in `contents().firing`:
/// each gateway learns of them by following, as long as it runs.
///
/// As durable as the server: with `appendfsync everysec` a crash of its machine may lose the last second. It
/// must not evict keys (`maxmemory-policy noeviction`, its default): that counts as a loss.
/// Where what this process has seen is gone, `follow` tells so, on every gateway; appending is refused until
/// this one's has (see `StreamKeys.settle`).
public final class RedisEventStore: SharedEventStore {
    /// `redis`.
    public let kind = "redis"

    /// Entries that there may ever be: where nobody trims, appending does.
    public static let entryLimit = 1_000_000

    struct State {
        /// The stream that is known; empty before `open`. Only `open` and `follow` learn another.
        var epoch = ""
        /// The last position that this process has met.
        var seen = StreamPosition.zero
        /// Numbers of appends, each once.
        var appends = 0
        var unanswered = UnansweredAppends()
        var unreadable = 0
        var isClosed = false
    }

    let client: RedisClient
    let state = Locked(State())
    /// Of this process, in its keys.
    let process = RedisEventStore.newName()
    let entryLimit: Int
    private let onUnreadable: @Sendable (StreamPosition, String) -> Void

    /// A store on a server; `onUnreadable` is told, on the thread that follows, of each entry that is left
    /// out: its position and what is wrong with it.
    public init(
        _ client: RedisClient, entryLimit: Int = RedisEventStore.entryLimit,
        onUnreadable: @escaping @Sendable (StreamPosition, String) -> Void = { _, _ in }
    ) {
        self.client = client
        self.entryLimit = entryLimit
        self.onUnreadable = onUnreadable
    }

    /// How many entries `follow` has left out, since they are no events.
    public var unreadableEntries: Int {
        state.withLock { $0.unreadable }
    }

    /// See `EventStore`. The clock is the server's.
    public func open(now: Int64) throws(StoreError) -> StoreContents {
        let (contents, epoch) = try client.call { client throws(RedisFailure) in try read(client) }
        state.withLock { state in
            state.epoch = epoch
            state.seen = max(state.seen, contents.last)
        }
        return contents
    }

    /// See `SharedEventStore`. What fires may be newer than `last` where others append at this moment.
    public func contents() throws(StoreError) -> StoreContents {
        try client.call { client throws(RedisFailure) in try read(client).contents }
    }

    /// Lists conditions as firing, with the last event of each, as this process still knows them after a
    /// loss, and puts back the states that are not there.
    ///
    /// May be called by every gateway and again: nothing older replaces what is there, and what was resolved
    /// since the loss stays so. Later than ten minutes after it nothing is done. Events that are not firing
    /// are passed over.
    public func restoreFiring(
        _ events: [StoredEvent], states: [String: [UInt8]] = [:]
    ) throws(StoreError) {
        // First, so that what is listed as firing has its state. One by one: each may have some MB.
        for (name, value) in states.sorted(by: { $0.key < $1.key }) {
            var arguments = known()
            arguments.append(name)
            arguments.append(value)
            _ = try client.call { [arguments] client throws(RedisFailure) in
                try client.run(StreamScripts.restoreState, keys: StreamKeys.all, arguments)
            }
        }
        var rest = events.prefix(StreamKeys.firingLimit)
        while !rest.isEmpty {
            var arguments = known()
            for stored in rest.prefix(500) {
                guard let event = try? JSONValue.parse(stored.json), event["status"] != "resolved",
                    let fingerprint = event["fingerprint"]?.text
                else { continue }
                arguments.append(fingerprint)
                arguments.append(stored.position.description)
                arguments.append(stored.json)
            }
            rest = rest.dropFirst(500)
            _ = try client.call { client throws(RedisFailure) in
                try client.run(StreamScripts.restoreFiring, keys: StreamKeys.all, arguments)
            }
        }
    }

    /// See `EventStore`.
    public func read(after position: StreamPosition, limit: Int) throws(StoreError) -> StoredPage {
        let limit = min(max(limit, 1), 10_000)
        return try client.call { client throws(RedisFailure) in
            var start = position
            var page = StoredPage(earliest: .zero, events: [])
            while true {
                let command = RedisCommand(
                    "XRANGE", StreamKeys.stream, "(\(start)", "+", "COUNT", String(limit))
                let known = self.known()
                let (reply, after) = try client.ask(
                    command, then: StreamScripts.state, keys: StreamKeys.all, known)
                let entries = reply.elements.compactMap(StreamEntry.init)
                let status = try StreamStatus(after)
                page.events = entries.compactMap { try? $0.event() }
                page.earliest = status.earliest
                if let last = entries.last { note(last.position, epoch: status.epoch) }
                // A page without an event would look like the end.
                guard page.events.isEmpty, let last = entries.last, entries.count == limit else {
                    return page
                }
                start = last.position
            }
        }
    }

    /// See `EventStore`.
    public func read(before position: StreamPosition, limit: Int) throws(StoreError) -> [StoredEvent] {
        let limit = min(max(limit, 1), 10_000)
        return try client.call { client throws(RedisFailure) in
            var end = position
            while true {
                let reply = try client.ask(
                    RedisCommand(
                        "XREVRANGE", StreamKeys.stream, "(\(end)", "-", "COUNT", String(limit)))
                let entries = reply.elements.compactMap(StreamEntry.init)
                let events = entries.compactMap { try? $0.event() }
                // A page without an event would look like the beginning.
                guard events.isEmpty, let oldest = entries.last, entries.count == limit else { return events }
                end = oldest.position
            }
        }
    }

    /// See `EventStore`; at most a thousand at a time.
    public func trim(toNewest count: Int, storedSince moment: Int64?) throws(StoreError) -> (
        earliest: StreamPosition, count: Int
    ) {
        var arguments = known()
        arguments.append(max(count, 0))
        arguments.append(max(moment ?? 0, 0))
        arguments.append(1000)
        let status = try client.call { client throws(RedisFailure) in
            try StreamStatus(try client.run(StreamScripts.trim, keys: StreamKeys.all, arguments))
        }
        return (status.earliest, status.count)
    }

    /// See `EventStore`. A `follow` that waits ends within half a second.
    public func close() {
        state.withLock { $0.isClosed = true }
        client.close()
    }

    /// What every script is told first.
    func known(seenAtLeast position: StreamPosition = .zero) -> RedisCommand.Arguments {
        let (epoch, seen) = state.withLock { ($0.epoch, max($0.seen, position)) }
        var arguments = RedisCommand.Arguments()
        arguments.append(epoch)
        arguments.append(seen.description)
        arguments.append(Self.newName())
        return arguments
    }

    /// Keeps in mind that an entry of an epoch was seen.
    func note(_ position: StreamPosition, epoch: String) {
        state.withLock { state in
            // What was seen of a stream that `follow` has not told of yet is none of the known one's.
            if epoch == state.epoch { state.seen = max(state.seen, position) }
        }
    }

    /// Counts and tells of entries that are no events.
    func skip(_ entry: StreamEntry, _ problem: String) {
        state.withLock { $0.unreadable += 1 }
        onUnreadable(entry.position, problem)
    }

    private func read(_ client: RedisClient) throws(RedisFailure) -> (contents: StoreContents, epoch: String)
    {
        // In this order: whatever is appended in between is after `last`.
        let status = try StreamStatus(try client.run(StreamScripts.state, keys: StreamKeys.all, known()))
        let replies = try client.ask([
            RedisCommand("HGETALL", StreamKeys.firing), RedisCommand("HGETALL", StreamKeys.states),
        ])
        let firing = replies[0].pairs.compactMap { Self.firing($0.value.data ?? []) }
        let states = replies[1].pairs.compactMap { pair in
            pair.name.text.flatMap { name in pair.value.data.map { (name, $0) } }
        }
        let contents = StoreContents(
            earliest: status.earliest, last: status.last, count: status.count,
            firing: firing.sorted { $0.position < $1.position },
            states: Dictionary(states, uniquingKeysWith: { first, _ in first }))
        return (contents, status.epoch)
    }

    /// Reads `1732416001104-0 {…}`; nil for what nobody of us has written.
    private static func firing(_ bytes: [UInt8]) -> StoredEvent? {
        guard let space = bytes.firstIndex(of: UInt8(ascii: " ")),
            let position = StreamPosition(String(decoding: bytes[..<space], as: UTF8.self))
        else { return nil }
        return StoredEvent(position: position, json: Array(bytes[(space + 1)...]))
    }

    /// 16 random hexadecimal digits.
    static func newName() -> String {
        let digits = String(UInt64.random(in: .min ... .max), radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}

/// What `StreamScripts.state` and `trim` answer.
struct StreamStatus {
    let epoch: String
    let earliest: StreamPosition
    let last: StreamPosition
    let count: Int

    init(_ reply: RedisReply) throws(RedisFailure) {
        let parts = reply.elements
        guard parts.count == 4, let epoch = parts[0].text, let earliest = parts[1].position,
            let last = parts[2].position, let count = parts[3].number
        else { throw .unexpected("a script of ours had another answer") }
        self.epoch = epoch
        self.earliest = earliest
        self.last = last
        self.count = Int(clamping: count)
    }
}
