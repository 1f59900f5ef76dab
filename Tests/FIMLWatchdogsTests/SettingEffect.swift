import Configuration
import FIMLCore
import Locking
import MarketData
import Testing

@testable import FIMLWatchdogs

/// What a user sees of a watchdog with each of two values of a setting.
///
/// The watchdog whose setting it is, `funding_rate` for the settings of all, looks at a market in which
/// something is out of the ordinary, at 0, 30, 60, 90 and 120 seconds.
struct SettingEffect: CustomTestStringConvertible, Sendable {
    /// What is looked at.
    enum Sight {
        /// The subjects of which something is told, in the order of the alphabet.
        case fired
        /// Each event: the second at which it is told, and its status.
        case told
        /// The seconds at which the watchdog is checked.
        case checkedAt
        /// The watchdog's status after all checks.
        case status
        /// Why the last check failed.
        case lastError
    }

    /// How the market's sources answer.
    enum Sources {
        case answering, failing, hanging
        /// Nothing is out of the ordinary at 30 and at 90 seconds.
        case alternating
    }

    let name: String
    let sight: Sight
    /// What is seen by the setting's value.
    let seen: [String: String]
    let sources: Sources
    /// Other settings that make it quick to see.
    let along: [String: String]

    init(
        _ name: String, _ sight: Sight, _ seen: [String: String], sources: Sources = .answering,
        along: [String: String] = [:]
    ) {
        (self.name, self.sight, self.seen) = (name, sight, seen)
        (self.sources, self.along) = (sources, along)
    }

    var testDescription: String { name }

    /// What is seen when a user sets the setting to `value`.
    func seen(with value: String) async throws -> String {
        let environment = along.merging([name: value]) { $1 }
        let settings = try Settings.load(environment: environment).settings.watchdogs
        var market = FixtureMarket.outOfTheOrdinary
        if sources == .failing { market.failing = ["BTC", "ETH", "SOL"] }
        let watchdog = TracedWatchdog(
            watchdog: WatchdogSet.watchdog(
                watchdogName, settings, assets: WatchedAssets(live: settings), market: market.sources),
            hangs: sources == .hanging, alternates: sources == .alternating)
        let collector = Collector()
        let manager = WatchdogManager(
            .init(settings), watchdogs: [watchdog],
            clock: ScriptedClock(
                script: [0, 30, 60, 90, 120].map { MarketMoment(lap: 0, time: FixtureMarket.now($0)) }),
            publish: { await collector.add($0) })
        await manager.start()
        await manager.finish()
        let metrics = try #require(await manager.metrics(of: watchdogName))
        await manager.stop()
        let events = await collector.events
        return switch sight {
        case .fired: Set(events.map(Self.subject)).sorted().joined(separator: " ")
        case .told:
            events.map { "\(FixtureMarket.second($0.timestamp)) \($0.status.rawValue)" }
                .joined(separator: ", ")
        case .checkedAt:
            watchdog.checkedAt.withLock { $0 }.map { "\(FixtureMarket.second($0))" }.joined(separator: " ")
        case .status: metrics.status.rawValue
        case .lastError: metrics.lastError ?? ""
        }
    }

    private var watchdogName: WatchdogName {
        SettingTable.byWatchdog.first { $0.settings.contains { $0.name == name } }
            .flatMap { WatchdogName(rawValue: $0.name) } ?? .fundingRate
    }

    private static func subject(_ event: WatchdogEvent) -> String {
        event.data["exchange"]?.text ?? event.assets.joined(separator: "/")
    }
}

/// A watchdog of which is kept when it was checked; one that `hangs` never answers, of one that `alternates`
/// every second check finds nothing.
private struct TracedWatchdog: Watchdog {
    let watchdog: any Watchdog
    let hangs: Bool
    let alternates: Bool
    let checkedAt = Locked<[Timestamp]>([])

    var name: WatchdogName { watchdog.name }
    var schedule: WatchdogSchedule { watchdog.schedule }

    func check(at moment: Timestamp) async throws -> [Judgement] {
        checkedAt.withLock { $0.append(moment) }
        if hangs {
            // Ends when the task is cancelled.
            for await _ in AsyncStream<Never>.makeStream().stream {}
        }
        var judgements = try await watchdog.check(at: moment)
        guard alternates, FixtureMarket.second(moment) / 30 % 2 == 1 else { return judgements }
        for index in judgements.indices {
            judgements[index].anomaly = nil
            judgements[index].evidence.observed = 0
        }
        return judgements
    }
}

extension FixtureMarket {
    private static let day: Int64 = 86_400
    private static let start = 200 * day

    /// The moment so many seconds after the first check.
    fileprivate static func now(_ second: Int64) -> Timestamp { at(start + second) }

    /// How many seconds after the first check.
    fileprivate static func second(_ moment: Timestamp) -> Int64 { moment.milliseconds / 1_000 - start }

    /// Two of everything: one that is wrong enough for FIML's thresholds, one that is far worse.
    fileprivate static var outOfTheOrdinary: FixtureMarket {
        let asset = WatchedAssets.asset
        var market = FixtureMarket()
        for (symbol, actual) in [("AAPL", 1.15), ("MSFT", 1.25)] {
            market.reports[asset(symbol)] = [
                EarningsReport(
                    quarterEnd: now(-30 * day), reportedAt: now(-day), actualEPS: actual, estimatedEPS: 1)
            ]
        }
        for (symbol, volume) in [("AAPL", 4.0), ("MSFT", 6.0)] {
            market.bars[asset(symbol)] =
                (170..<200).map { bar(($0 - 1) * day, every: day) }
                + [bar(199 * day, every: day, volume: volume)]
        }
        for (symbol, turned) in [("BTC", 0), ("ETH", 7), ("GLD", 0), ("TLT", 4)] {
            market.bars[asset(symbol)] = dailyBars(lastReturnsTurned: turned)
        }
        for (symbol, usd) in [("BTC", 2e6), ("ETH", 2e7)] {
            market.transfers[asset(symbol)] = [
                Transfer(
                    hash: symbol, observedAt: now(-60), from: nil, to: nil, amount: 1, usdValue: usd)
            ]
        }
        for (symbol, rate) in [("BTC", 0.002), ("ETH", 0.004)] {
            market.rates[asset(symbol)] = [0, 30, 60, 90, 120].map {
                FundingRate(exchange: "binance", rate: rate, knownAt: now($0), intervalSeconds: 28_800)
            }
        }
        for (symbol, depth) in [("BTC", 40.0), ("ETH", 20.0)] {
            market.depths[asset(symbol)] = [
                MarketDepth(
                    observedAt: now(0), depthUSD: depth, intervalSeconds: 180, meanUSD: 100, snapshots: 20)
            ]
        }
        market.statuses = [("binance", 503), ("coinbase", 200), ("kraken", 503)].map {
            ExchangeStatus(
                exchange: $0, observedAt: now(0), intervalSeconds: 60, statusCode: $1, responseMilliseconds: 1
            )
        }
        // SPY creeps: each minute by less than 5 %, in three minutes by more.
        for (symbol, prices) in [
            ("BTC", [100, 100, 100, 106]), ("ETH", [100, 100, 100, 112]), ("SPY", [100, 102, 104, 106.0]),
        ] {
            market.quotes[asset(symbol)] = zip([-180, -120, -60, 0], prices).map { quote(start + $0, $1) }
        }
        return market
    }

    /// 90 returns up to the first check, of which the last so many go the other way.
    private static func dailyBars(lastReturnsTurned turned: Int) -> [Bar] {
        var close = 100.0
        return (0...90).map { index in
            if index > 0 {
                close *= 1 + [0.01, -0.02, 0.03, 0.005, -0.01][index % 5] * (index > 90 - turned ? -1 : 1)
            }
            return bar(start + (Int64(index) - 91) * day, every: day, close: close)
        }
    }
}
