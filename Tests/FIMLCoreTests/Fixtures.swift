import FIMLCore

func parse(_ text: String) throws -> JSONValue {
    try JSONValue.parse(Array(text.utf8))
}

func text(_ bytes: [UInt8]) -> String {
    String(decoding: bytes, as: UTF8.self)
}

/// The example event of the public protocol.
let whaleText = #"""
    {"event_id":"evt_0198d8f2-7c1a","type":"whale_movement","severity":"critical","status":"firing",\#
    "fingerprint":"9d1c0b7e44aa2f10","watchdog":"whale_movement",\#
    "asset":{"symbol":"BTC","asset_type":"crypto","market":"CRYPTO","currency":"USD"},"assets":["BTC"],\#
    "description":"412.5 BTC moved","data":{"amount":412.5,"from":"a","to":"b","usd_value":27101250.0},\#
    "evidence":{"rule":"whale_movement.min_usd","operator":"gte","threshold":1000000.0,\#
    "observed":27101250.0},\#
    "timestamp":"2026-11-24T05:24:01.123Z","starts_at":"2026-11-24T05:24:01.123Z",\#
    "ends_at":null,"metadata":{}}
    """#

func event(_ text: String) throws -> WatchdogEvent {
    try WatchdogEvent.parse(
        parse(text), receivedAt: Timestamp(milliseconds: 1_795_497_841_000), newEventID: { "evt_new" })
}

func whale() throws -> MatchableEvent {
    MatchableEvent(try event(whaleText))
}
