import Analysis
import FIMLCore
import GatewayTesting
import MarketData
import Testing

@Suite("Figures and findings travel between processes whole, and nothing wrong is taken for them")
struct FiguresJSONTests {
    private static let moment = Timestamp(milliseconds: 1_700_000_000_123)

    private static func bar(_ day: Int64, seconds: Int64 = 86_400, volume: Double?) -> Bar {
        Bar(
            opensAt: Timestamp(milliseconds: 1_600_000_000_000 + day * 86_400_000),
            intervalSeconds: seconds, open: 187.44000244140625, high: 188.1, low: 0.1, close: 1e-7,
            volume: volume)
    }

    /// Every member that figures can have, with and without what may be unknown.
    private static var everything: Figures {
        var figures = Figures(
            Asset(
                symbol: "AAPL", name: "Apple \"Inc\"", assetType: .equity, market: .us, exchange: "NASDAQ",
                currency: "USD", pair: nil), at: moment)
        figures.bars = [bar(0, volume: 1e6), bar(1, volume: nil), bar(2, volume: 0)]
        figures.benchmarks = [
            .init(Asset(symbol: "SPY", assetType: .etf), bars: [bar(0, seconds: 60, volume: nil)]),
            .init(
                Asset(symbol: "BTC", assetType: .crypto, market: .crypto),
                bars: [bar(0, seconds: 60, volume: nil), bar(1, seconds: 3_600, volume: nil)]),
            .init(Asset(symbol: "QQQ", assetType: .etf), bars: []),
        ]
        var fundamentals = Fundamentals()
        fundamentals.asOf = Timestamp(milliseconds: -1)
        fundamentals.priceToEarnings = -3.25
        fundamentals.priceToBook = 1
        fundamentals.earningsPerShare = 2
        fundamentals.returnOnEquity = 3
        fundamentals.returnOnAssets = 4
        fundamentals.debtToEquity = 5
        fundamentals.revenueGrowth = 6
        fundamentals.marketCap = 2.9e12
        figures.fundamentals = fundamentals
        figures.observations = [
            // Before 1970: the first observations of unemployment are of 1948.
            .unemployment: [
                MacroObservation(period: Timestamp(milliseconds: -694_310_400_000), value: 3.4)
            ],
            .realGrowth: [],
        ]
        figures.articles = [
            NewsArticle(
                title: "Ünïcode\n", summary: "s", publisher: "p", url: "https://example.com",
                publishedAt: moment, symbols: ["AAPL", "MSFT"], sentiment: -0.5),
            NewsArticle(
                title: "", summary: nil, publisher: nil, url: nil, publishedAt: moment, symbols: []),
        ]
        var call = OptionContract(symbol: "C", kind: .call, strike: 100, expiresOn: moment)
        call.bid = 1
        call.impliedVolatility = 0.25
        var put = OptionContract(symbol: "P", kind: .put, strike: 90.5, expiresOn: moment)
        put.ask = 2
        put.last = 3
        put.volume = 4
        figures.optionChain = OptionChain(
            observedAt: moment, underlyingPrice: 101.25, contracts: [call, put])
        figures.missing = [
            MissingFigures(.macro, "real_growth", reason: "none"), MissingFigures(.news, reason: ""),
        ]
        return figures
    }

    private static func read(_ text: String) throws -> Figures {
        try Figures.parse(JSONValue.parse(Array(text.utf8)))
    }

    @Test("Figures are the same after they were written and read")
    func figures() throws {
        #expect(try Figures.parse(JSONValue.parse(Self.everything.json)) == Self.everything)
        let none = Figures(Asset(symbol: "X", assetType: .forex), at: Self.moment)
        #expect(try Figures.parse(JSONValue.parse(none.json)) == none)
    }

    @Test("Bars are written as columns, one that nothing is known of left out")
    func columns() throws {
        var figures = Figures(Asset(symbol: "X", assetType: .forex), at: Timestamp(milliseconds: 5))
        figures.bars = [
            Bar(
                opensAt: Timestamp(milliseconds: 1_000), intervalSeconds: 60, open: 1.5, high: 2, low: 1,
                close: 1.25, volume: nil)
        ]
        #expect(
            String(decoding: figures.json, as: UTF8.self)
                == #"{"asset":{"symbol":"X","asset_type":"forex","market":"US","currency":"USD"},"moment":5,"#
                + #""bars":{"opens_at":[1000],"seconds":60,"open":[1.5],"high":[2.0],"low":[1.0],"#
                + #""close":[1.25]}}"#)
    }

    /// What stands after the asset, and what is said of it.
    private static let wrong = [
        (#""moment":null"#, "figures.moment is required"),
        (#""moment":1e300"#, "figures.moment must be of whole numbers"),
        (#""moment":5,"bars":[]"#, "figures.bars must be an object"),
        (
            #""moment":5,"bars":{"opens_at":[1,2],"seconds":60,"open":[1]}"#,
            "figures.bars.open must be a list of 2"
        ),
        (#""moment":5,"bars":{"opens_at":[1],"open":[1]}"#, "figures.bars.seconds is required"),
        (
            #""moment":5,"bars":{"opens_at":[1],"seconds":0,"open":[1]}"#,
            "figures.bars.seconds must be of whole"
        ),
        (
            #""moment":5,"bars":{"opens_at":[9223372036854775807],"seconds":60}"#,
            "figures.bars.opens_at must be of whole numbers"
        ),
        (
            #""moment":5,"bars":{"opens_at":[1],"seconds":60,"open":[0]}"#,
            "figures.bars.open must be of numbers greater"
        ),
        (
            #""moment":5,"bars":{"opens_at":[1],"seconds":60,"open":["1"]}"#,
            "figures.bars.open must be of numbers"
        ),
        (#""moment":5,"bars":{"opens_at":[1],"seconds":60}"#, "figures.bars.open must have 1 entries"),
        (#""moment":5,"benchmarks":[{}]"#, "figures.benchmarks[0].asset is required"),
        (#""moment":5,"benchmarks":[7]"#, "figures.benchmarks[0] must be an object"),
        (
            #""moment":5,"fundamentals":{"market_cap":"much"}"#,
            "figures.fundamentals.market_cap must be a number"
        ),
        (#""moment":5,"observations":{"weather":{}}"#, "figures.observations.weather is no indicator"),
        (
            #""moment":5,"observations":{"unemployment":{"period":[1],"value":[null]}}"#,
            "figures.observations.unemployment.value must be of numbers"
        ),
        (#""moment":5,"articles":[{"title":1}]"#, "figures.articles[0].title must be a string"),
        (
            #""moment":5,"articles":[{"title":"t","symbols":[1]}]"#,
            "figures.articles[0].published_at is required"
        ),
        (
            #""moment":5,"option_chain":{"expires_on":[1],"symbol":["a"],"kind":["both"],"strike":[1]}"#,
            "figures.option_chain.kind must be of call and put"
        ),
        (
            #""moment":5,"missing":[{"need":"luck","reason":""}]"#,
            "figures.missing[0].need is none that is known"
        ),
    ]

    @Test("What is wrong is refused and named", arguments: wrong)
    func refused(rest: String, problem: String) {
        let error = #expect(throws: InvalidMember.self) {
            try Self.read(#"{"asset":{"symbol":"X","asset_type":"forex"},"# + rest + "}")
        }
        #expect(error?.message.hasPrefix(problem) == true, "\(error?.message ?? "")")
    }

    @Test("More bars than any analysis needs are refused")
    func tooMany() {
        let moments = Array(repeating: "1", count: 20_001).joined(separator: ",")
        let error = #expect(throws: InvalidMember.self) {
            try Self.read(
                #"{"asset":{"symbol":"X","asset_type":"forex"},"moment":5,"bars":{"opens_at":["#
                    + moments + "]}}")
        }
        #expect(error?.message == "figures.bars.opens_at must be a list of at most 20000 entries")
    }

    @Test(
        "Figures of which anything was replaced are read, or refused with a path",
        arguments: 0..<4 as Range<UInt64>)
    func damaged(seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let values: [JSONValue] = [
            .null, true, 0, -1, .integer(.max), .integer(.min), .number(1e308), .number(-0.5), "x", [], [1],
            [:],
        ]
        func damage(_ value: JSONValue) -> JSONValue {
            if Int.random(in: 0..<60, using: &generator) == 0 {
                return values.randomElement(using: &generator) ?? 0
            }
            switch value {
            case .array(let elements): return .array(elements.map(damage))
            case .object(let members):
                return .object(
                    members.sorted { $0.key < $1.key }.reduce(into: [:]) { $0[$1.key] = damage($1.value) })
            case .null, .bool, .integer, .number, .string: return value
            }
        }
        let whole = try JSONValue.parse(Self.everything.json)
        var refused = 0
        for _ in 0..<300 {
            do {
                let figures = try Figures.parse(damage(whole))
                #expect(try Figures.parse(JSONValue.parse(figures.json)) == figures)
            } catch let error as InvalidMember {
                #expect(error.path.hasPrefix("figures"))
                refused += 1
            }
        }
        #expect(refused > 0)
        #expect(refused < 300)
    }

    @Test("A finding is the same after it was written and read")
    func finding() throws {
        let finding = Finding(
            score: 6.5, confidence: 1, asOf: Self.moment,
            details: [
                "rsi": 61.25, "signal": "buy", "count": 3, "none": .null, "levels": [1.5, 2],
                "nested": ["a": true],
            ],
            missing: [MissingFigures(.bars, "sma_200", reason: "only 100 bars")])
        #expect(try Finding.parse(JSONValue.parse(finding.json)) == finding)
        let bare = Finding(score: 0, confidence: 0, asOf: Self.moment, details: [:])
        #expect(try Finding.parse(JSONValue.parse(bare.json)) == bare)
    }

    private static let wrongFindings = [
        (#"{"score":"x","confidence":1,"as_of":1,"details":{}}"#, "finding.score must be a number"),
        (
            #"{"score":11,"confidence":1,"as_of":1,"details":{}}"#,
            "finding.score must be a number from 0.0 to 10.0"
        ),
        (#"{"score":null,"confidence":1,"as_of":1,"details":{}}"#, "finding.score must be a number"),
        (#"{"score":1,"confidence":-0.1,"as_of":1,"details":{}}"#, "finding.confidence must be a number"),
        (
            #"{"score":1,"confidence":1,"as_of":"today","details":{}}"#,
            "finding.as_of must be of whole numbers"
        ),
        (#"{"score":1,"confidence":1,"as_of":1}"#, "finding.details is required"),
        (#"{"score":1,"confidence":1,"as_of":1,"details":[]}"#, "finding.details must be an object"),
        (#"[]"#, "finding must be an object"),
    ]

    @Test("A finding that is none is refused and named", arguments: wrongFindings)
    func wrongFinding(text: String, problem: String) {
        let error = #expect(throws: InvalidMember.self) {
            try Finding.parse(JSONValue.parse(Array(text.utf8)))
        }
        #expect(error?.message.hasPrefix(problem) == true, "\(error?.message ?? "")")
    }
}
