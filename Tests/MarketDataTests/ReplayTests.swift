import FIMLCore
import GatewayTesting
import Testing

@testable import MarketData

@Suite("Replay time is the recording's, in a loop")
struct ReplayClockTests {
    private static func clock(arrivals: [Int64], speed: Int64 = 1) throws -> ReplayClock {
        try #require(
            ReplayClock(
                start: Timestamp(milliseconds: 0),
                arrivals: arrivals.map { Timestamp(milliseconds: $0 * 1_000) },
                speed: speed))
    }

    private static func seconds(_ moments: [MarketMoment]) -> [[Int64]] {
        moments.map { [Int64($0.lap), $0.time.milliseconds / 1_000] }
    }

    @Test("it tells the start, each arrival, and now; then it starts over")
    func laps() throws {
        var clock = try Self.clock(arrivals: [4, 2, 2, -3])
        #expect(Self.seconds(clock.advance(to: .zero)) == [[0, 0]])
        #expect(Self.seconds(clock.advance(to: .zero)) == [])
        #expect(Self.seconds(clock.advance(to: .seconds(3))) == [[0, 2], [0, 3]])
        #expect(Self.seconds(clock.advance(to: .seconds(2))) == [])
        #expect(Self.seconds(clock.advance(to: .seconds(4))) == [[0, 4], [1, 0]])
        #expect(Self.seconds(clock.advance(to: .seconds(9))) == [[1, 2], [1, 4], [2, 0], [2, 1]])
    }

    @Test("speed is seconds of the recording a second")
    func speed() throws {
        var clock = try Self.clock(arrivals: [86_400, 172_800], speed: 86_400)
        #expect(Self.seconds(clock.advance(to: .milliseconds(500))) == [[0, 0], [0, 43_200]])
        #expect(Self.seconds(clock.advance(to: .milliseconds(1_000))) == [[0, 86_400]])
    }

    @Test("after a pause of many laps it goes on with the last one instead of catching up")
    func pause() throws {
        var clock = try Self.clock(arrivals: [10])
        #expect(
            Self.seconds(clock.advance(to: .seconds(1_000_003))) == [
                [0, 0], [0, 10], [100_000, 0], [100_000, 3],
            ])
    }

    @Test("nothing traps after centuries, at any speed", arguments: [Int64.min, 0, 1, 86_400, .max])
    func extremes(speed: Int64) throws {
        var clock = try Self.clock(arrivals: [1, 3_600], speed: speed)
        for elapsed in [Duration.seconds(-5), .zero, .seconds(Int64.max / 2), .seconds(Int64.max)] {
            #expect(clock.advance(to: elapsed).count <= 8)
        }
    }

    @Test("a recording without anything after the start has no clock")
    func empty() {
        #expect(
            ReplayClock(start: Timestamp(milliseconds: 5), arrivals: [Timestamp(milliseconds: 5)], speed: 1)
                == nil)
    }

    @Test(
        "however it is looked at, each lap has the same arrivals in the same order", arguments: UInt64(1)...20
    )
    func determinism(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let arrivals = (0..<20).map { _ in Int64.random(in: 1...50, using: &random) }
        var clock = try Self.clock(arrivals: arrivals)
        var laps: [Int: [Int64]] = [:]
        var elapsed = Duration.zero
        while laps.count < 5 {
            for moment in clock.advance(to: elapsed) {
                let second = moment.time.milliseconds / 1_000
                if moment.time.milliseconds % 1_000 == 0, arrivals.contains(second) {
                    laps[moment.lap, default: []].append(second)
                }
            }
            elapsed += .milliseconds(Int64.random(in: 1...9_999, using: &random))
        }
        for lap in 0..<4 { #expect(laps[lap] == Set(arrivals).sorted()) }
    }
}

@Suite("A replayed market answers as of a moment")
struct ReplayMarketTests {
    private static let asset = Asset(symbol: "A", assetType: .equity)

    private static func market() throws -> ReplayMarket {
        let bars = (name: "A.csv", bytes: Array("time,close\n0,1\n60,2\n120,3\n240,4\n".utf8))
        let rates = (
            name: "A.csv", bytes: Array("time,exchange,funding_rate\n30,x,0.1\n90,x,0.2\n60,y,0.3\n".utf8)
        )
        return try ReplayMarket(try parseRecording([bars, rates]), from: nil, speed: 1)
    }

    @Test("a bar is seen from its close on, never before")
    func bars() throws {
        let market = try Self.market()
        func closes(_ second: Int64, limit: Int) -> [Double] {
            market.bars(of: Self.asset, closedBy: Timestamp(milliseconds: second * 1_000), limit: limit).map(
                \.close)
        }
        #expect(closes(59, limit: 9) == [])
        #expect(closes(60, limit: 9) == [1])
        #expect(closes(299, limit: 2) == [2, 3])
        #expect(closes(999, limit: .max) == [1, 2, 3, 4])
        #expect(closes(999, limit: 0) == [])
        #expect(closes(999, limit: -1) == [])
        #expect(market.bar(of: Self.asset, closedAt: Timestamp(milliseconds: 180_000))?.close == 3)
        #expect(market.bar(of: Self.asset, closedAt: Timestamp(milliseconds: 240_000)) == nil)
        #expect(
            market.bars(
                of: Asset(symbol: "B", assetType: .equity), closedBy: .init(milliseconds: 1), limit: 1) == [])
    }

    @Test("the newest rate of each exchange is seen once it is known")
    func fundingRates() throws {
        let market = try Self.market()
        func rates(_ second: Int64) -> [Double] {
            market.fundingRates(of: Self.asset, at: Timestamp(milliseconds: second * 1_000)).map(\.rate)
        }
        #expect(rates(29) == [])
        #expect(rates(30) == [0.1])
        #expect(rates(89) == [0.1, 0.3])
        #expect(rates(90) == [0.2, 0.3])
    }

    @Test("it starts with the first figure unless told otherwise, and not after the last")
    func start() throws {
        var clock = try Self.market().clock
        #expect(clock.advance(to: .zero).map(\.time.milliseconds) == [0])
        let recording = try parseRecording([(name: "A.csv", bytes: Array("time,close\n0,1\n".utf8))])
        #expect(throws: MarketDataError.self) {
            try ReplayMarket(recording, from: Timestamp(milliseconds: 60_000), speed: 1)
        }
    }

    @Test("the driver delivers the first moments by the real clock and ends when cancelled")
    func driver() async throws {
        let market = try Self.market()
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
