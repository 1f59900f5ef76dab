import FIMLCore
import Testing

@Suite("What clients send is read, or refused with a code, a sentence and the request's id")
struct ClientMessageTests {
    private static func read(_ text: String) throws -> ClientMessage {
        try ClientMessage.parse(Array(text.utf8))
    }

    private static let position = StreamPosition(milliseconds: 1_732_416_000_123, sequence: 0)

    @Test(
        "Every type of message is read",
        arguments: [
            (#"{"type":"ping","id":6}"#, .ping(id: .integer(6))), (#"{"type":"ping"}"#, .ping(id: nil)),
            (#"{"type":"ping","id":null}"#, .ping(id: nil)),
            (#"{"type":"ping","id":"é"}"#, .ping(id: .text("é"))),
            (#"{"type":"list_subscriptions","id":5}"#, .listSubscriptions(id: .integer(5))),
            (
                #"{"type":"unsubscribe","id":4,"subscription_id":"a"}"#,
                .unsubscribe(id: .integer(4), subscriptionID: "a")
            ),
            (
                #"{"type":"update_subscription","id":3,"subscription_id":"a","filter":{}}"#,
                .updateSubscription(id: .integer(3), subscriptionID: "a", filter: .everything)
            ),
            (#"{"type":"auth","id":1,"token":"x"}"#, .notYetAvailable(type: "auth", id: .integer(1))),
            (
                #"{"type":"analyze","id":7,"asset":{"symbol":"aapl","asset_type":"equity"},"#
                    + #""agents":["technical","risk"]}"#,
                .analyze(
                    id: .integer(7),
                    AnalysisRequest(
                        asset: Asset(symbol: "AAPL", assetType: .equity), agents: [.technical, .risk]))
            ),
            (
                #"{"type":"analyze","asset":{"symbol":"BTC","asset_type":"crypto","market":"CRYPTO"},"#
                    + #""agents":null}"#,
                .analyze(
                    id: nil,
                    AnalysisRequest(asset: Asset(symbol: "BTC", assetType: .crypto, market: .crypto)))
            ),
            (
                #"{"type":"session","id":1,"session":"desk-3_kJ8s.w2mQ"}"#,
                .session(.init(id: .integer(1), name: SessionName("desk-3_kJ8s.w2mQ")!))
            ),
            (
                #"{"type":"session","session":"\#(String(repeating: "a", count: 128))","ttl_hours":72}"#,
                .session(
                    .init(
                        id: nil, name: SessionName(String(repeating: "a", count: 128))!, ttlHours: 72))
            ),
            (#"{"type":"ack","position":"1732416000123-0"}"#, .ack(id: nil, position)),
            (#"{"type":"end_session","id":10}"#, .endSession(id: .integer(10))),
            (#"{"type":"health","scope":"watchdogs"}"#, .health(id: nil, .watchdogs)),
            (#"{"type":"health","id":"h","scope":"workers"}"#, .health(id: .text("h"), .workers)),
            (#"{"type":"health","scope":"providers"}"#, .health(id: nil, .providers)),
            (
                #"{"type":"subscribe","subscription_id":"a"}"#,
                .subscribe(
                    .init(id: nil, subscriptionID: "a", filter: .everything, snapshot: false, start: .live))
            ),
            (
                #"{"type":"subscribe","id":2,"subscription_id":"q é","filter":null,"snapshot":true,"#
                    + #""since":"1732416000123-0"}"#,
                .subscribe(
                    .init(
                        id: .integer(2), subscriptionID: "q é", filter: .everything, snapshot: true,
                        start: .after(position)))
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","since":"1970-01-01T00:00:01Z"}"#,
                .subscribe(
                    .init(
                        id: nil, subscriptionID: "a", filter: .everything, snapshot: false,
                        start: .since(.init(milliseconds: 1000))))
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","last":1000}"#,
                .subscribe(
                    .init(
                        id: nil, subscriptionID: "a", filter: .everything, snapshot: false, start: .last(1000)
                    ))
            ),
        ] as [(String, ClientMessage)])
    func valid(text: String, message: ClientMessage) throws {
        #expect(try Self.read(text) == message)
    }

    @Test("The protocol's example of a subscription is read")
    func example() throws {
        let message = try Self.read(
            #"""
            {"type":"subscribe","id":2,"subscription_id":"crypto-high","filter":{"min_severity":"high",
            "severities":null,
            "watchdogs":["whale_movement","price_anomaly"],"event_types":null,"assets":["BTC","ETH*"],
            "asset_types":["crypto"],"include_market_wide":true,"where":{"op":"or","nodes":[
            {"key":"type","cmp":"neq","val":"whale_movement"},
            {"key":"data.usd_value","cmp":"gte","val":5000000}]}},
            "snapshot":true,"since":"1732416000123-0"}
            """#)
        guard case .subscribe(let subscribe) = message else {
            Issue.record("read as \(message)")
            return
        }
        #expect(subscribe.start == .after(Self.position))
        #expect(subscribe.filter.matches(try whale()))
    }

    @Test(
        "What is wrong is answered",
        arguments: [
            ("{", .invalidJSON, nil, "the text ends too early at line 1, column 2"),
            ("[]", .invalidMessage, nil, "a message must be an object"),
            ("{}", .invalidMessage, nil, "type must be a string"),
            (#"{"type":5,"id":1}"#, .invalidMessage, .integer(1), "type must be a string"),
            (
                #"{"type":"subscibe","id":1}"#, .invalidMessageType, .integer(1),
                "unknown message type 'subscibe' at type; expected one of auth, subscribe, "
                    + "update_subscription, unsubscribe, list_subscriptions, ping, analyze, health, session, "
                    + "ack, end_session"
            ),
            (
                #"{"type":"ping","id":1.5}"#, .invalidMessage, nil,
                "id must be a string of 1 to 64 characters or an integer"
            ),
            (#"{"type":"ping","id":""}"#, .invalidMessage, nil, "id must be"),
            (#"{"type":"ping","id":{}}"#, .invalidMessage, nil, "id must be"),
            (
                #"{"type":"ping","id":"\#(String(repeating: "x", count: 65))"}"#, .invalidMessage, nil,
                "id must be"
            ),
            (
                #"{"type":"ping","id":"a","x":1}"#, .invalidMessage, .text("a"),
                "unknown member 'x'; expected one of type, id"
            ),
            (#"{"type":"subscribe","id":1}"#, .invalidMessage, .integer(1), "subscription_id is required"),
            (
                #"{"type":"subscribe","subscription_id":""}"#, .invalidMessage, nil,
                "subscription_id must be a string of 1 to 64 characters"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a\nb"}"#, .invalidMessage, nil,
                "subscription_id must not contain control characters"
            ),
            (
                #"{"type":"subscribe","subscription_id":7}"#, .invalidMessage, nil,
                "subscription_id must be a string"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","filters":{}}"#, .invalidMessage, nil,
                "unknown member 'filters'"
            ),
            (
                #"{"type":"subscribe","id":2,"subscription_id":"a","filter":{"where":{"key":"type","#
                    + #""cmp":"ge"}}}"#,
                .invalidFilter, .integer(2), "unknown comparison 'ge' at filter.where.cmp"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","filter":[]}"#, .invalidFilter, nil,
                "filter must be an object"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","snapshot":1}"#, .invalidMessage, nil,
                "snapshot must be true or false"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","since":"1-0","last":1}"#, .invalidMessage, nil,
                "last must not be given together with since"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","since":5}"#, .invalidMessage, nil,
                "since must be a position or a time of RFC 3339"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","last":1001}"#, .invalidMessage, nil,
                "last must be a whole number from 0 to 1000"
            ),
            (
                #"{"type":"subscribe","subscription_id":"a","last":-1}"#, .invalidMessage, nil,
                "last must be a whole number"
            ),
            (
                #"{"type":"update_subscription","subscription_id":"a"}"#, .invalidFilter, nil,
                "filter is required; {} lets every event pass"
            ),
            (#"{"type":"unsubscribe","id":3}"#, .invalidMessage, .integer(3), "subscription_id is required"),
            (#"{"type":"analyze","id":7}"#, .invalidMessage, .integer(7), "asset is required"),
            (
                #"{"type":"analyze","asset":{"symbol":"AAPL"}}"#, .invalidMessage, nil,
                "asset.asset_type is required"
            ),
            (
                #"{"type":"analyze","asset":"AAPL"}"#, .invalidMessage, nil, "asset must be an object"
            ),
            (
                #"{"type":"analyze","asset":{"symbol":"A","asset_type":"equity"},"wait":true}"#,
                .invalidMessage, nil, "unknown member 'wait'; expected one of type, id, asset, agents"
            ),
            (#"{"type":"health","id":8}"#, .invalidMessage, .integer(8), "scope is required"),
            (
                #"{"type":"health","scope":"cache"}"#, .invalidMessage, nil,
                "unknown name 'cache' at scope; expected one of watchdogs, workers, providers"
            ),
            (#"{"type":"session","id":1}"#, .invalidMessage, .integer(1), "session must be 16 to 128"),
            (#"{"type":"session","session":"fifteen-letters"}"#, .invalidMessage, nil, "session must be"),
            (
                #"{"type":"session","session":"\#(String(repeating: "a", count: 129))"}"#, .invalidMessage,
                nil, "session must be"
            ),
            (
                #"{"type":"session","session":"sixteen letters!"}"#, .invalidMessage, nil,
                "session must be 16 to 128 of the characters A-Z a-z 0-9 . _ -; draw it at random"
            ),
            (
                #"{"type":"session","session":"sixteen-letters.","ttl_hours":0}"#, .invalidMessage, nil,
                "ttl_hours must be a whole number from 1 to 8784"
            ),
            (
                #"{"type":"session","session":"sixteen-letters.","ttl":1}"#, .invalidMessage, nil,
                "unknown member 'ttl'; expected one of type, id, session, ttl_hours"
            ),
            (#"{"type":"ack","id":9}"#, .invalidMessage, .integer(9), "position must be a position"),
            (#"{"type":"ack","position":"7"}"#, .invalidMessage, nil, "position must be a position"),
            (
                #"{"type":"end_session","session":"x"}"#, .invalidMessage, nil, "unknown member 'session'"
            ),
        ] as [(String, ErrorCode, RequestID?, String)])
    func wrong(text: String, code: ErrorCode, id: RequestID?, message: String) {
        let error = #expect(throws: ClientMessageError.self) { try Self.read(text) }
        #expect(error?.code == code)
        #expect(error?.id == id)
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "none")")
    }

    @Test("A query string names a session beside its filter")
    func query() throws {
        let name = try #require(SessionName("sixteen-letters."))
        let (session, rest) = try ClientMessage.Session.parse(query: [
            ("assets", "BTC"), ("session", "sixteen-letters."), ("ttl_hours", "3"), ("last", "1"),
        ])
        #expect(session == .init(id: nil, name: name, ttlHours: 3))
        #expect(rest.map(\.name) == ["assets", "last"])
        #expect(try ClientMessage.Session.parse(query: [("assets", "BTC")]).session == nil)
        for wrong in [
            [("session", "short")], [("ttl_hours", "3")],
            [("session", "sixteen-letters."), ("session", "sixteen-letters-")],
            [("session", "sixteen-letters."), ("ttl_hours", "x")],
        ] {
            #expect(throws: InvalidMember.self) {
                try ClientMessage.Session.parse(query: wrong.map { (name: $0.0, value: $0.1) })
            }
        }
    }

    @Test("A session's name does not get into a text as a whole")
    func secret() throws {
        let name = try #require(SessionName("abcd-this-is-the-secret"))
        #expect("\(name)" == "abcd…")
        #expect(String(reflecting: name) == "abcd…")
        var dumped = ""
        dump(ClientMessage.session(.init(id: nil, name: name)), to: &dumped)
        #expect(!dumped.contains("secret"))
    }

    @Test("Each error code has the status that the protocol gives it")
    func statuses() {
        let byStatus = [
            400: [
                "INVALID_JSON", "INVALID_MESSAGE_TYPE", "INVALID_MESSAGE", "INVALID_FILTER",
                "SUBSCRIPTION_ERROR",
            ],
            401: ["NOT_AUTHENTICATED", "AUTH_FAILED", "TOKEN_EXPIRED"],
            403: ["PERMISSION_DENIED", "SUBSCRIPTION_LIMIT_EXCEEDED"],
            404: ["UNSUBSCRIBE_ERROR", "NOT_FOUND"],
            408: ["AUTH_TIMEOUT"], 409: ["ALREADY_SUBSCRIBED", "SESSION_TAKEN"], 413: ["MESSAGE_TOO_LARGE"],
            429: ["RATE_LIMITED"],
            500: ["PROCESSING_ERROR"], 503: ["UNAVAILABLE"],
        ]
        #expect(
            Dictionary(grouping: ErrorCode.allCases, by: \.status).mapValues { $0.map(\.rawValue) }
                == byStatus)
    }
}
