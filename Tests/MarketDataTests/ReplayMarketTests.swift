import FIMLCore
import GatewayTesting
import Testing

@testable import MarketData

@Suite("A replayed market answers as of a moment")
struct ReplayMarketTests {
    private static let asset = Asset(symbol: "A", assetType: .equity)
    private static let unknown = Asset(symbol: "B", assetType: .equity)

    private static func market(_ files: String...) throws -> ReplayMarket {
        let recording = try parseRecording(files.map { (name: "A.csv", bytes: Array($0.utf8)) })
        return try ReplayMarket(recording, from: nil, speed: 1)
    }

    private static func at(_ second: Int64) -> Timestamp { Timestamp(milliseconds: second * 1_000) }

    private static let bars = "time,close\n0,1\n60,2\n120,3\n240,4\n"
    private static let rates = "time,exchange,funding_rate\n30,x,0.1\n90,x,0.2\n60,y,0.3\n"

    @Test("a bar is seen from its close on, never before, and never more than asked for")
    func bars() throws {
        let market = try Self.market(Self.bars)
        func closes(_ moment: Timestamp, limit: Int) throws -> [Double] {
            let answers = market.bars(of: [Self.asset], closedBy: moment, limit: limit, unfinished: true)
            return try answers[0].result.get().map(\.close)
        }
        #expect(try closes(Self.at(59), limit: 9) == [])
        #expect(try closes(Self.at(60), limit: 9) == [1])
        #expect(try closes(Self.at(299), limit: 2) == [2, 3])
        #expect(try closes(Self.at(999), limit: .max) == [1, 2, 3, 4])
        #expect(try closes(Self.at(999), limit: 0) == [])
        #expect(try closes(Self.at(999), limit: .min) == [])
        #expect(try closes(Timestamp(milliseconds: .min), limit: 9) == [])
        #expect(try closes(Timestamp(milliseconds: .max), limit: 1) == [4])
    }

    @Test("answers come in the order asked for, and of what was not recorded they are empty")
    func order() throws {
        let market = try Self.market(Self.bars, Self.rates)
        let assets = [Self.unknown, Self.asset, Self.unknown]
        let bars = market.bars(of: assets, closedBy: Self.at(999), limit: 9, unfinished: false)
        #expect(bars.map(\.asset) == assets)
        #expect(try bars.map { try $0.result.get().count } == [0, 4, 0])
        let quotes = market.quotes(of: assets, at: Self.at(999), covering: 999)
        #expect(try quotes.map { try $0.result.get().count } == [0, 4, 0])
        let rates = market.fundingRates(of: assets, at: Self.at(999))
        #expect(try rates.map { try $0.result.get().count } == [0, 2, 0])
        #expect(
            try market.depths(of: assets, at: Self.at(999)).map { try $0.result.get() } == [nil, nil, nil])
        #expect(
            try market.earnings(of: assets, at: Self.at(999)).map { try $0.result.get() } == [nil, nil, nil])
    }

    @Test("quotes are the closes: all of the time asked for before the newest, and at least two")
    func quotes() throws {
        let market = try Self.market(Self.bars)
        func prices(_ moment: Timestamp, _ seconds: Int64) throws -> [Double] {
            try market.quotes(of: [Self.asset], at: moment, covering: seconds)[0].result.get().map(\.price)
        }
        #expect(try prices(Self.at(59), 60) == [])
        #expect(try prices(Self.at(60), 60) == [1])
        #expect(try prices(Self.at(180), 0) == [2, 3])
        #expect(try prices(Self.at(180), 119) == [2, 3])
        #expect(try prices(Self.at(180), 120) == [1, 2, 3])
        #expect(try prices(Self.at(300), 60) == [3, 4])
        #expect(try prices(Self.at(300), .max) == [1, 2, 3, 4])
        #expect(try prices(Self.at(300), .min) == [3, 4])
        #expect(try prices(Timestamp(milliseconds: .max), 180) == [2, 3, 4])
        let newest = try market.quotes(of: [Self.asset], at: Self.at(310), covering: 0)[0].result.get().last
        #expect(newest == Quote(observedAt: Self.at(300), price: 4, intervalSeconds: 60))
    }

    @Test("the newest rate of each exchange is seen once it is known")
    func fundingRates() throws {
        let market = try Self.market(Self.rates)
        func rates(_ second: Int64) throws -> [Double] {
            try market.fundingRates(of: [Self.asset], at: Self.at(second))[0].result.get().map(\.rate)
        }
        #expect(try rates(29) == [])
        #expect(try rates(30) == [0.1])
        #expect(try rates(89) == [0.1, 0.3])
        #expect(try rates(90) == [0.2, 0.3])
    }

    @Test("a report is seen once it was made, the newest only")
    func earnings() throws {
        let market = try Self.market(
            "time,quarter_end,actual_eps\n100,1969-12-31,1\n200,1969-12-31,2\n")
        func eps(_ second: Int64) throws -> Double? {
            try market.earnings(of: [Self.asset], at: Self.at(second))[0].result.get()?.actualEPS
        }
        #expect(try [99, 100, 199, 200, 999].map { try eps($0) } == [nil, 1, 1, 2, 2])
        #expect(market.earningsAssets.map(\.symbol) == ["A"])
    }

    @Test("transfers are seen from their block on, and on the recorded days only")
    func transfers() throws {
        let day: Int64 = 86_400
        let market = try Self.market(
            """
            time,tx_hash,amount,usd_value
            \(day + 100),a,1,10
            \(day + 100),b,1,20
            \(day + 160),c,1,30
            \(3 * day + 5),d,1,40
            """)
        func hashes(_ second: Int64, within seconds: Int64 = 60, minUSD: Double = 0) throws -> [String]? {
            try market.transfers(of: [Self.asset], at: Self.at(second), within: seconds, minUSD: minUSD)[0]
                .result.get()?.map(\.hash)
        }
        #expect(try hashes(day - 1) == nil)
        #expect(try hashes(day) == [])
        #expect(try hashes(day + 99) == [])
        #expect(try hashes(day + 100) == ["a", "b"])
        #expect(try hashes(day + 159) == ["a", "b"])
        #expect(try hashes(day + 160) == ["c"])
        #expect(try hashes(day + 160, within: 61) == ["a", "b", "c"])
        #expect(try hashes(day + 160, within: .max, minUSD: 20) == ["b", "c"])
        #expect(try hashes(day + 160, within: .min) == [])
        #expect(try hashes(day + 160, minUSD: .nan) == [])
        #expect(try hashes(2 * day + 50) == [])
        #expect(try hashes(4 * day - 1, within: day) == ["d"])
        #expect(try hashes(4 * day) == nil)
        #expect(
            try market.transfers(of: [Self.unknown], at: Self.at(day), within: 1, minUSD: 0)[0].result.get()
                == nil)
        let ends = [Int64.min, .max].map { Timestamp(milliseconds: $0) }
        for end in ends {
            let answer = market.transfers(of: [Self.asset], at: end, within: .max, minUSD: 0)[0]
            #expect(try answer.result.get() == nil)
        }
    }

    @Test("days before 1970 are days too")
    func transfersBefore1970() throws {
        let market = try Self.market("time,tx_hash,amount,usd_value\n1969-12-31T12:00:00Z,a,1,1\n")
        let seen = try [-86_401, -86_400, -1, 0].map { second in
            try market.transfers(of: [Self.asset], at: Self.at(second), within: .max, minUSD: 0)[0].result
                .get()?.count
        }
        #expect(seen == [nil, 0, 1, nil])
    }

    @Test("each depth has the mean of the 7 days before it, a snapshot seven days old among them")
    func depthWindow() throws {
        let week: Int64 = 604_800
        let market = try Self.market(
            "time,depth_usd\n0,100\n1000,200\n\(week),600\n\(week + 1),900\n\(3 * week),1\n")
        func depth(_ second: Int64) throws -> MarketDepth? {
            try market.depths(of: [Self.asset], at: Self.at(second))[0].result.get()
        }
        #expect(try depth(-1) == nil)
        #expect(try depth(0)?.meanUSD == nil)
        #expect(try depth(0)?.snapshots == 0)
        #expect(try depth(1_000)?.meanUSD == 100)
        #expect(try depth(week - 1)?.observedAt == Self.at(1_000))
        #expect(try depth(week)?.meanUSD == 150)
        #expect(try depth(week + 1)?.meanUSD == 400)
        #expect(try depth(week + 1)?.snapshots == 2)
        #expect(try depth(3 * week)?.meanUSD == nil)
        #expect(market.depthAssets.map(\.symbol) == ["A"])
    }

    /// The naive mean adds up each window on its own, with the running error carried along (Kahan).
    @Test("means agree with adding up each window, after far greater depths too", arguments: UInt64(1)...8)
    func depthMeans(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var second: Int64 = 0
        let rows: [(second: Int64, depth: Double)] = (0..<400).map { index in
            second += Int64.random(in: 1...20_000, using: &random)
            let size = index < 100 ? 1e15 : 1_000
            return (second, Double.random(in: 0.5...1, using: &random) * size)
        }
        let market = try Self.market(
            "time,depth_usd\n" + rows.map { "\($0.second),\($0.depth)\n" }.joined())
        for row in rows {
            let depth = try #require(
                try market.depths(of: [Self.asset], at: Self.at(row.second))[0].result.get())
            let window = rows.filter { $0.second < row.second && $0.second >= row.second - 604_800 }
            var sum = 0.0
            var error = 0.0
            for other in window {
                let term = other.depth - error
                let next = sum + term
                error = (next - sum) - term
                sum = next
            }
            #expect(depth.depthUSD == row.depth)
            #expect(depth.snapshots == window.count)
            guard let mean = depth.meanUSD else {
                #expect(window.isEmpty)
                continue
            }
            #expect(abs(mean * Double(window.count) / sum - 1) < 1e-12)
        }
    }

    @Test("it starts with the first figure unless told otherwise, and not after the last")
    func start() throws {
        var clock = try Self.market(Self.bars, Self.rates).clock
        #expect(clock.advance(to: .zero).map(\.time.milliseconds) == [0])
        let recording = try parseRecording([(name: "A.csv", bytes: Array("time,close\n0,1\n".utf8))])
        #expect(throws: MarketDataError.self) {
            try ReplayMarket(recording, from: Self.at(60), speed: 1)
        }
    }

    @Test("each figure of any kind is told when it becomes known, and so is a change of the script")
    func arrivals() throws {
        var clock = try Self.market(
            Self.bars, Self.rates, "time,depth_usd\n100,1\n",
            "time,quarter_end,actual_eps\n110,1969-12-31,1\n",
            "time,tx_hash,amount,usd_value\n130,a,1,1\n", "time,exchange,status_code\n140,kraken,503\n"
        ).clock
        let told = clock.advance(to: .seconds(150)).map { $0.time.milliseconds / 1_000 }
        #expect(told == [0, 30, 60, 90, 100, 110, 120, 130, 140, 150])
    }

    @Test("between two looks at the real clock lies a tick, though the market's time has gone on")
    func ticks() async throws {
        let driver = ReplayDriver(try Self.market(Self.bars).clock, tick: .seconds(3_600))
        #expect(await driver.next() != nil)
        let second = Task { await driver.next() }
        second.cancel()
        #expect(await second.value == nil)
    }

    @Test("the driver delivers the first moments by the real clock and ends when cancelled")
    func driver() async throws {
        let market = try Self.market(Self.bars)
        let reader = Task { () -> MarketMoment? in
            for await moment in market.moments() { return moment }
            return nil
        }
        #expect(await reader.value == MarketMoment(lap: 0, time: Timestamp(milliseconds: 0)))
        let cancelled = Task {
            for await _ in market.moments() {}
        }
        cancelled.cancel()
        await cancelled.value
    }
}
