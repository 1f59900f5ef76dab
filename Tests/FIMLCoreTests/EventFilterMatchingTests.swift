import FIMLCore
import Testing

@Suite("A filter lets through what it says")
struct EventFilterMatchingTests {
    @Test(
        "Lists mean OR, members mean AND, absence means any",
        arguments: [
            ("{}", true), (#"{"severities":["critical"]}"#, true), (#"{"severities":["low","high"]}"#, false),
            (#"{"min_severity":"critical"}"#, true),
            (#"{"min_severity":"high","severities":["low","critical"]}"#, true),
            (#"{"min_severity":"critical","severities":["high"]}"#, false),
            (#"{"watchdogs":["whale_movement"]}"#, true),
            (#"{"watchdogs":["price_anomaly"]}"#, false),
            (#"{"event_types":["flash_crash","whale_movement"]}"#, true),
            (#"{"event_types":["flash_crash"],"severities":["critical"]}"#, false),
            (#"{"assets":["BTC"]}"#, true),
            (#"{"assets":["btc"]}"#, true), (#"{"assets":["BT"]}"#, false), (#"{"assets":["BT*"]}"#, true),
            (#"{"assets":["*"]}"#, true),
            (#"{"assets":["BTCX*"]}"#, false), (#"{"assets":["ETH","SOL*"]}"#, false),
            (#"{"asset_types":["crypto"]}"#, true),
            (#"{"asset_types":["equity"]}"#, false), (#"{"assets":["BTC"],"asset_types":["equity"]}"#, false),
            (#"{"include_market_wide":false}"#, true),
        ])
    func lists(filter: String, passes: Bool) throws {
        #expect(try EventFilter.parse(parse(filter)).matches(whale()) == passes)
    }

    @Test(
        "An event about no asset passes asset filters unless it is refused; any of several assets is enough",
        arguments: [
            ("", "{}", true), ("", #"{"assets":["BTC"]}"#, true), ("", #"{"asset_types":["crypto"]}"#, true),
            ("", #"{"assets":["BTC"],"include_market_wide":false}"#, false),
            ("", #"{"include_market_wide":false}"#, false),
            (#","assets":["BTC","SPY"]"#, #"{"assets":["SPY"]}"#, true),
            (#","assets":["BTC","SPY"]"#, #"{"assets":["QQQ"]}"#, false),
            (#","assets":["BTC","SPY"]"#, #"{"assets":["S*"],"include_market_wide":false}"#, true),
            (#","assets":["BTC","SPY"]"#, #"{"asset_types":["crypto"]}"#, false),
            (
                #","assets":["GLD","TLT"],"asset":{"symbol":"GLD","asset_type":"etf"}"#,
                #"{"assets":["TLT"],"asset_types":["etf"]}"#, true
            ),
        ])
    func assets(members: String, filter: String, passes: Bool) throws {
        let event = try event(
            #"{"type":"correlation_break","severity":"high","watchdog":"correlation_breakdown","#
                + #""description":"x"\#(members)}"#
        )
        #expect(try EventFilter.parse(parse(filter)).matches(MatchableEvent(event)) == passes)
    }

    @Test(
        "Comparisons look into the event",
        arguments: [
            (#"{"key":"type","cmp":"eq","val":"whale_movement"}"#, true),
            (#"{"key":"type","cmp":"neq","val":"whale_movement"}"#, false),
            (#"{"key":"type","cmp":"in","vals":["flash_crash","whale_movement"]}"#, true),
            (#"{"key":"type","cmp":"sw","val":"whale"}"#, true),
            (#"{"key":"severity","cmp":"eq","val":"critical"}"#, true),
            (#"{"key":"severity","cmp":"gt","val":"high"}"#, true),
            (#"{"key":"severity","cmp":"gt","val":"critical"}"#, false),
            (#"{"key":"severity","cmp":"lte","val":"low"}"#, false),
            (#"{"key":"severity","cmp":"in","vals":["low","critical"]}"#, true),
            (#"{"key":"status","cmp":"eq","val":"firing"}"#, true),
            (#"{"key":"watchdog","cmp":"ew","val":"movement"}"#, true),
            (#"{"key":"fingerprint","cmp":"eq","val":"9d1c0b7e44aa2f10"}"#, true),
            (#"{"key":"event_id","cmp":"sw","val":"evt_"}"#, true),
            (#"{"key":"description","cmp":"ct","val":"BTC mo"}"#, true),
            (#"{"key":"description","cmp":"ct","val":"BTC moo"}"#, false),
            (#"{"key":"description","cmp":"ct","val":""}"#, true),
            (#"{"key":"description","cmp":"ew","val":"moved"}"#, true),
            (#"{"key":"description","cmp":"ew","val":"412.5 BTC moved and more"}"#, false),
            (#"{"key":"asset","cmp":"ex"}"#, true), (#"{"key":"asset.symbol","cmp":"eq","val":"BTC"}"#, true),
            (#"{"key":"asset.market","cmp":"eq","val":"CRYPTO"}"#, true),
            (#"{"key":"asset.name","cmp":"ex"}"#, false),
            (#"{"key":"assets","cmp":"eq","val":"BTC"}"#, true),
            (#"{"key":"assets","cmp":"neq","val":"BTC"}"#, false),
            (#"{"key":"assets","cmp":"sw","val":"B"}"#, true),
            (#"{"key":"assets","cmp":"nin","vals":["ETH","SOL"]}"#, true),
            (#"{"key":"data.usd_value","cmp":"gte","val":5000000}"#, true),
            (#"{"key":"data.usd_value","cmp":"eq","val":27101250}"#, true),
            (#"{"key":"data.usd_value","cmp":"lt","val":27101250.5}"#, true),
            (#"{"key":"data.amount","cmp":"in","vals":[1,412.5]}"#, true),
            (#"{"key":"data.from","cmp":"gt","val":"A"}"#, true),
            (#"{"key":"data.from","cmp":"gt","val":1}"#, false),
            (#"{"key":"data.amount","cmp":"eq","val":"412.5"}"#, false),
            (#"{"key":"data.amount","cmp":"neq","val":"412.5"}"#, true),
            (#"{"key":"data.none","cmp":"ex"}"#, false), (#"{"key":"data.none","cmp":"nex"}"#, true),
            (#"{"key":"data.none","cmp":"eq","val":1}"#, false),
            (#"{"key":"data.none","cmp":"neq","val":1}"#, true),
            (#"{"key":"data.none","cmp":"nin","vals":[1]}"#, true),
            (#"{"key":"data.none","cmp":"lt","val":1}"#, false),
            (#"{"key":"data.none","cmp":"ct","val":""}"#, false),
            (#"{"key":"data.amount.deep","cmp":"nex"}"#, true),
            (#"{"key":"metadata.source","cmp":"nex"}"#, true),
            (#"{"key":"evidence","cmp":"ex"}"#, true),
            (#"{"key":"evidence.observed","cmp":"gt","val":1000000}"#, true),
            (#"{"key":"evidence.operator","cmp":"eq","val":"gte"}"#, true),
            (#"{"key":"evidence.window_seconds","cmp":"nex"}"#, true),
            (#"{"key":"timestamp","cmp":"lt","val":"2026-11-24T06:24:01.124+01:00"}"#, true),
            (#"{"key":"timestamp","cmp":"eq","val":"2026-11-24T05:24:01.123Z"}"#, true),
            (#"{"key":"ends_at","cmp":"nex"}"#, true),
            (#"{"op":"not","nodes":[{"key":"data.none","cmp":"eq","val":1}]}"#, true),
            (#"{"op":"and","nodes":[{"key":"asset","cmp":"ex"},{"key":"data.none","cmp":"ex"}]}"#, false),
            (#"{"op":"or","nodes":[{"key":"asset","cmp":"nex"},{"key":"data.amount","cmp":"ex"}]}"#, true),
        ])
    func conditions(condition: String, passes: Bool) throws {
        #expect(try EventFilter.parse(parse("{\"where\":\(condition)}")).matches(whale()) == passes)
    }

    @Test(
        "Values of events may be null, nested, lists, truths and 64-bit integers",
        arguments: [
            (#"{"key":"data.null","cmp":"ex"}"#, false), (#"{"key":"data.a.b.c","cmp":"eq","val":1}"#, true),
            (#"{"key":"data.a","cmp":"ex"}"#, true),
            (#"{"key":"data.a","cmp":"eq","val":1}"#, false),
            (#"{"key":"data.list","cmp":"eq","val":2}"#, true),
            (#"{"key":"data.list","cmp":"neq","val":2}"#, false),
            (#"{"key":"data.list","cmp":"gt","val":2}"#, true),
            (#"{"key":"data.list","cmp":"gt","val":3}"#, false),
            (#"{"key":"data.list","cmp":"in","vals":[9,3]}"#, true),
            (#"{"key":"data.none","cmp":"ex"}"#, true), (#"{"key":"data.none","cmp":"eq","val":1}"#, false),
            (#"{"key":"data.yes","cmp":"eq","val":true}"#, true),
            (#"{"key":"data.yes","cmp":"eq","val":1}"#, false),
            (#"{"key":"data.big","cmp":"gt","val":9007199254740992}"#, true),
            (#"{"key":"data.big","cmp":"eq","val":9007199254740992}"#, false),
            (#"{"key":"metadata.é","cmp":"eq","val":"e\u0301"}"#, true),
        ])
    func shapes(condition: String, passes: Bool) throws {
        let event = try event(
            #"""
            {"type":"price_anomaly","severity":"low","watchdog":"price_anomaly","description":"x",
            "data":{"null":null,"a":{"b":{"c":1}},"list":[1,2,3,[4]],
            "none":[],"yes":true,"big":9007199254740993},
            "metadata":{"é":"é"}}
            """#)
        #expect(
            try EventFilter.parse(parse("{\"where\":\(condition)}")).matches(MatchableEvent(event)) == passes)
    }
}
