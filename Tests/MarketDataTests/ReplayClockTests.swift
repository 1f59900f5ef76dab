import FIMLCore
import GatewayTesting
import Testing

@testable import MarketData

@Suite("Replay time is the recording's, in a loop")
struct ReplayClockTests {
    private static func clock(
        _ episodes: [ClosedRange<Int64>], arrivals: [Int64], speed: Int64 = 1
    ) throws -> ReplayClock {
        try #require(ReplayClock(episodes: Self.episodes(episodes), arrivals: times(arrivals), speed: speed))
    }

    private static func episodes(_ ranges: [ClosedRange<Int64>]) -> [Episode] {
        ranges.map { range in
            Episode(
                from: Timestamp(milliseconds: range.lowerBound * 1_000),
                to: Timestamp(milliseconds: range.upperBound * 1_000))
        }
    }

    private static func times(_ seconds: [Int64]) -> [Timestamp] {
        seconds.map { Timestamp(milliseconds: $0 * 1_000) }
    }

    /// Each moment as its lap and its second.
    private static func seconds(_ moments: [MarketMoment]) -> [[Int64]] {
        moments.map { [Int64($0.lap), $0.time.milliseconds / 1_000] }
    }

    @Test("it tells the start, each arrival, and now; then it starts over")
    func laps() throws {
        var clock = try Self.clock([0...4], arrivals: [4, 2, 2, -3, 5])
        #expect(Self.seconds(clock.advance(to: .zero)) == [[0, 0]])
        #expect(Self.seconds(clock.advance(to: .zero)) == [])
        #expect(Self.seconds(clock.advance(to: .seconds(3))) == [[0, 2], [0, 3]])
        #expect(Self.seconds(clock.advance(to: .seconds(2))) == [])
        #expect(Self.seconds(clock.advance(to: .seconds(4))) == [[0, 4], [1, 0]])
        #expect(Self.seconds(clock.advance(to: .seconds(9))) == [[1, 2], [1, 4], [2, 0], [2, 1]])
    }

    @Test("speed is seconds of the recording a second")
    func speed() throws {
        var clock = try Self.clock([0...172_800], arrivals: [86_400, 172_800], speed: 86_400)
        #expect(Self.seconds(clock.advance(to: .milliseconds(500))) == [[0, 0], [0, 43_200]])
        #expect(Self.seconds(clock.advance(to: .milliseconds(1_000))) == [[0, 86_400]])
    }

    @Test("after a pause of many laps it goes on with the last one instead of catching up")
    func pause() throws {
        var clock = try Self.clock([0...10], arrivals: [10])
        #expect(
            Self.seconds(clock.advance(to: .seconds(1_000_003))) == [
                [0, 0], [0, 10], [100_000, 0], [100_000, 3],
            ])
    }

    @Test("nothing traps after centuries, at any speed", arguments: [Int64.min, 0, 1, 86_400, .max])
    func extremes(speed: Int64) throws {
        var clock = try Self.clock([0...2, 3...4, 3_599...3_600], arrivals: [1, 3_600], speed: speed)
        for elapsed in [Duration.seconds(-5), .zero, .seconds(Int64.max / 2), .seconds(Int64.max)] {
            #expect(clock.advance(to: elapsed).count <= 16)
        }
    }

    @Test("from the end of an episode it jumps to the start of the next, and each jump is a new lap")
    func episodes() throws {
        var clock = try Self.clock(
            [100...110, 200...203, 900...901], arrivals: [50, 105, 150, 201, 203, 900])
        #expect(clock.lapMilliseconds == 14_000)
        #expect(Self.seconds(clock.advance(to: .seconds(9))) == [[0, 100], [0, 105], [0, 109]])
        #expect(
            Self.seconds(clock.advance(to: .seconds(12))) == [[0, 110], [1, 200], [1, 201], [1, 202]])
        #expect(Self.seconds(clock.advance(to: .seconds(13))) == [[1, 203], [2, 900]])
        #expect(Self.seconds(clock.advance(to: .seconds(14))) == [[2, 901], [3, 100]])
        #expect(
            Self.seconds(clock.advance(to: .seconds(25))) == [[3, 105], [3, 110], [4, 200], [4, 201]])
    }

    @Test("a pause of many laps of several episodes leaves whole laps out and counts their jumps")
    func pauseOverEpisodes() throws {
        var clock = try Self.clock([0...6, 10...14], arrivals: [3, 12])
        #expect(Self.seconds(clock.advance(to: .seconds(1))) == [[0, 0], [0, 1]])
        // 100 laps of 10 seconds, and 7 seconds.
        #expect(
            Self.seconds(clock.advance(to: .seconds(1_007))) == [
                [0, 3], [0, 6], [1, 10], [1, 12], [1, 14], [200, 0], [200, 3], [200, 6], [201, 10],
                [201, 11],
            ])
    }

    @Test("real time that goes backwards tells nothing")
    func backwards() throws {
        var clock = try Self.clock([0...4, 10...14], arrivals: [1, 11])
        _ = clock.advance(to: .seconds(6))
        #expect(clock.advance(to: .seconds(5)).isEmpty)
        #expect(clock.advance(to: .seconds(-5)).isEmpty)
        #expect(Self.seconds(clock.advance(to: .seconds(7))) == [[1, 13]])
    }

    @Test(
        "episodes without any figure have no clock",
        arguments: [([], [5]), ([0...5], []), ([5...6], [5]), ([5...6, 8...9], [7, 10])]
            as [([ClosedRange<Int64>], [Int64])])
    func empty(episodes: [ClosedRange<Int64>], arrivals: [Int64]) {
        let clock = ReplayClock(
            episodes: Self.episodes(episodes), arrivals: Self.times(arrivals), speed: 1)
        #expect(clock == nil)
    }

    @Test(
        "however it is looked at, each lap has the same arrivals in the same order", arguments: UInt64(1)...20
    )
    func determinism(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let arrivals = Set((0..<20).map { _ in Int64.random(in: 1...50, using: &random) }).sorted()
        // Two episodes: of [0, 20] and [30, 50].
        var clock = try Self.clock([0...20, 30...50], arrivals: arrivals)
        var laps: [Int: [Int64]] = [:]
        var elapsed = Duration.zero
        while laps.count < 8 {
            for moment in clock.advance(to: elapsed) {
                let second = moment.time.milliseconds / 1_000
                if moment.time.milliseconds % 1_000 == 0, second == 0 || arrivals.contains(second) {
                    laps[moment.lap, default: []].append(second)
                }
            }
            elapsed += .milliseconds(Int64.random(in: 1...9_999, using: &random))
        }
        for lap in 0..<3 {
            #expect(laps[lap * 2] == [0] + arrivals.filter { $0 <= 20 })
            #expect((laps[lap * 2 + 1] ?? []).filter { $0 != 30 } == arrivals.filter { $0 > 30 })
        }
    }
}
