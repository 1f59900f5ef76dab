import FIMLCore
import Testing

@testable import MarketData

@Suite("Without episodes of its own, a recording is replayed without its holes")
struct EpisodeTests {
    private static let day: Int64 = 86_400

    /// The episodes of a recording as ranges of seconds.
    private static func episodes(_ text: String, from start: Int64? = nil) throws -> [[Int64]] {
        let recording = try parseRecording([("A.csv", Array(text.utf8))])
        let start = start.map { Timestamp(milliseconds: $0 * 1_000) }
        return try ReplayMarket(recording, from: start, speed: 1).episodes.map {
            [$0.from.milliseconds / 1_000, $0.to.milliseconds / 1_000]
        }
    }

    @Test("from the first bar's start, or the second before another figure, to the last figure")
    func whole() throws {
        #expect(try Self.episodes("time,close\n60,1\n120,1\n300,1\n") == [[60, 360]])
        #expect(try Self.episodes("time,funding_rate\n100,0\n") == [[99, 100]])
        #expect(try Self.episodes("time,depth_usd\n100,1\n160,1\n") == [[99, 160]])
    }

    @Test("a weekend is no hole, nor are seven days, and more than that is")
    func holes() throws {
        // 2020-03-06 was a Friday, 2020-03-09 a Monday.
        let weekend = try Self.episodes(
            "time,close\n2020-03-05,1\n2020-03-06,1\n2020-03-09,1\n2020-03-10,1\n")
        #expect(weekend.count == 1)
        let hours = "time,close\n0,1\n3600,1\n"
        let end: Int64 = 7_200
        #expect(try Self.episodes(hours + "\(end + 7 * Self.day),1\n") == [[0, end + 7 * Self.day + 3_600]])
        let later = end + 7 * Self.day + 1
        #expect(try Self.episodes(hours + "\(later),1\n") == [[0, end], [later, later + 3_600]])
    }

    @Test("bars of a month have no holes between them")
    func months() throws {
        let text = "time,close\n2020-01-01,1\n2020-02-01,1\n2020-03-01,1\n2020-04-01,1\n2020-05-01,1\n"
        #expect(try Self.episodes(text).count == 1)
    }

    @Test("a start that is asked for begins the first episode, unless nothing comes for more than 7 days")
    func start() throws {
        let text = "time,close\n0,1\n3600,1\n7200,1\n"
        #expect(try Self.episodes(text, from: 4_000) == [[4_000, 10_800]])
        #expect(try Self.episodes(text, from: -600) == [[-600, 10_800]])
        #expect(try Self.episodes(text, from: -8 * Self.day) == [[0, 10_800]])
        #expect(throws: MarketDataError.self) { try Self.episodes(text, from: 10_800) }
    }

    @Test("a start that is asked for replaces the recording's own episodes")
    func own() throws {
        let bars = (name: "A.csv", bytes: Array("time,close\n0,1\n3600,1\n7200,1\n".utf8))
        let episodes = (name: "episodes.csv", bytes: Array("from,to\n3600,7200\n".utf8))
        let recording = try parseRecording([bars, episodes])
        #expect(try ReplayMarket(recording, from: nil, speed: 1).episodes == recording.episodes)
        let asked = try ReplayMarket(recording, from: Timestamp(milliseconds: 0), speed: 1)
        #expect(asked.episodes.map(\.to.milliseconds) == [10_800_000])
    }

    @Test("how exchanges answer is no figure: it neither fills holes nor makes a replay")
    func script() throws {
        let script = (name: "s.csv", bytes: Array("time,exchange,status_code\n0,kraken,200\n".utf8))
        let bars = (name: "A.csv", bytes: Array("time,close\n2020-01-01,1\n".utf8))
        let market = try ReplayMarket(try parseRecording([script, bars]), from: nil, speed: 1)
        #expect(market.episodes.count == 1)
        let alone = try parseRecording([script])
        #expect(throws: MarketDataError.self) { try ReplayMarket(alone, from: nil, speed: 1) }
        let episodes = (name: "e.csv", bytes: Array("from,to\n-1,1\n1969-12-31,60\n".utf8))
        let planned = try parseRecording([script, episodes])
        #expect(throws: MarketDataError.self) { try ReplayMarket(planned, from: nil, speed: 1) }
    }
}
