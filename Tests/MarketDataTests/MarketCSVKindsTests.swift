import FIMLCore
import GatewayTesting
import Testing

@testable import MarketData

@Suite("Depth, earnings, transfers, scripts and episodes are read, or their faults are named")
struct MarketCSVKindsTests {
    @Test("snapshots of depth are of one exchange a symbol, and get their interval")
    func depth() throws {
        let text =
            "time,symbol,exchange,depth_usd\n60,btc,Binance,5\n120,BTC,binance,7.5\n180,BTC,binance,0\n"
        let series = try #require(try Self.read(text).depths.first)
        #expect(series.asset == Asset(symbol: "BTC", assetType: .crypto, market: .crypto))
        #expect(series.figures.map(\.depthUSD) == [5, 7.5, 0])
        #expect(series.figures.map(\.intervalSeconds) == [60, 60, 60])
    }

    @Test("earnings may lack estimates and revenue; what a day reports is known when it is over")
    func earnings() throws {
        let text = """
            time,symbol,quarter_end,actual_eps,estimated_eps,revenue,revenue_estimate
            2020-04-30,AMZN,2020-03-31,-5.01,,,
            2020-07-30T20:01:00Z,AMZN,2020-06-30,10.3,1.46,88912000000,81.5e9
            """
        let series = try #require(try Self.read(text).earnings.first)
        #expect(series.asset == Asset(symbol: "AMZN", assetType: .equity))
        #expect(
            series.figures == [
                // 2020-03-31 and 2020-05-01.
                EarningsReport(
                    quarterEnd: Timestamp(milliseconds: 1_585_612_800_000),
                    reportedAt: Timestamp(milliseconds: 1_588_291_200_000), actualEPS: -5.01,
                    estimatedEPS: nil),
                // 2020-06-30 and 2020-07-30T20:01:00Z.
                EarningsReport(
                    quarterEnd: Timestamp(milliseconds: 1_593_475_200_000),
                    reportedAt: Timestamp(milliseconds: 1_596_139_260_000), actualEPS: 10.3,
                    estimatedEPS: 1.46, revenue: 88_912_000_000, revenueEstimate: 81_500_000_000),
            ])
    }

    @Test("the transfers of one block share its time, and each is taken once")
    func transfers() throws {
        let text = """
            time,tx_hash,from,to,amount,usd_value
            60,aa,,Some Exchange,2,200
            60,bb,x,,3,300
            60,aa,,,2,200
            120,aa,,,1,100
            """
        let recording = try Self.read(text, file: "eth.csv")
        let series = try #require(recording.transfers.first)
        #expect(series.asset.symbol == "ETH")
        #expect(series.figures.map(\.hash) == ["aa", "bb", "aa"])
        #expect(series.figures.map(\.from) == [nil, "x", nil])
        #expect(series.figures.map(\.to) == ["Some Exchange", nil, nil])
        #expect(recording.refused.first.map(\.line) == [4])
    }

    @Test("a script says how each exchange answers, ordered by time; an empty status is no answer")
    func script() throws {
        let text = """
            time,exchange,status_code,response_ms
            120,Kraken,503,250
            60,binance,,
            180,binance,200,0
            """
        func entry(_ second: Int64, _ exchange: String, _ status: Int?, _ delay: Int) -> ExchangeScriptEntry {
            ExchangeScriptEntry(
                time: Timestamp(milliseconds: second * 1_000), exchange: exchange, statusCode: status,
                delayMilliseconds: delay)
        }
        #expect(
            try Self.read(text).exchangeScript == [
                entry(60, "binance", nil, 0), entry(120, "kraken", 503, 250), entry(180, "binance", 200, 0),
            ])
    }

    @Test("episodes are ordered and apart; a date is the start of its day")
    func episodes() throws {
        let text =
            "from,to,what\n2020-02-24,2020-03-21T00:00:00Z,\"a crash, and more\"\n1596067200,1596196800,\n"
        #expect(
            try Self.read(text).episodes == [
                Episode(
                    from: Timestamp(milliseconds: 1_582_502_400_000),
                    to: Timestamp(milliseconds: 1_584_748_800_000), what: "a crash, and more"),
                Episode(
                    from: Timestamp(milliseconds: 1_596_067_200_000),
                    to: Timestamp(milliseconds: 1_596_196_800_000)),
            ])
    }

    @Test(
        "the header tells what a file holds",
        arguments: [
            ("time,exchange,status_code,close", .exchangeScript),
            ("date,from,to,tx_hash,amount,usd_value", .transfers),
            ("time,depth_usd", .depth), ("actual_eps,Quarter_End,DATE", .earnings),
            ("time,exchange,funding_rate,close", .fundingRates), ("time,from,to,close", .bars),
            ("to,from", .episodes),
        ] as [(String, MarketCSV.Kind)])
    func kinds(header: String, kind: MarketCSV.Kind) throws {
        #expect(try MarketCSV(Array(header.utf8), file: "A.csv").kind == kind)
    }

    @Test(
        "a header of no kind is refused",
        arguments: [
            "time,from,to", "from,what", "depth_usd", "time,tx_hash,amount", "time,status_code",
            "time,actual_eps",
            "time,symbol",
        ])
    func noKind(header: String) {
        let problem = #expect(throws: CSVProblem.self) { try MarketCSV(Array(header.utf8), file: "A.csv") }
        #expect(problem?.value == header)
    }

    /// Header and good row of each kind; `good` is at second 60.
    private static let depthHeader = "time,symbol,exchange,asset_type,depth_usd\n60,BTC,binance,crypto,5\n"
    private static let earningsHeader =
        "time,symbol,quarter_end,actual_eps,estimated_eps,revenue,revenue_estimate\n"
        + "2020-01-30,A,2019-12-31,1,1,1,1\n"
    private static let transferHeader = "time,symbol,tx_hash,from,to,amount,usd_value\n60,BTC,aa,x,y,1,1\n"
    private static let scriptHeader = "time,exchange,status_code,response_ms\n60,kraken,200,1\n"
    private static let episodeHeader = "from,to,what\n60,120,x\n"

    @Test(
        "a wrong row is left out with its line, column, value and what is allowed",
        arguments: [
            (depthHeader, "x,BTC,binance,crypto,5", "time", "x"),
            (depthHeader, "60,BTC,binance,crypto,5", "time", "60"),
            (depthHeader, "90,B C,binance,crypto,5", "symbol", "B C"),
            (depthHeader, "90,BTC,a b,crypto,5", "exchange", "a b"),
            (depthHeader, "90,BTC,okx,crypto,5", "exchange", "okx"),
            (depthHeader, "90,BTC,,crypto,5", "exchange", ""),
            (depthHeader, "90,BTC,binance,coin,5", "asset_type", "coin"),
            (depthHeader, "90,BTC,binance,crypto,-1", "depth_usd", "-1"),
            (depthHeader, "90,BTC,binance,crypto,1e16", "depth_usd", "1e16"),
            (depthHeader, "90,BTC,binance,crypto,nan", "depth_usd", "nan"),
            (depthHeader, "90,BTC,binance,crypto", "depth_usd", ""),
            (earningsHeader, "2020-01-30,A,2019-12-31,1,1,1,1", "time", "2020-01-30"),
            (earningsHeader, "2020-04-30,A,soon,1,1,1,1", "quarter_end", "soon"),
            (earningsHeader, "2020-04-30,A,2020-05-01,1,1,1,1", "quarter_end", "2020-05-01"),
            (
                earningsHeader, "2020-04-30,A,2020-03-31T00:00:00Z,1,1,1,1", "quarter_end",
                "2020-03-31T00:00:00Z"
            ),
            (earningsHeader, "2020-04-30,A,2020-03-31,,1,1,1", "actual_eps", ""),
            (earningsHeader, "2020-04-30,A,2020-03-31,None,1,1,1", "actual_eps", "None"),
            (earningsHeader, "2020-04-30,A,2020-03-31,1,2e9,1,1", "estimated_eps", "2e9"),
            (earningsHeader, "2020-04-30,A,2020-03-31,1,1,-,1", "revenue", "-"),
            (earningsHeader, "2020-04-30,A,2020-03-31,1,1,1,1e19", "revenue_estimate", "1e19"),
            (transferHeader, "59,BTC,bb,x,y,1,1", "time", "59"),
            (transferHeader, "60,BTC,aa,x,y,1,1", "time", "60"),
            (transferHeader, "2020-01-01,BTC,bb,x,y,1,1", "time", "2020-01-01"),
            (transferHeader, "90,BTC,,x,y,1,1", "tx_hash", ""),
            (transferHeader, "90,BTC,b\u{1}b,x,y,1,1", "tx_hash", "b?b"),
            (transferHeader, "90,BTC,bb,x,y,-1,1", "amount", "-1"),
            (transferHeader, "90,BTC,bb,x,y,1,", "usd_value", ""),
            (transferHeader, "90,BTC,bb,x,y,1,inf", "usd_value", "inf"),
            (scriptHeader, "60,kraken,200,1", "time", "60"),
            (scriptHeader, "90,kr aken,200,1", "exchange", "kr aken"),
            (scriptHeader, "90,kraken,100,1", "status_code", "100"),
            (scriptHeader, "90,kraken,600,1", "status_code", "600"),
            (scriptHeader, "90,kraken,2e2,1", "status_code", "2e2"),
            (scriptHeader, "90,kraken,200,-1", "response_ms", "-1"),
            (scriptHeader, "90,kraken,200,99999999999999999999", "response_ms", "99999999999999999999"),
            (episodeHeader, "120,180,x", "from", "120"), (episodeHeader, "130,130,x", "to", "130"),
            (episodeHeader, "140,130,x", "to", "130"), (episodeHeader, ",130,x", "from", ""),
            (episodeHeader, "130,late,x", "to", "late"), (episodeHeader, "130,140,a\u{7}", "what", "a?"),
        ])
    func rows(header: String, row: String, column: String, value: String) throws {
        let recording = try Self.read(header + row + "\n", file: "mine.csv")
        #expect(recording.refused.count == 1)
        let problem = try #require(recording.refused.first.first)
        #expect((problem.file, problem.line, problem.column, problem.value) == ("mine.csv", 3, column, value))
        #expect(!problem.allowed.isEmpty)
    }

    @Test("text is bounded and is UTF-8")
    func text() throws {
        var bytes = Array((Self.transferHeader + "61,BTC,").utf8)
        bytes += Array(repeating: UInt8(ascii: "a"), count: 129) + Array(",,,1,1\n62,BTC,a".utf8)
        bytes += [0xFF] + Array(",,,1,1\n63,BTC,bb,,,1,1\n".utf8)
        let recording = try parseRecording([("BTC.csv", bytes)])
        #expect(recording.refused.first.map(\.line) == [3, 4])
        #expect(recording.transfers[0].figures.map(\.hash) == ["aa", "bb"])
    }

    @Test("mutilated files never trap", arguments: UInt64(1)...20)
    func mutilated(seed: UInt64) {
        var random = SeededGenerator(seed: seed)
        let files = [
            Self.depthHeader, Self.earningsHeader, Self.transferHeader, Self.scriptHeader, Self.episodeHeader,
        ]
        for _ in 0..<300 {
            var bytes = Array(files[Int.random(in: 0..<files.count, using: &random)].utf8)
            for _ in 0..<Int.random(in: 1...6, using: &random) {
                let index = Int.random(in: 0..<bytes.count, using: &random)
                bytes[index] = Bool.random(using: &random) ? UInt8.random(in: 0...255, using: &random) : 0x2C
            }
            do throws(CSVProblem) {
                let recording = try parseRecording([
                    ("A.csv", bytes), ("B.csv", Array("time,close\n60,1".utf8)),
                ])
                _ = try? ReplayMarket(recording, from: nil, speed: 1)
            } catch {
                #expect(!error.description.isEmpty)
            }
        }
    }

    private static func read(_ text: String, file: String = "ABC.csv") throws(CSVProblem) -> Recording {
        try parseRecording([(file, Array(text.utf8))])
    }
}
