import Broadcast
import EventLoop
import FIMLCore
import HTTP
import LinuxSystem
import Transport

// Publishing events and reading them back.
extension LoopService {
    private static let maxEventsPerRequest = 1000
    private static let maxEventsPerAnswer = 1000
    private static let defaultEventsPerAnswer = 100
    /// A body over this is read away from the loop: at some 10 MB/s it would hold up everybody else.
    private static let offloadBytes = 1 << 16

    // MARK: - POST /events

    func publishEvents(_ request: HTTPRequest, _ connection: Connection) -> Answer {
        if let refusal = Self.refusedContentType(request, "events") { return .response(refusal) }
        guard request.body.count > Self.offloadBytes else {
            return .response(Self.publish(request.body, state))
        }
        return later(request, connection) { [state] in Self.publish(request.body, state) }
    }

    /// The answer to content that is said to be anything but JSON. Programs may leave the type away; a page
    /// may not, since a browser sends what has none anywhere without asking first (Fetch 3.2.2).
    static func refusedContentType(_ request: HTTPRequest, _ what: String) -> HTTPResponse? {
        let type = request.fields["Content-Type"] ?? "content without a type"
        let media = type.lowercased().prefix { $0 != ";" }.filter { $0 != " " && $0 != "\t" }
        let isLeftAway = request.fields["Content-Type"] == nil && request.fields["Origin"] == nil
        if media == "application/json" || isLeftAway { return nil }
        return .problem(
            415, "UNSUPPORTED_MEDIA_TYPE", "\(what) are sent as application/json, not \(type)")
    }

    /// Answers from another thread, once there is an answer, if the connection is still there then.
    func later(
        _ request: HTTPRequest, _ connection: Connection,
        _ answer: @escaping @Sendable () async -> HTTPResponse
    ) -> Answer {
        let token = connection.token
        let mailbox = transport.mailbox
        Task.detached {
            let response = await answer()
            mailbox.post(.task { loop in LoopService.complete(token, request, response, loop) })
        }
        return .later
    }

    private static func complete(
        _ token: SlotToken, _ request: HTTPRequest, _ response: HTTPResponse, _ loop: TransportLoop
    ) {
        guard let connection = loop[token], let service = loop.service as? LoopService else { return }
        var response = response
        service.allowOrigin(request, &response)
        service.count(request, response)
        loop.complete(connection, response)
    }

    private static func publish(_ body: [UInt8], _ state: GatewayState) -> HTTPResponse {
        let events: [WatchdogEvent]
        do throws(PublishRefusal) {
            events = try parse(body, receivedAt: state.now())
        } catch {
            return .problem(error.code, error.detail)
        }
        guard let positions = state.publisher.publish(events) else {
            var response = HTTPResponse.problem(
                .unavailable, "subscribers are too far behind; try again in a second")
            response.fields.append("Retry-After", "1")
            return response
        }
        var writer = JSONWriter(capacity: 64 + 96 * events.count)
        writer.beginObject()
        writer.member("accepted", events.count)
        writer.name("events")
        writer.beginArray()
        for (event, position) in zip(events, positions) {
            writer.beginObject()
            writer.member("event_id", event.eventID)
            writer.member("position", position)
            writer.endObject()
        }
        writer.endArray()
        writer.endObject()
        return .json(201, writer.bytes)
    }

    /// One event or an array of them; all are taken or none.
    private static func parse(
        _ body: [UInt8], receivedAt: Timestamp
    ) throws(PublishRefusal) -> [WatchdogEvent] {
        let value: JSONValue
        do {
            value = try JSONValue.parse(body)
        } catch {
            throw PublishRefusal(code: .invalidJSON, detail: "\(error)")
        }
        guard let elements = value.elements else { return [try parse(value, "", receivedAt)] }
        guard (1...maxEventsPerRequest).contains(elements.count) else {
            throw PublishRefusal(
                code: .invalidMessage,
                detail: "\(elements.count) events in one request; 1 to \(maxEventsPerRequest) are allowed")
        }
        var events: [WatchdogEvent] = []
        for (index, element) in elements.enumerated() {
            events.append(try parse(element, "events[\(index)]: ", receivedAt))
        }
        return events
    }

    private static func parse(
        _ value: JSONValue, _ place: String, _ receivedAt: Timestamp
    ) throws(PublishRefusal) -> WatchdogEvent {
        do {
            return try WatchdogEvent.parse(value, receivedAt: receivedAt, newEventID: WatchdogEvent.newID)
        } catch {
            throw PublishRefusal(code: .invalidMessage, detail: place + error.message)
        }
    }

    private struct PublishRefusal: Error {
        let code: ErrorCode
        let detail: String
    }

    // MARK: - GET /events

    /// What `GET /events` asks for.
    private struct Query {
        var filter = EventFilter.everything
        var start = SubscriptionStart.live
        var until: StreamPosition?
        var limit = defaultEventsPerAnswer
    }

    func readEvents(_ request: HTTPRequest) -> HTTPResponse {
        let query: Query
        do throws(InvalidMember) {
            query = try parse(request.query)
        } catch {
            return .problem(.invalidFilter, error.message)
        }
        let range = state.publisher.range
        let cursor: StreamPosition
        switch query.start {
        case .live: cursor = state.publisher.position(beforeLast: query.limit, matching: query.filter)
        case .last(let count): cursor = state.publisher.position(beforeLast: count, matching: query.filter)
        case .after(let position): cursor = position
        case .since(let time): cursor = .before(time)
        }
        return answer(query, from: cursor, to: min(query.until ?? range.last, range.last))
    }

    /// Reads page by page until there are enough. `position` is how far the answer goes: the reader goes on
    /// after it. It is not `complete` where the store no longer has all that was asked for.
    private func answer(
        _ query: Query, from start: StreamPosition, to end: StreamPosition
    ) -> HTTPResponse {
        var writer = JSONWriter(capacity: 16_384)
        writer.beginObject()
        writer.name("events")
        writer.beginArray()
        var cursor = start
        var earliest = state.publisher.range.earliest
        var isComplete = cursor >= earliest
        var count = 0
        search: while cursor < end, count < query.limit {
            let page = state.publisher.page(after: cursor)
            earliest = page.earliest
            if cursor < earliest { isComplete = false }
            if page.events.isEmpty { cursor = end }
            for publication in page.events {
                guard publication.position <= end else {
                    cursor = end
                    break search
                }
                cursor = publication.position
                guard query.filter.matches(publication.event) else { continue }
                writer.raw(publication.positioned)
                count += 1
                if count == query.limit { break search }
            }
        }
        writer.endArray()
        writer.member("position", cursor)
        writer.member("earliest_position", earliest)
        writer.member("complete", isComplete)
        writer.endObject()
        return .json(200, writer.bytes)
    }

    private func parse(_ pairs: [(name: String, value: String)]) throws(InvalidMember) -> Query {
        var query = Query()
        let (filter, others) = try EventFilter.parse(query: pairs)
        query.filter = filter
        // `after` is a position only; `since` a position or a time.
        let renamed = others.map { (name: $0.name == "after" ? "since" : $0.name, value: $0.value) }
        let (start, rest) = try SubscriptionStart.parse(query: renamed)
        query.start = start
        for (name, value) in rest {
            switch name {
            case "until":
                guard let until = StreamPosition(value) ?? Self.endOf(value) else {
                    throw InvalidMember(path: name, problem: "must be a position or an RFC 3339 time")
                }
                query.until = until
            case "limit":
                guard let limit = Int(value), (1...Self.maxEventsPerAnswer).contains(limit) else {
                    throw InvalidMember(path: name, problem: "must be from 1 to \(Self.maxEventsPerAnswer)")
                }
                query.limit = limit
            default:
                throw InvalidMember.unknownParameter(
                    name, others: ["after", "since", "last", "until", "limit"])
            }
        }
        return query
    }

    /// The last position of a moment.
    private static func endOf(_ time: String) -> StreamPosition? {
        Timestamp(rfc3339: time).map {
            StreamPosition(milliseconds: UInt64(clamping: $0.milliseconds), sequence: .max)
        }
    }
}

extension InvalidMember {
    /// A parameter of a query string that is neither a filter's nor one of `others`.
    static func unknownParameter(_ name: String, others: [String]) -> InvalidMember {
        InvalidMember(
            path: name,
            problem: "is no parameter here; expected one of "
                + (EventFilter.names + others).joined(separator: ", "))
    }
}

extension Publication {
    /// `{"position":…,"event":…}`: the message without its type.
    fileprivate var positioned: [UInt8] {
        let type = Array("\"type\":\"event\",".utf8)
        return [message[0]] + message[(1 + type.count)...]
    }
}
