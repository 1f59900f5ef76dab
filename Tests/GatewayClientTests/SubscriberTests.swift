import FIMLCore
import Testing
import WebSocket

@testable import GatewayClient

@Suite("A subscriber resumes where it was, and says what it lost")
struct SubscriberTests {
    private static func json(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    /// A subscriber that has received these messages on its first connection.
    private static func subscriber(_ messages: [String], start: SubscriptionStart = .live) throws
        -> Subscriber
    {
        var subscriber = Subscriber(filter: .everything, start: start)
        _ = subscriber.connected()
        for message in messages { _ = subscriber.receive(try json(message)) }
        return subscriber
    }

    private static let live = #"{"type":"subscription_ack","position":"5-0","recovered":true,"replaying":0}"#
    private static let replaying =
        #"{"type":"subscription_ack","position":"5-0","recovered":true,"replaying":2}"#

    private static let starts: [(SubscriptionStart, String)] = [
        (.live, ""), (.last(3), #","last":3"#),
        (.after(StreamPosition(milliseconds: 7, sequence: 1)), #","since":"7-1""#),
        (.since(Timestamp(milliseconds: 0)), #","since":"1970-01-01T00:00:00.000Z""#),
    ]

    @Test(
        "The first subscription begins where the user said, and the server's own parser takes it",
        arguments: starts)
    func firstSubscription(start: SubscriptionStart, member: String) throws {
        var subscriber = Subscriber(filter: .everything, start: start)
        let message = subscriber.connected()
        #expect(
            String(decoding: message, as: UTF8.self)
                == #"{"type":"subscribe","id":1,"subscription_id":"tail","filter":{}\#(member)}"#)
        let expected = ClientMessage.Subscribe(
            id: .integer(1), subscriptionID: "tail", filter: .everything, snapshot: false, start: start)
        #expect(try ClientMessage.parse(message) == .subscribe(expected))
    }

    private static let positions: [(String, [String], String?)] = [
        ("an ack with nothing to replay", [live], "5-0"),
        ("an ack before a replay says nothing yet", [replaying], nil),
        ("an event", [live, #"{"type":"event","position":"6-0","event":{}}"#], "6-0"),
        ("an event within a replay", [replaying, #"{"type":"event","position":"3-0","event":{}}"#], "3-0"),
        ("a heartbeat", [live, #"{"type":"heartbeat","position":"9-0"}"#], "9-0"),
        ("a heartbeat before the ack is not ours", [#"{"type":"heartbeat","position":"9-0"}"#], nil),
        (
            "a heartbeat within a replay is not ours",
            [replaying, #"{"type":"heartbeat","position":"9-0"}"#], nil
        ),
        ("the end of a replay", [replaying, #"{"type":"replay_complete","position":"5-0"}"#], "5-0"),
        (
            "a recovery that failed",
            [
                #"{"type":"subscription_ack","position":"8-0","recovered":false,"reason":"window_exceeded"}"#
            ], "8-0"
        ),
        ("welcome is no position", [#"{"type":"welcome","position":"9-0"}"#], nil),
        ("a position that is none", [live, #"{"type":"event","position":7}"#], "5-0"),
        (
            "a position without end",
            [live, #"{"type":"event","position":"\#(String(repeating: "9", count: 65))"}"#], "5-0"
        ),
    ]

    @Test(
        "The position is the last that was seen, and the next subscription begins there", arguments: positions
    )
    func position(name: String, messages: [String], position: String?) throws {
        var subscriber = try Self.subscriber(messages, start: .last(3))
        #expect(subscriber.position == position)
        let next = try JSONValue.parse(subscriber.connected())
        #expect(next["since"]?.text == position)
        #expect(next["last"]?.int64 == (position == nil ? 3 : nil))
    }

    private static let notesCases: [(String, String?)] = [
        (
            #"{"type":"gap","from_position":"1-0","to_position":"2-0","dropped":212,"by_severity":"#
                + #"{"low":180,"medium":32,"high":0},"reason":"slow_consumer","#
                + #""backfill":"/events?after=1-0"}"#,
            "gap: 212 events were not delivered (slow_consumer: medium 32, low 180), 1-0 to 2-0; "
                + "GET /events?after=1-0 has them"
        ),
        (
            #"{"type":"subscription_ack","position":"8-0","recovered":false,"reason":"window_exceeded"}"#,
            "not recovered (window_exceeded): events may be missing; going on from 8-0"
        ),
        (replaying, "replaying 2 events"),
        (#"{"type":"replay_complete","position":"8-0","events_sent":2}"#, "replay complete: 2 events"),
        (
            #"{"type":"status","scope":"watchdog","name":"funding_rate","state":"stale","#
                + #""previous_state":"healthy","reason":"no data"}"#,
            "watchdog funding_rate is stale (was healthy): no data"
        ),
        (
            #"{"type":"error","error_code":"RATE_LIMITED","message":"slowly","retryable":true}"#,
            "the server says RATE_LIMITED: slowly"
        ),
        (#"{"type":"gap"}"#, "gap: ? events were not delivered (?: ), ? to ?; GET ? has them"),
        (#"{"type":"replay_complete","position":"8-0","events_sent":0}"#, nil),
        (#"{"type":"something_new","x":1}"#, nil), (#"{"x":1}"#, nil), ("[1]", nil), ("7", nil),
    ]

    @Test("Loss and recovery are told in one line; what is unknown is ignored", arguments: notesCases)
    func notes(message: String, note: String?) throws {
        var subscriber = Subscriber(filter: .everything, start: .live)
        _ = subscriber.connected()
        #expect(try subscriber.receive(Self.json(message)) == (note.map { [.note($0)] } ?? []))
    }

    private static let heartbeats: [(String, Int)] = [
        ("15", 37_500), ("2", 5000), ("0", 2500), ("-1e300", 2500), ("1e300", 9_000_000), ("\"x\"", 37_500),
    ]

    @Test("Silence of 2.5 heartbeats is death", arguments: heartbeats)
    func silence(seconds: String, milliseconds: Int) throws {
        var subscriber = try Self.subscriber([#"{"type":"welcome","heartbeat_seconds":\#(seconds)}"#])
        #expect(subscriber.silenceLimitMilliseconds == milliseconds)
        _ = subscriber.connected()
        #expect(subscriber.silenceLimitMilliseconds == 10_000)
    }

    @Test("A refused subscription ends the program, unless it is worth another attempt")
    func refused() throws {
        var subscriber = Subscriber(filter: .everything, start: .live)
        _ = subscriber.connected()
        let refusal =
            #"{"type":"error","id":1,"error_code":"INVALID_FILTER","message":"no","retryable":false}"#
        #expect(try subscriber.receive(Self.json(refusal)) == [.end(.hopeless("INVALID_FILTER: no"))])
        let later =
            #"{"type":"error","id":1,"error_code":"UNAVAILABLE","status":503,"message":"busy","#
            + #""retryable":true,"retry_after_ms":1500}"#
        let end = ConnectionEnd.refused(status: 503, reason: "UNAVAILABLE: busy", retryAfterSeconds: 2)
        #expect(try subscriber.receive(Self.json(later)) == [.end(end)])
        #expect(
            subscriber.ended(end, random: 0)
                == .connect(afterMilliseconds: 2000, reason: "refused: UNAVAILABLE: busy"))
    }
}
