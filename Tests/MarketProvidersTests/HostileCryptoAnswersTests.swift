import FIMLCore
import GatewayTesting
import MarketData
import Testing

@testable import MarketProviders

@Suite("Answers of exchanges and chains are not trusted: refused with a reason or thrown, never a trap")
struct HostileCryptoAnswersTests {
    /// What may stand where a figure should; nil leaves it out.
    static let hostile: [JSONValue?] = [
        nil, .null, "None", "", "NaN", "inf", "0x", "garbled", "-1", -1, "1e999", 1e300, true, [], [:],
        [[[[]]]], ["a": ["b": .null]], .string(String(repeating: "9", count: 400)), "\u{0}", "１",
    ]

    @Test("Every decoder reads its fixture with nothing refused", arguments: CryptoDecoder.all)
    func fixture(decoder: CryptoDecoder) throws {
        let outcome = try decoder.decode([UInt8](decoder.fixture.utf8))
        #expect(outcome.isSound)
        #expect(outcome.refused == 0)
    }

    @Test("A figure that is needed and hostile is refused or thrown", arguments: CryptoDecoder.all)
    func neededPlaces(decoder: CryptoDecoder) throws {
        let answer = try JSONValue.parse([UInt8](decoder.fixture.utf8))
        for place in decoder.needed {
            let path = place.split(separator: ".").map(String.init)
            for value in Self.hostile {
                // To take a column out of a row moves the others; an empty list is a list.
                if value == nil, Int(path.last ?? "") != nil { continue }
                if value == [], answer.paths.contains(path + ["0"]) { continue }
                // A rate may be negative, and "-1" is its lowest.
                if place.lowercased().hasSuffix("rate"), value == -1 || value == "-1" { continue }
                let changed = answer.replacing(path[...], with: value)
                #expect(changed != answer, "\(place) is not in the fixture")
                do {
                    let outcome = try decoder.decode(changed.json)
                    #expect(outcome.isSound)
                    #expect(outcome.refused > 0, "\(place) = \(value.map { "\($0)" } ?? "missing")")
                } catch {
                    #expect(!error.description.isEmpty)
                }
            }
        }
    }

    @Test("Wherever a hostile value stands, what is read is sound", arguments: CryptoDecoder.all)
    func everyPlace(decoder: CryptoDecoder) throws {
        let answer = try JSONValue.parse([UInt8](decoder.fixture.utf8))
        for path in answer.paths {
            for value in Self.hostile {
                let outcome = try? decoder.decode(answer.replacing(path[...], with: value).json)
                #expect(outcome?.isSound != false)
            }
        }
    }

    @Test(
        "Bodies that are nothing are thrown", arguments: CryptoDecoder.all,
        [
            "", " ", "null", "true", "0", "\"\"", "[]", "{}", "[null]", "[[]]", "<html>", "{\"a\":1,}",
            String(repeating: "[", count: 100_000), String(repeating: "{\"result\":", count: 50_000),
        ])
    func bodies(decoder: CryptoDecoder, body: String) {
        #expect(throws: MarketDataError.self) { try decoder.decode([UInt8](body.utf8)) }
    }

    @Test(
        "No flipped byte, no cut and no doubled piece traps or gives unsound figures",
        arguments: CryptoDecoder.all)
    func mutations(decoder: CryptoDecoder) {
        var random = SeededGenerator(seed: 20_261_124)
        let original = [UInt8](decoder.fixture.utf8)
        for _ in 0..<1_500 {
            var body = original
            for _ in 0...Int.random(in: 0..<3, using: &random) where !body.isEmpty {
                let at = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body[at] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 1: body[at] = [UInt8]("0123456789-+.eE\"[]{},:".utf8).randomElement(using: &random) ?? 0
                case 2: body.removeSubrange(at..<min(at + 5, body.count))
                default: body.insert(contentsOf: body[at..<min(at + 9, body.count)], at: at)
                }
            }
            if Bool.random(using: &random) {
                body.removeLast(Int.random(in: 0...2, using: &random) % max(body.count, 1))
            }
            let outcome = try? decoder.decode(body)
            #expect(outcome?.isSound != false, "\(String(decoding: body, as: UTF8.self))")
        }
    }

    @Test(
        "What a provider says is wrong is in the error, status 200 or not",
        arguments: [
            ("kraken bars", #"{"error":["EQuery:Unknown asset pair"]}"#, "EQuery:Unknown asset pair"),
            ("kraken quote", #"{"error":["EGeneral:Too many requests"],"result":{}}"#, "Too many requests"),
            (
                "bybit bars", #"{"retCode":10001,"retMsg":"params error","result":{},"time":1}"#,
                "params error"
            ),
            ("bybit funding", #"{"retCode":"0","retMsg":"odd"}"#, "odd"),
            ("okx book", #"{"code":"51001","msg":"Instrument ID does not exist","data":[]}"#, "51001|exist"),
            ("binance book", #"{"code":-1121,"msg":"Invalid symbol."}"#, "Invalid symbol."),
            ("binance funding", #"{"code":-1121,"msg":"Invalid symbol."}"#, "Invalid symbol."),
            ("coinbase quote", #"{"message":"NotFound"}"#, "NotFound"),
            ("blockchain.info block", #"{"error":"not-found-or-invalid-arg","message":"Block"}"#, "Block"),
            (
                "ethereum number", #"{"jsonrpc":"2.0","id":1,"error":{"code":-32005,"message":"limit"}}"#,
                "limit"
            ),
            ("whale alert", #"{"result":"error","message":"invalid api_key"}"#, "invalid api_key"),
        ])
    func providerErrors(name: String, body: String, said: String) throws {
        let decoder = try #require(CryptoDecoder.all.first { $0.description == name })
        do {
            _ = try decoder.decode([UInt8](body.utf8))
            Issue.record("nothing was thrown")
        } catch {
            let words = said.split(separator: "|").last.map(String.init) ?? said
            #expect(error.description.contains(words))
        }
    }

    /// Errors with status 200 of those who answer so, and what they mean.
    private static let causesTold: [(String, String, MarketDataError.Cause)] = [
        ("kraken bars", #"{"error":["EQuery:Unknown asset pair"]}"#, .hasNone),
        ("kraken quote", #"{"error":["EGeneral:Too many requests"]}"#, .tooOften),
        ("kraken quote", #"{"error":["EService:Unavailable"]}"#, .failure),
        ("bybit bars", #"{"retCode":10001,"retMsg":"Not supported symbols"}"#, .hasNone),
        (
            "bybit bars", #"{"retCode":10006,"retMsg":"Too many visits. Exceeded the API Rate Limit."}"#,
            .tooOften
        ),
        ("bybit bars", #"{"retCode":10016,"retMsg":"Server error."}"#, .failure),
        ("okx book", #"{"code":"51001","msg":"Instrument ID does not exist"}"#, .hasNone),
        ("okx book", #"{"code":"50011","msg":"Too Many Requests"}"#, .tooOften),
        ("okx book", #"{"code":"50001","msg":"Service temporarily unavailable."}"#, .failure),
        ("kraken bars", "<html>", .failure), ("binance bars", "[]", .hasNone),
        ("binance bars", "[[1,2]]", .failure),
    ]

    @Test("Errors tell an unknown symbol and a limit from faults of the provider", arguments: causesTold)
    func causes(name: String, body: String, cause: MarketDataError.Cause) throws {
        let decoder = try #require(CryptoDecoder.all.first { $0.description == name })
        let error = #expect(throws: MarketDataError.self) { try decoder.decode([UInt8](body.utf8)) }
        #expect(error?.cause == cause)
    }

    @Test("However long a provider's words are, an error is short")
    func longWords() throws {
        // One character of many scalars.
        let word = "a" + String(repeating: "\u{301}", count: 100_000)
        for decoder in CryptoDecoder.all {
            let path = (decoder.needed.first ?? "").split(separator: ".").map(String.init)
            let answer = try JSONValue.parse([UInt8](decoder.fixture.utf8))
            for body in [
                answer.replacing(path[...], with: .string(word)), ["msg": .string(word)],
                ["message": .string(word)], ["error": [.string(word)]],
                ["retCode": 1, "retMsg": .string(word)],
            ] as [JSONValue] {
                do {
                    _ = try decoder.decode(body.json)
                } catch {
                    #expect(error.description.utf8.count < 1_000)
                }
            }
        }
    }

    @Test("A bar is refused for its high below its low, for its time twice, and going back; the rest is used")
    func contradictingBars() throws {
        let rows = """
            [[1700000000000,"100","101","99","100","1"],[1700000060000,"100","99","101","100","1"],
            [1700000120000,"100","101","99","200","1"],[1700000000000,"100","101","99","100","1"],
            [1600000000000,"100","101","99","100","1"],[1700000180000,"100","101","99","100","-5"]]
            """
        let decoded = try #require(
            Binance.bars(of: ExchangeDecoderTests.btc, every: .minute, limit: 9)
        ).decode([UInt8](rows.utf8))
        #expect(decoded.figures.map(\.opensAt.milliseconds) == [1_700_000_000_000, 1_700_000_180_000])
        #expect(decoded.figures.map(\.volume) == [1, nil])
        #expect(decoded.refused.count == 5)
        #expect(decoded.refused.reasons.first?.hasPrefix("klines[1] ") == true)
    }

    @Test("Of an order book, levels that are none are refused, and a price twice; it must not cross itself")
    func contradictingBooks() throws {
        func decode(_ bids: String, _ asks: String) throws -> Decoded<OrderBook> {
            try #require(Binance.orderBook(of: ExchangeDecoderTests.btc))
                .decode([UInt8]("{\"bids\":[\(bids)],\"asks\":[\(asks)]}".utf8))
        }
        let decoded = try decode(
            #"["98","1"],["99","1"],["99","2"],["97","0"],["-3","1"],["96"],null"#, #"["100","1"]"#)
        #expect(decoded.figures.bids.map(\.price) == [99, 98])
        #expect(decoded.refused.count == 5)
        #expect(try decode("", #"["100","1"]"#).figures.bids == [])
        #expect(throws: MarketDataError.self) { try decode("", "") }
        #expect(throws: MarketDataError.self) { try decode(#"["101","1"]"#, #"["100","1"]"#) }
        #expect(throws: MarketDataError.self) { try decode(#"["98","x"]"#, #"["100","1"]"#) }
    }

    @Test("A funding rate of more than 100 %, or for an interval that no exchange has, is refused")
    func fundingBounds() throws {
        let large = CryptoFixtures.premiumIndex.replacing("-0.00125", with: "1.5")
        #expect(throws: MarketDataError.self) {
            try BinanceFutures.fundingRate(of: ExchangeDecoderTests.btc)?.decode([UInt8](large.utf8))
        }
        for interval in ["0", "5", "-4", "1e30", "four"] {
            let odd = CryptoFixtures.bybitTicker.replacing(
                #""fundingIntervalHour":"4""#, with: #""fundingIntervalHour":"\#(interval)""#)
            #expect(throws: MarketDataError.self) {
                try Bybit.fundingRate(of: ExchangeDecoderTests.btc)?.decode([UInt8](odd.utf8))
            }
        }
    }

    @Test("No more levels and bars are read than are bounded")
    func bounds() throws {
        let levels = (0..<30_000).map { "[\"\(100 + $0)\",\"1\"]" }.joined(separator: ",")
        let book = try #require(Kraken.orderBook(of: ExchangeDecoderTests.btc)).decode(
            [UInt8]("{\"error\":[],\"result\":{\"X\":{\"bids\":[],\"asks\":[\(levels)]}}}".utf8))
        #expect(book.figures.asks.count == AnswerReader.levelLimit)
        let rows = (0..<6_000).map { "[\(1_700_000_000 - $0 * 60),1,1,1,1,1]" }.joined(separator: ",")
        let bars = try #require(
            CoinbaseExchange.bars(of: ExchangeDecoderTests.btc, every: .minute, limit: .max)
        ).decode([UInt8]("[\(rows)]".utf8))
        #expect(bars.figures.count == AnswerReader.rowLimit)
        #expect(bars.figures.last?.opensAt.milliseconds == 1_700_000_000_000)
    }
}

extension JSONValue {
    /// The value with what is at a path replaced; nil takes it out.
    func replacing(_ path: ArraySlice<String>, with value: JSONValue?) -> JSONValue {
        guard let first = path.first else { return value ?? .null }
        let rest = path.dropFirst()
        switch self {
        case .array(var elements):
            guard let index = Int(first), elements.indices.contains(index) else { return self }
            if rest.isEmpty, value == nil {
                elements.remove(at: index)
            } else {
                elements[index] = elements[index].replacing(rest, with: value)
            }
            return .array(elements)
        case .object(var members):
            guard let member = members[first] else { return self }
            members[first] = rest.isEmpty && value == nil ? nil : member.replacing(rest, with: value)
            return .object(members)
        case .null, .bool, .integer, .number, .string:
            return self
        }
    }

    /// The paths to all values within.
    var paths: [[String]] {
        switch self {
        case .array(let elements):
            elements.enumerated().flatMap { index, element in
                [["\(index)"]] + element.paths.map { ["\(index)"] + $0 }
            }
        case .object(let members):
            members.flatMap { name, member in [[name]] + member.paths.map { [name] + $0 } }
        case .null, .bool, .integer, .number, .string:
            []
        }
    }
}
