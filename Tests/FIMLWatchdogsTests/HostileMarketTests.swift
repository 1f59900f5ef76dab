import Configuration
import FIMLCore
import FIMLWatchdogs
import GatewayTesting
import MarketData
import Testing

/// Makes markets in which some figures are what no source may say.
private struct HostileMarket {
    var random: SeededGenerator
    /// How many of 1,000 figures are nonsense.
    var nonsense: Int
    static let now: Int64 = 200 * 86_400
    static let assets = ["A", "B", "C"].map(equity)

    private mutating func isNonsense() -> Bool { Int.random(in: 0..<1_000, using: &random) < nonsense }

    private mutating func value(_ range: ClosedRange<Double>) -> Double {
        guard isNonsense() else { return Double.random(in: range, using: &random) }
        let values = [0, -1, 1e308, -1e308, .nan, .infinity, .leastNonzeroMagnitude, 1e-308]
        return values.randomElement(using: &random) ?? .nan
    }

    private mutating func time(_ second: Int64) -> Timestamp {
        guard isNonsense() else { return at(second) }
        let values: [Int64] = [.min, -1, 0, 253_402_300_799_999, .max]
        return Timestamp(milliseconds: values.randomElement(using: &random) ?? .max)
    }

    private mutating func interval(_ seconds: Int64) -> Int64 {
        guard isNonsense() else { return seconds }
        return ([.min, -1, 0, 1, 31_536_000, .max] as [Int64]).randomElement(using: &random) ?? .max
    }

    private mutating func bars() -> [Bar] {
        (Int64(0)..<185).map { index in
            let price = value(90...110)
            return Bar(
                opensAt: time(Self.now - (185 - index) * 86_400), intervalSeconds: interval(86_400),
                open: price, high: price, low: price, close: price,
                // The newest may be far larger.
                volume: value(0...(index == 184 ? 1_000 : 100)))
        }
    }

    private mutating func report() -> EarningsReport {
        EarningsReport(
            quarterEnd: time(Self.now - 50 * 86_400), reportedAt: time(Self.now - 20 * 86_400),
            actualEPS: value(0...2), estimatedEPS: value(-1...1), revenue: value(0...1),
            revenueEstimate: value(0...1))
    }

    private mutating func statuses() -> [ExchangeStatus] {
        ["x", "y", "z"].flatMap { exchange in
            (Int64(0)..<3).map { index in
                ExchangeStatus(
                    exchange: exchange, observedAt: time(Self.now - 120 + index * 60),
                    intervalSeconds: interval(60),
                    statusCode: [200, 503, nil, .min].randomElement(using: &random) ?? nil,
                    responseMilliseconds: value(0...8_000))
            }
        }
    }

    mutating func market() -> FixtureMarket {
        var market = FixtureMarket(isCareless: true)
        for asset in Self.assets {
            market.bars[asset] = bars()
            market.quotes[asset] = (0..<5).map {
                Quote(
                    observedAt: time(Self.now - 240 + $0 * 60), price: value(90...110),
                    intervalSeconds: interval(60))
            }
            market.depths[asset] = [
                MarketDepth(
                    observedAt: time(Self.now), depthUSD: value(0...100), intervalSeconds: interval(60),
                    meanUSD: value(0...200),
                    snapshots: [.min, 10, 500, .max].randomElement(using: &random) ?? 0)
            ]
            market.rates[asset] = ["x", "y", "z"].map {
                FundingRate(
                    exchange: $0, rate: value(-0.01...0.01), knownAt: time(Self.now),
                    intervalSeconds: interval(28_800))
            }
            market.reports[asset] = [report()]
            market.transfers[asset] = (0..<5).map {
                Transfer(
                    hash: "\($0 % 4)", observedAt: time(Self.now - $0 * 900), from: nil, to: nil,
                    amount: value(0...10), usdValue: value(0...1e8))
            }
        }
        market.statuses = statuses()
        return market
    }
}

extension FixtureMarket {
    /// Each series followed by itself.
    fileprivate var doubled: FixtureMarket {
        var market = self
        market.bars = bars.mapValues { $0 + $0 }
        market.quotes = quotes.mapValues { $0 + $0 }
        market.rates = rates.mapValues { $0 + $0 }
        market.transfers = transfers.mapValues { $0 + $0 }
        market.reports = reports.mapValues { $0 + $0 }
        market.depths = depths.mapValues { $0 + $0 }
        market.statuses = statuses + statuses
        return market
    }
}

extension WatchedAssets {
    fileprivate var reversed: WatchedAssets {
        var assets = self
        assets.earnings.reverse()
        assets.volume.reverse()
        assets.transfers.reverse()
        assets.funding.reverse()
        assets.depth.reverse()
        assets.pairs.reverse()
        assets.prices.reverse()
        return assets
    }
}

@Suite("No market makes a watchdog trap, and only figures change what it says")
struct HostileMarketTests {
    /// The keys of `data`, as FIML names them.
    private static let keys: [WatchdogName: Set<String>] = [
        .earningsAnomaly: [
            "actual_eps", "estimated_eps", "surprise_pct", "report_date", "quarter_end", "revenue",
            "revenue_estimate",
        ],
        .unusualVolume: ["current_volume", "avg_volume", "volume_ratio", "price_change_pct", "price"],
        .whaleMovement: ["from", "to", "amount", "usd_value", "tx_hash"],
        .fundingRate: ["avg_funding_rate", "funding_rate_pct", "by_exchange"],
        .liquidityDrop: ["current_depth", "avg_depth", "drop_pct", "depth_ratio"],
        .correlationBreakdown: ["asset1", "asset2", "recent_corr", "hist_corr", "change"],
        .exchangeOutage: ["exchange", "status_code", "response_time_ms", "error"],
        .priceAnomaly: ["current_price", "past_price", "change_pct", "time_window_seconds"],
    ]

    private static func check(
        _ name: WatchdogName, _ market: FixtureMarket, _ assets: WatchedAssets
    ) async throws -> [Judgement] {
        try await WatchdogSet.watchdog(name, Settings().watchdogs, assets: assets, market: market.sources)
            .check(at: at(HostileMarket.now))
            .sorted { $0.subject < $1.subject }
    }

    @Test(
        "figures are finite and complete; order, doubled figures and a second check change nothing",
        arguments: WatchdogName.allCases)
    func properties(name: WatchdogName) async throws {
        var (judged, fired) = (0, 0)
        for seed in UInt64(1)...20 {
            // Of 1,000 figures: none is nonsense, few, half, all.
            for nonsense in [0, 3, 500, 1_000] {
                var maker = HostileMarket(random: SeededGenerator(seed: seed), nonsense: nonsense)
                let market = maker.market()
                let judgements = try await Self.check(name, market, market.assets)
                judged += judgements.count
                fired += judgements.filter { $0.anomaly != nil }.count
                for judgement in judgements { Self.expectSound(judgement, of: name) }
                #expect(try await Self.check(name, market, market.assets) == judgements)
                #expect(try await Self.check(name, market, market.assets.reversed) == judgements)
                #expect(try await Self.check(name, market.doubled, market.assets) == judgements)
            }
        }
        #expect(judged > 50 && fired > 10)
    }

    @Test("absurd settings make none trap", arguments: WatchdogName.allCases)
    func absurdSettings(name: WatchdogName) async throws {
        var maker = HostileMarket(random: SeededGenerator(seed: 7), nonsense: 0)
        let market = maker.market()
        for value in [Double.nan, .infinity, -.infinity, -1, 0, 1e308] {
            var settings = Settings().watchdogs
            settings.earningsAnomaly.thresholdPct = value
            settings.unusualVolume.multiplier = value
            settings.whaleMovement.minUSD = value
            settings.fundingRate.thresholdPct = value
            settings.liquidityDrop.thresholdPct = value
            settings.correlationBreakdown.threshold = value
            settings.priceAnomaly.thresholdPct = value
            settings.priceAnomaly.window = .seconds(value.isFinite ? Int64.max : Int64.min)
            let watchdog = WatchdogSet.watchdog(name, settings, assets: market.assets, market: market.sources)
            for judgement in try await watchdog.check(at: at(HostileMarket.now)) {
                #expect(judgement.evidence.observed.isFinite)
            }
        }
    }

    private static func expectSound(_ judgement: Judgement, of name: WatchdogName) {
        #expect(judgement.evidence.observed.isFinite)
        #expect(Set(judgement.data.keys) == keys[name])
        for case .number(let figure) in judgement.data.values { #expect(figure.isFinite) }
        #expect(judgement.observedAt >= at(0) && judgement.observedAt <= at(HostileMarket.now + 86_400))
        #expect(!judgement.subject.isEmpty && !judgement.description.isEmpty)
    }
}
