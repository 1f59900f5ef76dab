import FIMLCore
import Testing

@Suite("What is to be analysed is read strictly: a wrong member is named, with what is allowed")
struct AnalysisRequestTests {
    private static func value(_ text: String) throws -> JSONValue {
        try JSONValue.parse(Array(text.utf8))
    }

    private static let apple = #""asset":{"symbol":"AAPL","asset_type":"equity"}"#

    @Test("An asset alone is for all workers and is waited for; both can be said otherwise")
    func right() throws {
        let asset = Asset(symbol: "AAPL", assetType: .equity)
        let plain = try AnalysisRequest.parse(try Self.value("{\(Self.apple)}"))
        #expect(plain.request == AnalysisRequest(asset: asset))
        #expect(plain.wait)
        let picked = try AnalysisRequest.parse(
            try Self.value(#"{\#(Self.apple),"agents":["risk","technical"],"wait":false}"#))
        #expect(picked.request == AnalysisRequest(asset: asset, agents: [.risk, .technical]))
        #expect(!picked.wait)
    }

    @Test(
        "What is wrong is told",
        arguments: [
            ("[]", "the body must be an object"), ("{}", "asset is required"),
            (#"{"asset":null}"#, "asset is required"), (#"{"asset":{}}"#, "asset.symbol is required"),
            (
                #"{"asset":{"symbol":"AAPL"}}"#, "asset.asset_type is required"
            ),
            (
                #"{"asset":{"symbol":"A PL","asset_type":"equity"}}"#,
                "asset.symbol must be 1 to 32 characters of printable ASCII"
            ),
            (
                #"{"asset":{"symbol":"AAPL","asset_type":"stock"}}"#,
                "unknown name 'stock' at asset.asset_type; expected one of equity"
            ),
            (
                #"{"asset":{"symbol":"AAPL","asset_type":"equity","isin":"x"}}"#,
                "unknown member 'isin' at asset"
            ),
            ("{\(apple),\"agent\":[]}", "unknown member 'agent'; expected one of asset, agents, wait"),
            ("{\(apple),\"agents\":[]}", "agents must not be empty"),
            ("{\(apple),\"agents\":\"risk\"}", "agents must be a list"),
            (
                "{\(apple),\"agents\":[\"risk\",\"astrology\"]}",
                "unknown name 'astrology' at agents[1]; expected one of fundamentals, technical, macro, "
                    + "sentiment, correlation, risk, news, options"
            ),
            ("{\(apple),\"agents\":[\"risk\",\"news\",\"risk\"]}", "agents[2] names risk a second time"),
            ("{\(apple),\"agents\":[1]}", "agents[0] must be one of fundamentals"),
            ("{\(apple),\"wait\":\"no\"}", "wait must be true or false"),
        ])
    func wrong(text: String, message: String) throws {
        let value = try Self.value(text)
        let error = #expect(throws: InvalidMember.self) { try AnalysisRequest.parse(value) }
        #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "none")")
    }

    @Test("A batch has 1 to 50 assets, in their order")
    func batch() throws {
        func batch(_ symbols: [String]) throws -> JSONValue {
            let assets = symbols.map { JSONValue.object(["symbol": .string($0), "asset_type": "crypto"]) }
            return ["assets": .array(assets), "agents": ["news"]]
        }
        let request = try AnalysisBatchRequest.parse(try batch(["BTC", "eth", "BTC"]))
        #expect(request.assets.map(\.symbol) == ["BTC", "ETH", "BTC"])
        #expect(request.agents == [.news])
        let most = (0..<50).map { "A\($0)" }
        #expect(try AnalysisBatchRequest.parse(try batch(most)).assets.count == 50)
        for (symbols, message) in [
            ([], "assets must not be empty"), (most + ["B"], "assets must not have more than 50 entries"),
            (["BTC", "B C"], "assets[1].symbol must be"),
        ] {
            let value = try batch(symbols)
            let error = #expect(throws: InvalidMember.self) { try AnalysisBatchRequest.parse(value) }
            #expect(error?.message.hasPrefix(message) == true, "\(error?.message ?? "none")")
        }
        #expect(throws: InvalidMember.self) { try AnalysisBatchRequest.parse([:]) }
    }
}
