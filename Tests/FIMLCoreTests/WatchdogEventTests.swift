@testable import FIMLCore
import Testing

@Suite("Events from outside are checked, and complete once they are in")
struct WatchdogEventTests {
    @Test("An event with every member reads and writes back byte for byte, in the protocol's order")
    func whole() throws {
        #expect(text(try event(whaleText).json) == whaleText)
        let full = whaleText.replacing(
            "\"currency\":\"USD\"}",
            with: "\"exchange\":\"binance\",\"currency\":\"USDT\",\"pair\":\"BTCUSDT\"}"
        )
        .replacing("\"symbol\":\"BTC\",", with: "\"symbol\":\"BTC\",\"name\":\"Bitcoin\",")
        .replacing("\"observed\":27101250.0}", with: "\"observed\":27101250.0,\"window_seconds\":60}")
        .replacing("\"ends_at\":null", with: "\"ends_at\":\"2026-11-24T05:25:00.000Z\"")
        #expect(text(try event(full).json) == full)
    }

    @Test("The least event gets its defaults")
    func defaults() throws {
        let least =
            #"{"type":"price_anomaly","severity":"high","watchdog":"price_anomaly","description":"x"}"#
        let expected = #"""
            {"event_id":"evt_new","type":"price_anomaly","severity":"high","status":"firing",\#
            "fingerprint":"\#(Fingerprint.of(watchdog: .priceAnomaly, type: .priceAnomaly, assets: []))",\#
            "watchdog":"price_anomaly","asset":null,"assets":[],"description":"x","data":{},"evidence":null,\#
            "timestamp":"2026-11-24T05:24:01.000Z","starts_at":"2026-11-24T05:24:01.000Z",\#
            "ends_at":null,"metadata":{}}
            """#
        #expect(text(try event(least).json) == expected)
        let nulls =
            least.dropLast() + #","asset":null,"assets":null,"data":null,"event_id":null,"evidence":null}"#
        #expect(text(try event(String(nulls)).json) == expected)
    }

    @Test(
        "What is given decides what is not",
        arguments: [
            (
                #""asset":{"symbol":"btc","asset_type":"crypto"}"#,
                #""asset_type":"crypto","market":"US","currency":"USD"}"#
            ),
            (#""asset":{"symbol":"btc","asset_type":"crypto"}"#, #""assets":["BTC"]"#),
            (#""asset":{"symbol":"BTC","asset_type":"crypto"},"assets":["eth"]"#, #""assets":["BTC","ETH"]"#),
            (
                #""asset":{"symbol":"BTC","asset_type":"crypto"},"assets":["ETH","BTC","eth"]"#,
                #""assets":["ETH","BTC"]"#
            ),
            (#""assets":["BTC","SPY"]"#, #""asset":null,"assets":["BTC","SPY"]"#),
            (#""assets":[]"#, #""assets":[]"#),
            (
                #""timestamp":"2026-01-01T00:00:00Z""#,
                #""starts_at":"2026-01-01T00:00:00.000Z","ends_at":null"#
            ),
            (
                #""status":"resolved","timestamp":"2026-01-01T00:00:00Z""#,
                #""ends_at":"2026-01-01T00:00:00.000Z""#
            ),
            (#""status":"updated""#, #""status":"updated""#),
            (#""fingerprint":"00ff00ff00ff00ff""#, #""fingerprint":"00ff00ff00ff00ff""#),
        ])
    func dependent(members: String, written: String) throws {
        let event = try event(
            #"{"type":"price_anomaly","severity":"high","watchdog":"price_anomaly","description":"x","#
                + #"\#(members)}"#
        )
        #expect(text(event.json).contains(written))
    }

    @Test(
        "What is wrong is named",
        arguments: [
            (#""colour":1"#, "unknown member 'colour'; expected one of event_id, type, severity, status"),
            (
                #""severity":"hgh""#,
                "unknown name 'hgh' at severity; expected one of low, medium, high, critical"
            ),
            (#""severity":3"#, "severity must be one of low, medium, high, critical"),
            (#""type":"whale""#, "unknown name 'whale' at type; expected one of earnings_anomaly"),
            (#""watchdog":"funding_spike""#, "unknown name 'funding_spike' at watchdog; expected one of"),
            (#""watchdog":null"#, "watchdog is required"), (#""type":null"#, "type is required"),
            (#""severity":null"#, "severity is required"),
            (#""description":null"#, "description is required"),
            (#""description":"""#, "description must be a string of 1 to 1024 characters"),
            (
                #""description":"\#(String(repeating: "é", count: 1025))""#,
                "description must be a string of 1 to 1024"
            ),
            (#""status":"gone""#, "unknown name 'gone' at status; expected one of firing, updated, resolved"),
            (#""fingerprint":"9D1C0B7E44AA2F10""#, "fingerprint must be 16 hexadecimal digits in lower case"),
            (#""fingerprint":"9d1c""#, "fingerprint must be 16 hexadecimal digits in lower case"),
            (#""event_id":"a b""#, "event_id must be printable ASCII without space"),
            (
                #""event_id":"\#(String(repeating: "a", count: 65))""#,
                "event_id must be a string of 1 to 64 characters"
            ),
            (#""asset":"BTC""#, "asset must be an object"),
            (#""asset":{"symbol":"BTC"}"#, "asset.asset_type is required"),
            (#""asset":{"asset_type":"crypto"}"#, "asset.symbol is required"),
            (
                #""asset":{"symbol":"B TC","asset_type":"crypto"}"#,
                "asset.symbol must be 1 to 32 characters of printable ASCII"
            ),
            (
                #""asset":{"symbol":"BTC","asset_type":"coin"}"#,
                "unknown name 'coin' at asset.asset_type; expected one of equity"
            ),
            (
                #""asset":{"symbol":"BTC","asset_type":"crypto","x":1}"#,
                "unknown member 'x' at asset; expected one of symbol"
            ),
            (#""assets":"BTC""#, "assets must be a list"),
            (#""assets":["BTC",1]"#, "assets[1] must be 1 to 32 characters"),
            (#""assets":["B*"]"#, "assets[0] must be"), (#""assets":["A,B"]"#, "assets[0] must be"),
            (
                #""assets":[\#((0..<33).map { "\"A\($0)\"" }.joined(separator: ","))]"#,
                "assets must not have more than 32 entries"
            ),
            (#""data":[]"#, "data must be an object"),
            (
                #""data":{"a":"\#(String(repeating: "x", count: 8192))"}"#,
                "data must not be longer than 8192 bytes"
            ),
            (
                #""metadata":{"a":"\#(String(repeating: "x", count: 8192))"}"#,
                "metadata must not be longer than 8192 bytes"
            ),
            (
                #""evidence":{"rule":"r","operator":"eq","threshold":1,"observed":2}"#,
                "unknown name 'eq' at evidence.operator; expected one of gt, gte, lt, lte, neq"
            ),
            (
                #""evidence":{"rule":"r","operator":"gt","threshold":"1","observed":2}"#,
                "evidence.threshold must be a number"
            ),
            (#""evidence":{"rule":"r","operator":"gt","observed":2}"#, "evidence.threshold is required"),
            (
                #""evidence":{"rule":"r","operator":"gt","threshold":1,"observed":2,"window_seconds":-1}"#,
                "evidence.window_seconds must be a whole number from 0"
            ),
            (#""timestamp":"yesterday""#, "timestamp must be a time of RFC 3339"),
            (#""starts_at":5"#, "starts_at must be a time"),
            (#""ends_at":"2020-01-01T00:00:00Z""#, "ends_at must not be before starts_at"),
        ])
    func wrong(members: String, message: String) throws {
        var value = try #require(
            try parse(
                #"{"type":"price_anomaly","severity":"high","watchdog":"price_anomaly","description":"x"}"#
            ).members)
        value.merge(try #require(try parse("{\(members)}").members)) { _, new in new }
        let error = #expect(throws: EventError.self) {
            try WatchdogEvent.parse(
                .object(value), receivedAt: Timestamp(milliseconds: 1_700_000_000_000), newEventID: { "x" })
        }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "none")")
    }

    @Test("A body that is no object is refused", arguments: ["[]", "1", "null", "\"x\""])
    func noObject(text: String) {
        let error = #expect(throws: EventError.self) { try event(text) }
        #expect(error?.message == "the body must be an object")
    }

    @Test("What strangers send is cut before it is echoed")
    func echo() {
        let long = String(repeating: "x", count: 5000)
        let error = #expect(throws: EventError.self) { try event("{\"\(long)\":1}") }
        #expect((error?.message.count ?? 0) < 400)
    }
}

@Suite("A fingerprint names a condition, in every process alike")
struct FingerprintTests {
    // The vectors of draft-eastlake-fnv, appendix C.
    @Test(
        "The hash is FNV-1a of 64 bits",
        arguments: [
            ("", 0xcbf2_9ce4_8422_2325), ("a", 0xaf63_dc4c_8601_ec8c), ("foobar", 0x8594_4171_f739_67e8),
        ] as [(String, UInt64)])
    func vectors(text: String, hash: UInt64) {
        #expect(Fingerprint.fnv1a(Array(text.utf8)) == hash)
    }

    @Test("It depends on each part, and not on the order of the assets")
    func parts() {
        let base = Fingerprint.of(watchdog: .priceAnomaly, type: .priceAnomaly, assets: ["BTC", "SPY"])
        #expect(base == Fingerprint.of(watchdog: .priceAnomaly, type: .priceAnomaly, assets: ["SPY", "BTC"]))
        #expect(Fingerprint.isFingerprint(base))
        let others = [
            Fingerprint.of(watchdog: .unusualVolume, type: .priceAnomaly, assets: ["BTC", "SPY"]),
            Fingerprint.of(watchdog: .priceAnomaly, type: .flashCrash, assets: ["BTC", "SPY"]),
            Fingerprint.of(watchdog: .priceAnomaly, type: .priceAnomaly, assets: ["BTC"]),
            Fingerprint.of(watchdog: .priceAnomaly, type: .priceAnomaly, assets: ["BTCSPY"]),
            Fingerprint.of(
                watchdog: .priceAnomaly, type: .priceAnomaly, assets: ["BTC", "SPY"], discriminator: "60"),
            Fingerprint.of(
                watchdog: .priceAnomaly, type: .priceAnomaly, assets: ["BTC"], discriminator: "SPY"),
        ]
        #expect(Set(others + [base]).count == others.count + 1)
    }

    // Computed once by an independent program (Python, integers modulo 2^64).
    @Test("It stays what it is across versions")
    func stable() {
        #expect(
            Fingerprint.of(watchdog: .priceAnomaly, type: .flashCrash, assets: ["BTC"]) == "fbd98712603ccd57")
    }
}
