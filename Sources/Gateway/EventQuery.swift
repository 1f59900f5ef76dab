import Broadcast
import EventStore
import FIMLCore

/// What `GET /events` asks for, and its answer.
struct EventQuery {
    private static let maxEvents = 1000
    private static let defaultEvents = 100

    private var filter = EventFilter.everything
    private var start = SubscriptionStart.live
    private var until: StreamPosition?
    private var limit = defaultEvents

    /// Reads the pairs of a query string.
    init(_ pairs: [(name: String, value: String)]) throws(InvalidMember) {
        let (filter, others) = try EventFilter.parse(query: pairs)
        self.filter = filter
        // `after` is a position only; `since` a position or a time.
        let renamed = others.map { (name: $0.name == "after" ? "since" : $0.name, value: $0.value) }
        let (start, rest) = try SubscriptionStart.parse(query: renamed)
        self.start = start
        for (name, value) in rest {
            switch name {
            case "until":
                guard let until = StreamPosition(value) ?? Self.endOf(value) else {
                    throw InvalidMember(path: name, problem: "must be a position or an RFC 3339 time")
                }
                self.until = until
            case "limit":
                guard let limit = Int(value), (1...Self.maxEvents).contains(limit) else {
                    throw InvalidMember(path: name, problem: "must be from 1 to \(Self.maxEvents)")
                }
                self.limit = limit
            default:
                throw InvalidMember.unknownParameter(
                    name, others: ["after", "since", "last", "until", "limit"])
            }
        }
    }

    /// The last position of a moment.
    private static func endOf(_ time: String) -> StreamPosition? {
        Timestamp(rfc3339: time).map {
            StreamPosition(milliseconds: UInt64(clamping: $0.milliseconds), sequence: .max)
        }
    }

    // MARK: - Answers

    /// The answer where memory holds all that it needs; nil where the store must be read. Never waits.
    func answer(inMemoryOf journal: EventJournal) -> [UInt8]? {
        guard let cursor = cursor({ journal.position(beforeLast: $0, matching: filter) }) else { return nil }
        var reading = Reading(self, from: cursor, range: journal.range)
        while reading.goesOn {
            guard let page = journal.page(after: reading.cursor) else { return nil }
            reading.take(page)
        }
        return reading.answer
    }

    /// The answer, from memory and the store; may wait for that. Throws where it cannot be read.
    func answer(from journal: EventJournal) throws(StoreError) -> [UInt8] {
        var last: StreamPosition?
        switch start {
        case .live: last = try journal.findPosition(beforeLast: limit, matching: filter)
        case .last(let count): last = try journal.findPosition(beforeLast: count, matching: filter)
        case .after, .since: break
        }
        var reading = Reading(self, from: cursor { _ in last } ?? .zero, range: journal.range)
        while reading.goesOn {
            reading.take(try journal.readPage(after: reading.cursor))
        }
        return reading.answer
    }

    /// The position after which to read; `beforeLast` finds that before the last so many.
    private func cursor(_ beforeLast: (Int) -> StreamPosition?) -> StreamPosition? {
        switch start {
        case .live: beforeLast(limit)
        case .last(let count): beforeLast(count)
        case .after(let position): position
        case .since(let time): .before(time)
        }
    }

    /// An answer as it is put together, page by page, until there are enough events. `position` is how far it
    /// goes: the reader goes on after it. It is not `complete` where the store no longer has all that was
    /// asked for.
    private struct Reading {
        private let query: EventQuery
        private let end: StreamPosition
        private(set) var cursor: StreamPosition
        private var earliest: StreamPosition
        private var isComplete: Bool
        private var count = 0
        private var looked = 0
        private var writer = JSONWriter(capacity: 16_384)

        init(
            _ query: EventQuery, from start: StreamPosition,
            range: (earliest: StreamPosition, last: StreamPosition)
        ) {
            self.query = query
            end = min(query.until ?? range.last, range.last)
            cursor = max(start, range.earliest)
            earliest = range.earliest
            isComplete = start >= range.earliest
            writer.beginObject()
            writer.name("events")
            writer.beginArray()
        }

        /// Whether more is to be read. A filter that passes next to nothing does not make one answer read the
        /// whole store.
        var goesOn: Bool {
            cursor < end && count < query.limit && looked < EventJournal.searchedEvents
        }

        mutating func take(_ page: EventPage) {
            earliest = page.earliest
            if cursor < earliest {
                isComplete = false
                cursor = earliest
                return
            }
            looked += page.events.count
            for publication in page.events {
                guard publication.position <= end else {
                    cursor = end
                    return
                }
                cursor = publication.position
                guard query.filter.matches(publication.event) else { continue }
                writer.raw(publication.positioned)
                count += 1
                if count == query.limit { return }
            }
            if let read = page.cursor {
                cursor = max(cursor, min(read, end))
            } else if page.events.isEmpty {
                cursor = end
            }
        }

        var answer: [UInt8] {
            var writer = writer
            writer.endArray()
            writer.member("position", cursor)
            writer.member("earliest_position", earliest)
            writer.member("complete", isComplete)
            writer.member("more", cursor < end)
            writer.endObject()
            return writer.bytes
        }
    }
}

extension Publication {
    /// `{"position":…,"event":…}`: the message without its type.
    fileprivate var positioned: [UInt8] {
        let type = Array("\"type\":\"event\",".utf8)
        return [message[0]] + message[(1 + type.count)...]
    }
}
