import Configuration
import FIMLCore
import FIMLWatchdogs
import MarketData
import Testing

@testable import gateway_bench

@Suite("What a check costs is measured on a market that all eight watchdogs can judge")
struct WarmMarketTests {
    private let market = WarmMarket(assets: 20, seed: 1)

    @Test("The same seed makes the same market, another seed another one")
    func isDeterministic() {
        let again = WarmMarket(assets: 20, seed: 1)
        let other = WarmMarket(assets: 20, seed: 2)
        #expect(market.assets.count == 20)
        for asset in market.assets {
            #expect(market[asset] != nil && market[asset] == again[asset])
            #expect(market[asset] != other[asset])
        }
    }

    /// Of Steele, Lea and Flood's generator with the seed 1234567, as published with their reference code.
    @Test("Chance is the published generator's")
    func vectors() {
        var chance = SplitMix64(seed: 1_234_567)
        let drawn = (0..<5).map { _ in chance.next() }
        #expect(
            drawn == [
                6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423,
                4_593_380_528_125_082_431, 16_408_922_859_458_223_821,
            ])
    }

    @Test("Each watchdog judges every asset, pair or exchange, and most are as they should be")
    func everythingIsJudged() async throws {
        let watchdogs = WatchdogSet.all(
            Settings().watchdogs, assets: market.watched, market: MarketSources(market, exchanges: market))
        #expect(watchdogs.count == 8)
        for watchdog in watchdogs {
            let judgements = try await watchdog.check(at: WarmMarket.moment)
            let judged = Set(judgements.filter { $0.endsAfterSeconds == nil }.map(\.subject))
            #expect(judged.count == (watchdog.name == .exchangeOutage ? 3 : 20), "\(watchdog.name)")
            #expect(
                judgements.filter { $0.anomaly != nil }.count <= judgements.count / 2, "\(watchdog.name)")
        }
    }

    @Test("A history is as long as the watchdogs ask for")
    func history() async {
        let all = await market.bars(
            of: market.assets, closedBy: WarmMarket.moment, limit: 180, unfinished: false)
        let few = await market.bars(
            of: market.assets, closedBy: WarmMarket.moment, limit: 31, unfinished: true)
        #expect(all.allSatisfy { answer in (try? answer.result.get().count) == 129 })
        for answer in few {
            let bars = (try? answer.result.get()) ?? []
            #expect(bars.last.map { $0.closesAt > WarmMarket.moment } == true)
            #expect(bars.dropLast().last.map { $0.closesAt <= WarmMarket.moment } == true)
            #expect(zip(bars, bars.dropFirst()).allSatisfy { $0.closesAt == $1.opensAt })
        }
    }
}
