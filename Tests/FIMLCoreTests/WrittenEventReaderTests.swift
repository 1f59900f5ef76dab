@testable import FIMLCore
import GatewayTesting
import Testing

@Suite("An event's text as we write it is read as any other text is, only sooner")
struct WrittenEventReaderTests {
    private let received = Timestamp(milliseconds: 1_795_497_841_000)

    /// What the parser of everything makes of a text.
    private func slow(_ json: [UInt8]) -> WatchdogEvent? {
        guard let value = try? JSONValue.parse(json) else { return nil }
        return try? WatchdogEvent.parse(value, receivedAt: received, newEventID: { "evt_new" })
    }

    private func both(_ json: [UInt8]) -> WatchdogEvent? {
        WatchdogEvent.parse(json, receivedAt: received, newEventID: { "evt_new" })
    }

    private func quick(_ json: [UInt8]) -> WatchdogEvent? {
        var reader = WrittenEventReader(json)
        return reader.event()
    }

    @Test("Whatever event we write is read the quick way", arguments: [1, 2, 3] as [UInt64])
    func written(seed: UInt64) {
        var chance = SeededGenerator(seed: seed)
        for _ in 0..<300 {
            let event = madeEvent(&chance)
            #expect(quick(event.json) == event)
            #expect(slow(event.json) == event)
        }
    }

    @Test("A text that ends too early or goes on is no event")
    func cut() {
        let json = Array(whaleText.utf8)
        for length in 0..<json.count { #expect(both(Array(json[..<length])) == nil) }
        #expect(both(json + [UInt8(ascii: "x")]) == nil)
        #expect(both(json + [UInt8(ascii: "\n")]) == slow(json))
    }

    @Test("A text with another byte at any place is read as the parser of everything reads it")
    func otherBytes() {
        var chance = SeededGenerator(seed: 5)
        for json in [Array(whaleText.utf8), madeEvent(&chance).json, madeEvent(&chance).json] {
            for place in json.indices {
                for byte in #"{}[],:"\ .-019eEnZa~"#.utf8 + [0x00, 0x7F, 0x80, 0xC3, 0xFF] {
                    var other = json
                    other[place] = byte
                    guard let event = quick(other) else { continue }
                    #expect(event == slow(other), "\(place): \(byte)")
                }
            }
        }
    }

    @Test(
        "What we would not write is left to the parser of everything",
        arguments: [
            (#""event_id":"evt_0198d8f2-7c1a","#, ""), (#""evt_0198d8f2-7c1a""#, "null"),
            (#""evt_0198d8f2-7c1a""#, #""a b""#), (#""fingerprint":"9d1"#, #""fingerprint":"9D1"#),
            (#""symbol":"BTC""#, #""symbol":"btc""#), (#"["BTC"]"#, #"["ETH"]"#), (#"["BTC"]"#, "[]"),
            (#"["BTC"]"#, #"["BTC","BTC"]"#), (#"["BTC"]"#, #"["btc"]"#), (#"["BTC"]"#, #"["BTC",]"#),
            (#"["BTC"]"#, #"["BTC*"]"#), (#""firing""#, #""resolved""#), (#""firing""#, #""burning""#),
            (#""ends_at":null"#, #""ends_at":"2026-11-24T05:24:01.122Z""#),
            (#""gte""#, #""eq""#), (#""412.5 BTC moved""#, #""""#), (#""metadata":{}"#, #""metadata":null"#),
            (#""metadata":{}"#, #""metadata":[]"#), (#""metadata":{}"#, #""metadata":{},"more":1"#),
            (#""metadata":{}"#, #""metadata":{"a":1,"a":2}"#),
            (#""observed":27101250.0"#, #""observed":27101250.0,"window_seconds":-1"#),
            (#""observed":27101250.0"#, #""observed":27101250.0,"window_seconds":2147483648"#),
            (#""observed":27101250.0"#, #""observed":"27101250.0""#),
            (#"01.123Z","starts_at""#, #"01.12\u0033Z","starts_at""#),
            (#""ends_at":null"#, #""ends_at":"2026-11-24T05:24""#),
        ])
    func leftAlone(part: String, other: String) {
        let json = Array(whaleText.replacing(part, with: other).utf8)
        #expect(json != Array(whaleText.utf8))
        #expect(quick(json) == nil)
        #expect(both(json) == slow(json))
    }

    @Test("Data may be as long as in a text from outside, as we would write it, and no longer")
    func longData() {
        for (value, count) in [("1e5", 1_000), ("1e-300", 1_000), ("\"x\"", 2_000), ("12", 2_700)] {
            // Up to the limit and over it, wherever that is for such values.
            for count in stride(from: count / 2, to: count * 2, by: 1 + count / 100) {
                let list = Array(repeating: value, count: count).joined(separator: ",")
                let json = Array(
                    whaleText.replacing(#""metadata":{}"#, with: #""metadata":{"n":[\#(list)]}"#).utf8)
                #expect(quick(json) == slow(json), "\(count) of \(value)")
            }
        }
    }

    @Test("Data may be nested as deeply as in a text from outside, and no deeper")
    func deepData() {
        for depth in 55...70 {
            let nested = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
            let json = Array(
                whaleText.replacing(#""metadata":{}"#, with: #""metadata":{"n":\#(nested)}"#).utf8)
            #expect(quick(json) == slow(json), "\(depth)")
        }
    }
}

/// An event with or without each part that may be absent, and texts with and without what must be escaped.
private func madeEvent(_ chance: inout SeededGenerator) -> WatchdogEvent {
    let texts = ["x", "412.5 BTC moved", "a \"quoted\" \\ text", "ein Fünftel, 五分の一", "line\nbreak\u{1}"]
    func pick<Value>(_ values: [Value]) -> Value { values[Int.random(in: values.indices, using: &chance)] }
    func maybe(_ text: String) -> String? { Bool.random(using: &chance) ? text : nil }
    let asset =
        Bool.random(using: &chance)
        ? Asset(
            symbol: "BTC", name: maybe("Bitcoin ₿"), assetType: pick(AssetType.allCases),
            market: pick(Market.allCases), exchange: maybe("binance"),
            currency: "USDT", pair: maybe("BTCUSDT")) : nil
    let others = ["ETH", "SPY", "BRK.B"].prefix(Int.random(in: 0...3, using: &chance))
    let evidence =
        Bool.random(using: &chance)
        ? Evidence(
            rule: "whale_movement.min_usd", operator: pick(Evidence.operators),
            threshold: Double.random(in: -1e9...1e20, using: &chance), observed: 1e300,
            windowSeconds: Bool.random(using: &chance) ? Int64.random(in: 0...86_400, using: &chance) : nil)
        : nil
    let status = pick(EventStatus.allCases)
    let start = Int64.random(in: 0...Timestamp.last.milliseconds - 10_000, using: &chance)
    return WatchdogEvent(
        eventID: "evt_\(UInt64.random(in: 0...UInt64.max, using: &chance))",
        type: pick(EventType.allCases),
        severity: pick(Severity.allCases), status: status,
        fingerprint: "9d1c0b7e44aa2f10", watchdog: pick(WatchdogName.allCases),
        asset: asset, assets: (asset.map { [$0.symbol] } ?? []) + others,
        description: pick(texts),
        data: Bool.random(using: &chance)
            ? ["amount": 412.5, "n": -7, texts[2]: ["deep": [1, true, .null, .string(texts[3])]]] : [:],
        evidence: evidence, timestamp: Timestamp(milliseconds: start + 1_000),
        startsAt: Timestamp(milliseconds: start),
        endsAt: status == .resolved ? Timestamp(milliseconds: start + 2_000) : nil,
        metadata: maybe(texts[4]).map { ["note": .string($0)] } ?? [:])
}
