import FIMLCore
import Testing

@testable import GatewayClient

@Suite("A subscriber with a session goes on where the gateway keeps it, and confirms what it has printed")
struct SessionTests {
    private static let name = SessionName("a-name-that-is-secret")!
    private static let filter = (try? EventFilter.parse(["min_severity": "high"])) ?? .everything

    private static func json(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    private static func connected() -> (Subscriber, first: [UInt8]) {
        var subscriber = Subscriber(filter: filter, start: .last(3), session: name)
        let first = subscriber.connected()
        return (subscriber, first)
    }

    private static func kept(_ filter: String = #"{"min_severity":"high"}"#, replaying: String = "2")
        -> String
    {
        #"{"type":"session_ack","id":1,"resumed":true,"position":"5-0","subscriptions":["#
            + #"{"subscription_id":"tail","filter":\#(filter),"position":"5-0","recovered":true,"#
            + #""replaying":\#(replaying)}]}"#
    }

    private static let event7 = #"{"type":"event","position":"7-0","event":{}}"#

    private static func sent(_ actions: [Subscriber.Action]) throws -> [ClientMessage] {
        try actions.compactMap { action in
            if case .send(let bytes) = action { try ClientMessage.parse(bytes) } else { nil }
        }
    }

    @Test("It names its session first, and subscribes where nothing is kept of it")
    func fresh() throws {
        var (subscriber, first) = Self.connected()
        #expect(try ClientMessage.parse(first) == .session(.init(id: .integer(1), name: Self.name)))
        let actions = subscriber.receive(
            try Self.json(
                #"{"type":"session_ack","id":1,"resumed":false,"position":"5-0","subscriptions":[]}"#))
        let expected = ClientMessage.Subscribe(
            id: .integer(1), subscriptionID: "tail", filter: Self.filter, snapshot: false, start: .last(3))
        #expect(try Self.sent(actions) == [.subscribe(expected)])
    }

    @Test("What is kept goes on as it is, or with the filter of this run")
    func goingOn() throws {
        for (filter, updates) in [(#"{"min_severity":"high"}"#, 0), ("{}", 1)] {
            var (subscriber, _) = Self.connected()
            let actions = subscriber.receive(try Self.json(Self.kept(filter)))
            #expect(actions.first == .note("replaying 2 events"))
            let sent = try Self.sent(actions)
            #expect(sent.count == updates)
            if case .updateSubscription(let id, let subscription, let filter)? = sent.first {
                #expect(id == .integer(2) && subscription == "tail" && filter == Self.filter)
            }
            // Its ack says nothing of where we are.
            _ = subscriber.receive(
                try Self.json(
                    #"{"type":"subscription_ack","id":2,"position":"99-0","recovered":true,"replaying":0}"#))
            #expect(subscriber.position == nil)
        }
    }

    @Test("An event that this run has printed is not printed again after a reconnection")
    func duplicates() throws {
        var (subscriber, _) = Self.connected()
        _ = subscriber.receive(try Self.json(Self.kept()))
        #expect(subscriber.receive(try Self.json(Self.event7)).count == 1)
        _ = subscriber.ended(.lost("x"), random: 0)
        _ = subscriber.connected()
        _ = subscriber.receive(try Self.json(Self.kept(replaying: "null")))
        #expect(subscriber.receive(try Self.json(Self.event7)) == [])
        let next = try Self.json(#"{"type":"event","position":"8-0","event":{}}"#)
        #expect(subscriber.receive(next) == [.event(next)])
    }

    @Test("Each heartbeat is confirmed, and the last that was printed when the user ends it")
    func confirming() throws {
        var (subscriber, _) = Self.connected()
        let heartbeat = try Self.json(#"{"type":"heartbeat","position":"6-0"}"#)
        #expect(subscriber.receive(heartbeat) == [] && subscriber.lastWord() == nil)
        _ = subscriber.receive(try Self.json(Self.kept()))
        let six = StreamPosition(milliseconds: 6, sequence: 0)
        #expect(try Self.sent(subscriber.receive(heartbeat)) == [.ack(id: nil, six)])
        _ = subscriber.receive(try Self.json(Self.event7))
        let seven = StreamPosition(milliseconds: 7, sequence: 0)
        #expect(try ClientMessage.parse(try #require(subscriber.lastWord())) == .ack(id: nil, seven))

        var plain = Subscriber(filter: .everything, start: .live)
        _ = plain.connected()
        _ = plain.receive(
            try Self.json(
                #"{"type":"subscription_ack","id":1,"position":"5-0","recovered":true,"replaying":0}"#))
        #expect(plain.receive(heartbeat) == [] && plain.lastWord() == nil)
    }

    @Test("A newer connection of the session ends it for good, and sessions that are away do not")
    func ends() throws {
        var (subscriber, _) = Self.connected()
        _ = subscriber.receive(try Self.json(Self.kept()))
        let taken = subscriber.ended(.closed(.sessionTaken, reason: "session taken over"), random: 0)
        #expect(taken == .fail(reason: "closed by the server: 4006 session taken over"))
        let away = subscriber.receive(
            try Self.json(
                #"{"type":"error","id":1,"error_code":"UNAVAILABLE","status":503,"message":"x","#
                    + #""retryable":true,"retry_after_ms":2000}"#))
        guard case .end(let end)? = away.first, case .connect = subscriber.ended(end, random: 0) else {
            Issue.record("gave up: \(away)")
            return
        }
    }

    @Test("The command line takes a name, and does not repeat one that is none")
    func option() throws {
        #expect(try TailOptions(["--session", Self.name.secret]).session == Self.name)
        #expect(try TailOptions([]).session == nil)
        let error = #expect(throws: UsageError.self) { try TailOptions(["--session", "secret but wrong"]) }
        #expect(error?.description.contains("secret") == false)
    }
}
