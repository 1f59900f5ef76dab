import FIMLCore
import Testing

@Suite("What the server sends is written in the protocol's order of members")
struct ServerMessageTests {
    private static let now = Timestamp(milliseconds: 1_795_497_841_123)
    private static let one = StreamPosition(milliseconds: 1_732_416_000_123, sequence: 0)
    private static let two = StreamPosition(milliseconds: 1_732_416_001_104, sequence: 7)

    @Test("welcome")
    func welcome() {
        var welcome = Welcome(
            connectionID: "c_1", serverID: "gw-1", version: "0.1.0", timestamp: Self.now, position: Self.two,
            earliestPosition: Self.one, heartbeatSeconds: 15, authenticated: true,
            limits: ConnectionLimits(
                maxMessageBytes: 16384, maxSubscriptions: 64, maxRequestsPerSecond: 10,
                sendQueueBytes: 1_048_576))
        let expected = #"""
            {"type":"welcome","protocol":"fiml.v1.json","connection_id":"c_1",\#
            "server_id":"gw-1","version":"0.1.0",\#
            "timestamp":"2026-11-24T05:24:01.123Z","position":"1732416001104-7",\#
            "earliest_position":"1732416000123-0","heartbeat_seconds":15,"authenticated":true,\#
            "limits":{"max_message_bytes":16384,"max_subscriptions":64,"max_requests_per_second":10,\#
            "send_queue_bytes":1048576}}
            """#
        #expect(text(ServerMessage.welcome(welcome)) == expected)
        welcome.earliestPosition = nil
        #expect(text(ServerMessage.welcome(welcome)).contains(#""earliest_position":null"#))
    }

    @Test("event is the event in an envelope, and nothing of a connection")
    func event() throws {
        let message = ServerMessage.event(position: Self.two, event: try whale().event)
        #expect(text(message) == #"{"type":"event","position":"1732416001104-7","event":\#(whaleText)}"#)
    }

    @Test("subscription_ack says whether everything asked for arrives")
    func acks() {
        func ack(_ id: RequestID?, _ recovery: Recovery) -> String {
            text(
                ServerMessage.subscriptionAck(
                    id: id, subscriptionID: "a\"b", position: Self.one, recovery: recovery,
                    timestamp: Self.now))
        }
        let tail = #""timestamp":"2026-11-24T05:24:01.123Z"}"#
        let head = #""subscription_id":"a\"b","position":"1732416000123-0","#
        #expect(
            ack(.integer(2), .recovered(replaying: 2))
                == #"{"type":"subscription_ack","id":2,\#(head)"recovered":true,"replaying":2,\#(tail)"#)
        #expect(
            ack(nil, .lost(.windowExceeded))
                == #"{"type":"subscription_ack",\#(head)"recovered":false,"reason":"window_exceeded","#
                + #""replaying":0,\#(tail)"#
        )
        #expect(ack(.text("x"), .lost(.positionUnknown)).contains(#""id":"x""#))
    }

    @Test("snapshot and replay_complete")
    func replay() throws {
        let event = PositionedEvent(position: Self.two, event: try whale().event)
        #expect(
            text(
                ServerMessage.snapshot(
                    subscriptionID: "a", position: Self.one, events: [event, event], complete: false))
                == #"{"type":"snapshot","subscription_id":"a","position":"1732416000123-0","events":["#
                + #"{"position":"1732416001104-7","event":\#(whaleText)},{"position":"1732416001104-7","#
                + #""event":\#(whaleText)}"#
                + #"],"complete":false}"#)
        #expect(
            text(ServerMessage.replayComplete(subscriptionID: "a", position: Self.one, eventsSent: 2))
                == #"{"type":"replay_complete","subscription_id":"a","position":"1732416000123-0","#
                + #""events_sent":2}"#
        )
    }

    @Test("gap counts by severity")
    func gap() {
        var dropped = SeverityCounts()
        dropped[.low] = 180
        dropped[.medium] = 32
        #expect(
            text(
                ServerMessage.gap(
                    from: Self.one, to: Self.two, dropped: dropped, reason: "slow_consumer",
                    backfill: "/events?after=1-0"))
                == #"{"type":"gap","from_position":"1732416000123-0","to_position":"1732416001104-7","#
                + #""dropped":212,"#
                + #""by_severity":{"low":180,"medium":32,"high":0,"critical":0},"reason":"slow_consumer","#
                + #""backfill":"/events?after=1-0"}"#)
    }

    @Test("heartbeat and status")
    func health() {
        let counts = WatchdogCounts(total: 8, healthy: 7, stale: 1, blind: [.fundingRate])
        #expect(
            text(
                ServerMessage.heartbeat(
                    timestamp: Self.now, position: Self.one, eventsSent: 41, eventsDropped: 212,
                    activeSubscriptions: 1, watchdogs: counts))
                == #"{"type":"heartbeat","timestamp":"2026-11-24T05:24:01.123Z","#
                + #""position":"1732416000123-0","#
                + #""events_sent":41,"events_dropped":212,"active_subscriptions":1,"watchdogs":{"total":8,"#
                + #""healthy":7,"#
                + #""degraded":0,"unhealthy":0,"stale":1,"disabled":0,"blind":["funding_rate"]}}"#)
        #expect(
            text(
                ServerMessage.status(
                    timestamp: Self.now, scope: "watchdog", name: "funding_rate", state: "stale",
                    previousState: "healthy", reason: "no input"))
                == #"{"type":"status","timestamp":"2026-11-24T05:24:01.123Z","scope":"watchdog","#
                + #""name":"funding_rate","#
                + #""state":"stale","previous_state":"healthy","reason":"no input"}"#)
    }

    @Test("unsubscribe_ack, subscriptions, pong")
    func answers() throws {
        #expect(
            text(ServerMessage.unsubscribeAck(id: .integer(4), subscriptionID: "a", position: Self.one))
                == #"{"type":"unsubscribe_ack","id":4,"subscription_id":"a","position":"1732416000123-0"}"#)
        let critical = try EventFilter.parse(["min_severity": "critical"])
        #expect(
            text(
                ServerMessage.subscriptions(
                    id: .integer(5),
                    subscriptions: [
                        (subscriptionID: "a", filter: critical), (subscriptionID: "b", filter: .everything),
                    ]))
                == #"{"type":"subscriptions","id":5,"subscriptions":["#
                + #"{"subscription_id":"a","filter":{"min_severity":"critical"}},{"subscription_id":"b","#
                + #""filter":{}}]}"#
        )
        #expect(
            text(ServerMessage.pong(id: nil, timestamp: Self.now))
                == #"{"type":"pong","timestamp":"2026-11-24T05:24:01.123Z"}"#)
    }

    @Test("session_ack says of each subscription whether everything arrives")
    func sessions() throws {
        let critical = try EventFilter.parse(["min_severity": "critical"])
        func kept(_ id: String, _ recovery: Recovery) -> SessionAck.Subscription {
            .init(
                kept: .init(subscriptionID: id, filter: critical, position: Self.one), recovery: recovery)
        }
        let ack = SessionAck(
            resumed: true, position: Self.one, ttlSeconds: 3600,
            expiresAt: Self.now.adding(seconds: 3600),
            subscriptions: [kept("a", .recovered(replaying: 2)), kept("b", .lost(.windowExceeded))],
            dropped: [.init(subscriptionID: "c", message: "x")], timestamp: Self.now)
        let filter = #""filter":{"min_severity":"critical"},"position":"1732416000123-0""#
        #expect(
            text(ServerMessage.sessionAck(id: .integer(1), ack))
                == #"{"type":"session_ack","id":1,"resumed":true,"position":"1732416000123-0","#
                + #""ttl_seconds":3600,"expires_at":"2026-11-24T06:24:01.123Z","subscriptions":["#
                + #"{"subscription_id":"a",\#(filter),"recovered":true,"replaying":2},"#
                + #"{"subscription_id":"b",\#(filter),"recovered":false,"reason":"window_exceeded","#
                + #""replaying":0}],"dropped":[{"subscription_id":"c","message":"x"}],"#
                + #""timestamp":"2026-11-24T05:24:01.123Z"}"#)
        #expect(
            text(ServerMessage.endSessionAck(id: .integer(10), timestamp: Self.now))
                == #"{"type":"end_session_ack","id":10,"timestamp":"2026-11-24T05:24:01.123Z"}"#)
    }

    @Test("task_update, analysis and health")
    func analyses() {
        var update = TaskUpdate(
            taskID: "task_1", symbol: "AAPL", status: "running", progress: 0.5, completedSteps: 1,
            totalSteps: 2,
            step: .init(worker: .technical, status: "completed", durationMilliseconds: 182, score: 7.5))
        let head = #"{"type":"task_update","id":7,"task_id":"task_1","asset":"AAPL","status":"#
        #expect(
            text(ServerMessage.taskUpdate(id: .integer(7), update))
                == head + #""running","progress":0.5,"completed_steps":1,"total_steps":2,"step":"#
                + #"{"worker":"technical","status":"completed","duration_ms":182,"score":7.5}}"#)
        update.step?.score = nil
        #expect(text(ServerMessage.taskUpdate(id: nil, update)).hasSuffix(#""score":null}}"#))
        update.step = nil
        #expect(text(ServerMessage.taskUpdate(id: nil, update)).hasSuffix(#""step":null}"#))
        #expect(
            text(ServerMessage.analysis(id: nil, taskID: "task_1", result: Array(#"{"a":1}"#.utf8)))
                == #"{"type":"analysis","task_id":"task_1","result":{"a":1}}"#)
        #expect(
            text(ServerMessage.health(id: .text("h"), scope: .workers, summary: Array("{}".utf8)))
                == #"{"type":"health","id":"h","scope":"workers","summary":{}}"#)
    }

    @Test("error and going_away")
    func ends() {
        #expect(
            text(
                ServerMessage.error(
                    id: .integer(2), code: .rateLimited, message: "x", retryAfterMilliseconds: 100,
                    details: ["b": 1, "a": 2], timestamp: Self.now))
                == #"{"type":"error","id":2,"error_code":"RATE_LIMITED","status":429,"message":"x","#
                + #""retryable":true,"#
                + #""retry_after_ms":100,"details":{"a":2,"b":1},"timestamp":"2026-11-24T05:24:01.123Z"}"#)
        #expect(
            text(ServerMessage.error(id: nil, code: .invalidFilter, message: "x", timestamp: Self.now))
                == #"{"type":"error","error_code":"INVALID_FILTER","status":400,"message":"x","#
                + #""retryable":false,"#
                + #""retry_after_ms":null,"details":{},"timestamp":"2026-11-24T05:24:01.123Z"}"#)
        #expect(
            text(
                ServerMessage.goingAway(
                    reason: "drain", reconnectAfterMilliseconds: 4210, position: Self.one, timestamp: Self.now
                ))
                == #"{"type":"going_away","reason":"drain","reconnect_after_ms":4210,"#
                + #""position":"1732416000123-0","#
                + #""timestamp":"2026-11-24T05:24:01.123Z"}"#)
    }
}
