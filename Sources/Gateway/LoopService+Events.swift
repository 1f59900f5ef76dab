import EventLoop
import EventStore
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
    /// The largest body that may be under way beside others.
    private static let sideBySideBytes = 1 << 14

    // MARK: - POST /events

    /// Publications may be under way side by side: they are stored in the order of their requests, and what
    /// is published together costs subscribers less. Large ones may not, so that one connection does not have
    /// many megabytes under way; they are read elsewhere, and might be stored behind what came after them.
    func mayBeSideBySide(_ request: HTTPRequest) -> Bool {
        request.method == "POST" && request.path == "/events" && request.body.count <= Self.sideBySideBytes
    }

    func publishEvents(_ request: HTTPRequest, _ connection: Connection) -> Answer {
        if let refusal = Self.refusedContentType(request, "events") { return .response(refusal) }
        let answer = answerer(request, connection)
        if request.body.count <= Self.offloadBytes {
            if let submission = Self.submission(request.body, state, answer) {
                submissions.append(submission)
            }
        } else {
            Self.publishAway(request.body, state, answer)
        }
        return .later
    }

    /// Submits what was published in this turn, together.
    func submit() {
        guard !submissions.isEmpty else { return }
        state.publisher.journal.submit(submissions, .refuse)
        submissions.removeAll(keepingCapacity: true)
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
        let complete = answerer(request, connection)
        Task.detached { complete(await answer()) }
        return .later
    }

    /// What answers a request from any thread, if the connection is still there then.
    func answerer(
        _ request: HTTPRequest, _ connection: Connection
    ) -> @Sendable (HTTPResponse) -> Void {
        let token = connection.token
        let number = connection.requestNumber
        let mailbox = transport.mailbox
        return { response in
            mailbox.post(.task { loop in LoopService.complete(token, number, request, response, loop) })
        }
    }

    private static func complete(
        _ token: SlotToken, _ number: Int, _ request: HTTPRequest, _ response: HTTPResponse,
        _ loop: TransportLoop
    ) {
        guard let connection = loop[token], let service = loop.service as? LoopService else { return }
        var response = response
        service.allowOrigin(request, &response)
        service.count(request, response)
        loop.complete(connection, number, response)
    }

    private static func publishAway(
        _ body: [UInt8], _ state: GatewayState, _ answer: @escaping @Sendable (HTTPResponse) -> Void
    ) {
        Task.detached {
            guard let submission = submission(body, state, answer) else { return }
            state.publisher.journal.submit([submission], .refuse)
        }
    }

    /// What a body publishes, and how it is answered once that is stored; nil where it was refused.
    private static func submission(
        _ body: [UInt8], _ state: GatewayState, _ answer: @escaping @Sendable (HTTPResponse) -> Void
    ) -> (Submission, answer: @Sendable (EventJournal.Outcome) -> Void)? {
        let events: [WatchdogEvent]
        do throws(PublishRefusal) {
            events = try parse(body, receivedAt: state.now())
        } catch {
            answer(.problem(error.code, error.detail))
            return nil
        }
        let isShared = state.publisher.journal.isShared
        return (
            Submission(events: events), { outcome in answer(response(outcome, events, isShared: isShared)) }
        )
    }

    private static func response(
        _ outcome: EventJournal.Outcome, _ events: [WatchdogEvent], isShared: Bool
    ) -> HTTPResponse {
        switch outcome {
        case .stored(let positions), .told(let positions): accepted(events, positions)
        case .fenced: tryAgain("the event store did not take it", after: 1)
        // The answer of a server may have been lost after it had stored.
        case .refused(let reason) where isShared:
            tryAgain("not known to be stored: \(reason); sent again, keep its event_id", after: 5)
        case .refused(let reason): tryAgain("not stored, so not published: \(reason)", after: 5)
        case .overloaded:
            tryAgain("the store or subscribers are too far behind; try again in a second", after: 1)
        }
    }

    private static func tryAgain(_ detail: String, after seconds: Int) -> HTTPResponse {
        var response = HTTPResponse.problem(.unavailable, detail)
        response.fields.append("Retry-After", "\(seconds)")
        return response
    }

    private static func accepted(_ events: [WatchdogEvent], _ positions: [StreamPosition]) -> HTTPResponse {
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

    /// Answers at once what memory holds, and later what has to be read from the store.
    func readEvents(_ request: HTTPRequest, _ connection: Connection) -> Answer {
        let query: EventQuery
        do throws(InvalidMember) {
            query = try EventQuery(request.query)
        } catch {
            return .response(.problem(.invalidFilter, error.message))
        }
        let journal = state.publisher.journal
        if let answer = query.answer(inMemoryOf: journal) { return .response(.json(200, answer)) }
        let complete = answerer(request, connection)
        let isTaken = journal.onSearcher { journal in
            do throws(StoreError) {
                complete(.json(200, try query.answer(from: journal)))
            } catch {
                complete(Self.tryAgain("stored events cannot be read: \(error)", after: 5))
            }
        }
        return isTaken ? .later : .response(Self.tryAgain("too many wait for stored events", after: 1))
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
