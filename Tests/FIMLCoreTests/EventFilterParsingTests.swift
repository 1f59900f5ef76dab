import FIMLCore
import Testing

@Suite("A filter is checked, and equal filters have one form")
struct EventFilterParsingTests {
    @Test(
        "The normal form is sorted, without repetitions and without what says nothing",
        arguments: [
            ("{}", "{}"), (#"{"severities":null,"where":null,"include_market_wide":true}"#, "{}"),
            (
                #"{"assets":["eth*","BTC","btc"],"severities":["critical","low","critical"],"#
                    + #""min_severity":"low"}"#,
                #"{"min_severity":"low","severities":["low","critical"],"assets":["BTC","ETH*"]}"#
            ),
            (
                #"{"watchdogs":["price_anomaly","funding_rate"],"event_types":["flash_crash","#
                    + #""price_anomaly"]}"#,
                #"{"watchdogs":["funding_rate","price_anomaly"],"event_types":["price_anomaly","#
                    + #""flash_crash"]}"#
            ),
            (
                #"{"include_market_wide":false,"asset_types":["crypto","equity"],"assets":["*"]}"#,
                #"{"assets":["*"],"asset_types":["equity","crypto"],"include_market_wide":false}"#
            ),
            (
                #"{"where":{"nodes":[{"cmp":"in","key":"data.a","vals":["b",2.0,"a",2,true]},"#
                    + #"{"key":"asset","cmp":"ex"}],"op":"and"}}"#,
                #"{"where":{"op":"and","nodes":[{"key":"data.a","cmp":"in","vals":["a","b",2,true]},"#
                    + #"{"key":"asset","cmp":"ex"}]}}"#
            ),
            (
                #"{"where":{"op":"not","nodes":[{"key":"data.usd_value","cmp":"gte","val":5000000.0}]}}"#,
                #"{"where":{"op":"not","nodes":[{"key":"data.usd_value","cmp":"gte","val":5000000}]}}"#
            ),
        ])
    func normalForm(given: String, normal: String) throws {
        let filter = try EventFilter.parse(parse(given))
        #expect(text(filter.json) == normal)
        let again = try EventFilter.parse(parse(normal))
        #expect(again == filter)
        #expect(again.hashValue == filter.hashValue)
    }

    @Test("Different filters are not equal")
    func different() throws {
        let texts = [
            "{}", #"{"assets":["BTC"]}"#, #"{"assets":["BTC*"]}"#, #"{"min_severity":"high"}"#,
            #"{"severities":["high","critical"]}"#, #"{"where":{"key":"type","cmp":"ex"}}"#,
            #"{"where":{"key":"type","cmp":"nex"}}"#, #"{"where":{"key":"data.a","cmp":"eq","val":"é"}}"#,
            #"{"where":{"key":"data.a","cmp":"eq","val":"e\u0301"}}"#,
            #"{"where":{"key":"data.a","cmp":"eq","val":"1"}}"#,
            #"{"where":{"key":"data.a","cmp":"eq","val":1}}"#,
        ]
        #expect(Set(try texts.map { try EventFilter.parse(parse($0)) }).count == texts.count)
        #expect(try EventFilter.parse(parse("{}")) == EventFilter.everything)
    }

    @Test(
        "What is wrong is named by its path, with what is allowed",
        arguments: [
            ("[]", "filter must be an object"),
            (
                #"{"severity":["low"]}"#,
                "unknown member 'severity' at filter; expected one of min_severity, severities, watchdogs, "
                    + "event_types, assets, asset_types, include_market_wide, where"
            ),
            (
                #"{"severities":["low","hgh"]}"#,
                "unknown name 'hgh' at filter.severities[1]; expected one of low, medium, high, critical"
            ),
            (
                #"{"min_severity":"worst"}"#,
                "unknown name 'worst' at filter.min_severity; expected one of low, medium, high, critical"
            ),
            (
                #"{"watchdogs":["funding_spike"]}"#,
                "unknown name 'funding_spike' at filter.watchdogs[0]; expected one of earnings_anomaly, "
                    + "unusual_volume, whale_movement, funding_rate, liquidity_drop, correlation_breakdown, "
                    + "exchange_outage, price_anomaly"
            ),
            (
                #"{"event_types":["funding_rate"]}"#,
                "unknown name 'funding_rate' at filter.event_types[0]; expected one of earnings_anomaly, "
                    + "unusual_volume, whale_movement, funding_spike, liquidity_drop, correlation_break, "
                    + "exchange_outage, price_anomaly, flash_crash, arbitrage_opportunity"
            ),
            (
                #"{"asset_types":["coin"]}"#,
                "unknown name 'coin' at filter.asset_types[0]; expected one of equity, crypto, forex, "
                    + "commodity, index, etf, option, future"
            ),
            (
                #"{"severities":[]}"#,
                "filter.severities must not be empty; leave it out where it does not matter"
            ),
            (#"{"severities":"low"}"#, "filter.severities must be a list"),
            (#"{"severities":[1]}"#, "filter.severities[0] must be one of low, medium, high, critical"),
            (#"{"assets":["B TC"]}"#, "filter.assets[0] must be a symbol"),
            (#"{"assets":["*BTC"]}"#, "filter.assets[0] must be a symbol"),
            (#"{"assets":[""]}"#, "filter.assets[0] must be a symbol"),
            (#"{"assets":[7]}"#, "filter.assets[0] must be a symbol"),
            (#"{"include_market_wide":"no"}"#, "filter.include_market_wide must be true or false"),
            (#"{"where":[]}"#, "filter.where must be an object"),
            (#"{"where":{}}"#, "filter.where.key is required"),
            (
                #"{"where":{"op":"and","nodes":[{"key":"type","cmp":"ex"},{"key":"type","cmp":"ge","#
                    + #""val":1}]}}"#,
                "unknown comparison 'ge' at filter.where.nodes[1].cmp; expected one of eq, neq, in, nin, ex, "
                    + "nex, sw, ew, ct, gt, gte, lt, lte"
            ),
            (
                #"{"where":{"op":"xor","nodes":[]}}"#,
                "unknown name 'xor' at filter.where.op; expected one of and, or, not"
            ),
            (#"{"where":{"op":"and","nodes":[]}}"#, "filter.where.nodes must not be empty"),
            (#"{"where":{"op":"and"}}"#, "filter.where.nodes is required"),
            (#"{"where":{"nodes":[]}}"#, "filter.where.op is required"),
            (
                #"{"where":{"op":"not","nodes":[{"key":"type","cmp":"ex"},{"key":"type","cmp":"ex"}]}}"#,
                "filter.where.nodes of 'not' must have exactly one entry"
            ),
            (
                #"{"where":{"op":"and","nodes":[],"key":"type"}}"#,
                "unknown member 'key' at filter.where; expected one of op, nodes"
            ),
            (#"{"where":{"key":"type","cmp":"ex","value":1}}"#, "unknown member 'value' at filter.where"),
            (
                #"{"where":{"key":"price","cmp":"gt","val":1}}"#,
                "unknown key 'price' at filter.where.key; expected one of event_id, type, severity"
            ),
            (#"{"where":{"key":"data","cmp":"ex"}}"#, "unknown key 'data'"),
            (#"{"where":{"key":"data.","cmp":"ex"}}"#, "unknown key 'data.'"),
            (#"{"where":{"key":"data..a","cmp":"ex"}}"#, "unknown key 'data..a'"),
            (#"{"where":{"key":"type"}}"#, "filter.where.cmp is required"),
            (#"{"where":{"key":"type","cmp":"eq"}}"#, "filter.where.val is required"),
            (
                #"{"where":{"key":"type","cmp":"eq","vals":["flash_crash"]}}"#,
                "filter.where.vals does not go with 'eq'"
            ),
            (
                #"{"where":{"key":"type","cmp":"in","val":"flash_crash"}}"#,
                "filter.where.val does not go with 'in'"
            ),
            (#"{"where":{"key":"type","cmp":"in","vals":[]}}"#, "filter.where.vals must not be empty"),
            (#"{"where":{"key":"type","cmp":"ex","val":1}}"#, "filter.where.val does not go with 'ex'"),
            (
                #"{"where":{"key":"data.a","cmp":"eq","val":{}}}"#,
                "filter.where.val must be a string, a number, true or false"
            ),
            (
                #"{"where":{"key":"data.a","cmp":"gt","val":true}}"#,
                "filter.where.val must be a string or a number"
            ),
            (#"{"where":{"key":"data.a","cmp":"sw","val":1}}"#, "filter.where.val must be a string"),
            (
                #"{"where":{"key":"type","cmp":"eq","val":"crash"}}"#,
                "unknown name 'crash' at filter.where.val; expected one of earnings_anomaly"
            ),
            (
                #"{"where":{"key":"severity","cmp":"gt","val":"hgh"}}"#,
                "unknown name 'hgh' at filter.where.val; expected one of low, medium, high, critical"
            ),
            (
                #"{"where":{"key":"severity","cmp":"sw","val":"h"}}"#,
                "filter.where.val cannot be found with 'sw' in 'severity'"
            ),
            (
                #"{"where":{"key":"watchdog","cmp":"in","vals":["price_anomaly","x"]}}"#,
                "unknown name 'x' at filter.where.vals[1]; expected one of"
            ),
            (
                #"{"where":{"key":"timestamp","cmp":"gt","val":"today"}}"#,
                "filter.where.val must be a time of RFC 3339"
            ),
        ])
    func wrong(given: String, message: String) {
        let error = #expect(throws: FilterError.self) { try EventFilter.parse(parse(given)) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "none")")
    }

    @Test("Every size is bounded, and the bound itself is allowed")
    func bounds() throws {
        func list(_ count: Int) -> String {
            #"{"assets":[\#((0..<count).map { "\"A\($0)\"" }.joined(separator: ","))]}"#
        }
        func wide(_ leaves: Int) -> String {
            let nodes = Array(repeating: #"{"key":"asset","cmp":"ex"}"#, count: leaves).joined(separator: ",")
            return #"{"where":{"op":"or","nodes":[\#(nodes)]}}"#
        }
        func deep(_ levels: Int) -> String {
            let open = String(repeating: #"{"op":"not","nodes":["#, count: levels - 1)
            return
                #"{"where":\#(open){"key":"asset","cmp":"ex"}\#(String(repeating: "]}", count: levels - 1))}"#
        }
        func long(_ length: Int) -> String {
            #"{"where":{"key":"data.a","cmp":"eq","val":"\#(String(repeating: "é", count: length))"}}"#
        }
        for (fits, tooMuch) in [
            (list(100), list(101)), (wide(63), wide(64)), (deep(16), deep(17)), (long(256), long(257)),
        ] {
            _ = try EventFilter.parse(parse(fits))
            #expect(throws: FilterError.self) { try EventFilter.parse(parse(tooMuch)) }
        }
    }

    @Test(
        "A query string gives the same filter as a message",
        arguments: [
            (
                [
                    ("severities", "critical,high"), ("watchdogs", "price_anomaly"), ("assets", "BTC,ETH*"),
                    ("min_severity", "high"),
                ],
                #"{"severities":["high","critical"],"watchdogs":["price_anomaly"],"assets":["BTC","ETH*"],"#
                    + #""min_severity":"high"}"#
            ),
            (
                [("assets", "BTC"), ("assets", "ETH"), ("include_market_wide", "false")],
                #"{"assets":["BTC","ETH"],"include_market_wide":false}"#
            ),
            (
                [("event_types", "flash_crash"), ("asset_types", "crypto"), ("include_market_wide", "true")],
                #"{"event_types":["flash_crash"],"asset_types":["crypto"]}"#
            ),
            ([("where", #"{"key":"asset","cmp":"ex"}"#)], #"{"where":{"key":"asset","cmp":"ex"}}"#),
            ([], "{}"),
        ] as [([(String, String)], String)])
    func query(pairs: [(String, String)], json: String) throws {
        let parsed = try EventFilter.parse(query: pairs.map { (name: $0.0, value: $0.1) })
        #expect(parsed.filter == (try EventFilter.parse(parse(json))))
        #expect(parsed.rest.isEmpty)
    }

    @Test("Names of a query that are none of a filter's are handed back in their order")
    func rest() throws {
        let parsed = try EventFilter.parse(query: [
            (name: "since", value: "1-0"), (name: "assets", value: "BTC"), (name: "severity", value: "x"),
        ])
        #expect(parsed.rest.map(\.name) == ["since", "severity"])
        let started = try SubscriptionStart.parse(query: parsed.rest)
        #expect(started.start == .after(StreamPosition(milliseconds: 1, sequence: 0)))
        #expect(started.rest.map(\.name) == ["severity"])
    }

    @Test(
        "A wrong query names the parameter",
        arguments: [
            ([("severities", "")], "unknown name '' at severities[0]"),
            ([("severities", "high,")], "unknown name '' at severities[1]"),
            ([("min_severity", "high"), ("min_severity", "low")], "min_severity must be given once"),
            ([("include_market_wide", "yes")], "include_market_wide must be true or false"),
            ([("where", "{")], "where is not valid JSON: the text ends too early at line 1, column 2"),
            ([("where", "[]")], "where must be an object"),
        ] as [([(String, String)], String)])
    func wrongQuery(pairs: [(String, String)], message: String) {
        let error = #expect(throws: FilterError.self) {
            try EventFilter.parse(query: pairs.map { (name: $0.0, value: $0.1) })
        }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "none")")
    }
}
