import FIMLCore
import FIMLWatchdogs
import FoundationEssentials
import MarketData
import Testing

private typealias Shared = SharedMarketData

/// A judgement as a truth file lists it.
private func severity(_ judgement: Judgement) -> String? {
    judgement.anomaly?.severity.rawValue.uppercased()
}

@Suite(
    "On recorded prices, volumes and rates the true anomalies are found, none more, none fewer",
    .enabled(if: SharedMarketData.isThere, "../shared/market-data is absent"))
struct TruthTests {
    private static let asset = equity("A")
    private static let dailySeries: [String] =
        ((try? Shared.table("truth/unusual_volume_summary.csv")) ?? []).compactMap { $0["series"] }

    @Test("unusual_volume on daily bars", arguments: dailySeries)
    func unusualVolume(series: String) async throws {
        let expected = try Shared.table("truth/unusual_volume.csv").filter { $0["series"] == series }
        let summary = try #require(
            try Shared.table("truth/unusual_volume_summary.csv").first { $0["series"] == series })
        let bars = try Shared.bars(series)
        let watchdog = UnusualVolumeWatchdog(
            settings(\.unusualVolume), assets: [Self.asset], source: FixtureMarket(bars: [Self.asset: bars]))
        var judged = 0
        var found: [(opensAt: Timestamp, judgement: Judgement)] = []
        for bar in bars {
            let judgements = try await watchdog.check(at: bar.closesAt)
            judged += judgements.count
            found += judgements.filter { $0.anomaly != nil }.map { (bar.opensAt, $0) }
        }
        #expect(summary["bars_judged"] == "\(judged)")
        #expect(try found.map(\.opensAt) == expected.map { try Shared.time($0["date"]) })
        for (found, expected) in zip(found, expected) {
            let data = found.judgement.data
            #expect(Shared.close(data["current_volume"], expected["volume"]))
            #expect(Shared.close(data["avg_volume"], expected["avg30_before"]))
            #expect(Shared.close(data["volume_ratio"], expected["ratio"]))
            #expect(Shared.close(data["price_change_pct"], expected["price_change_pct"]))
            #expect(severity(found.judgement) == expected["severity"])
        }
    }

    /// Every quote of a series judged when it was known.
    private static func moves(_ series: String) async throws -> [Judgement] {
        let quotes = try Shared.quotes(series)
        let watchdog = PriceAnomalyWatchdog(
            settings(\.priceAnomaly), assets: [asset], source: FixtureMarket(quotes: [asset: quotes]))
        var judged: [Judgement] = []
        for quote in quotes { judged += try await watchdog.check(at: quote.observedAt) }
        return judged
    }

    @Test("price_anomaly on daily closes, from one to the next", arguments: dailySeries)
    func dailyMoves(series: String) async throws {
        let expected = try Shared.table("truth/price_moves_daily_over_5pct.csv").filter {
            $0["series"] == series
        }
        let found = try await Self.moves(series).filter { $0.anomaly != nil }
        let days = try expected.map { try Shared.time($0["date"]).milliseconds + 86_400_000 }
        #expect(found.map(\.observedAt.milliseconds) == days)
        for (found, expected) in zip(found, expected) {
            #expect(Shared.close(found.data["past_price"], expected["close_before"]))
            #expect(Shared.close(found.data["current_price"], expected["close"]))
            #expect(Shared.close(found.data["change_pct"], expected["change_pct"]))
        }
    }

    @Test("price_anomaly on one-minute closes: the near misses stay quiet")
    func minuteMoves() async throws {
        #expect(try Shared.table("truth/price_anomaly_1m.csv").isEmpty)
        for summary in try Shared.table("truth/price_anomaly_1m_summary.csv") {
            let judged = try await Self.moves(summary["series"] ?? "")
            #expect(summary["pairs_one_minute_apart"] == "\(judged.count)")
            #expect(judged.allSatisfy { $0.anomaly == nil })
            let changes = judged.compactMap { $0.data["change_pct"]?.double }
            #expect(Shared.close(changes.min().map { .number($0) }, summary["smallest_change_pct"]))
            #expect(Shared.close(changes.max().map { .number($0) }, summary["largest_change_pct"]))
        }
    }

    @Test(
        "funding_rate on recorded series",
        arguments: ["BTCUSDT_daily_mean_2019_2026", "XRPUSDT_8h_2021", "BTCUSD_coinm_8h_2020"])
    func fundingRates(name: String) async throws {
        let series = "history/funding/\(name).csv"
        let rates = try Shared.table(series).map { row in
            FundingRate(
                exchange: "x",
                rate: try Shared.number(row, row["date"] == nil ? "funding_rate" : "funding_mean"),
                knownAt: try Shared.time(row["date"] ?? row["time"]),
                intervalSeconds: row["date"] == nil ? 28_800 : 86_400)
        }
        let expected = try Shared.table("truth/funding_rate.csv").filter { $0["series"] == series }
        let watchdog = FundingRateWatchdog(
            settings(\.fundingRate), assets: [Self.asset], source: FixtureMarket(rates: [Self.asset: rates]))
        var found: [Judgement] = []
        for rate in rates {
            let judged = try await watchdog.check(at: rate.knownAt)
            #expect(judged.count == 1)
            found += judged.filter { $0.anomaly != nil }
        }
        #expect(
            try found.map(\.observedAt) == expected.map { try Shared.time($0["time_or_symbol"]) })
        for (found, expected) in zip(found, expected) {
            #expect(Shared.close(found.data["avg_funding_rate"], expected["rate"]))
            #expect(Shared.close(found.data["funding_rate_pct"], expected["rate_pct"]))
            #expect(severity(found) == expected["severity"])
        }
    }

    private struct PremiumIndex: Decodable {
        var symbol: String
        var lastFundingRate: String
    }

    @Test("funding_rate on all contracts of one exchange at once")
    func manyFundingRates() async throws {
        let series = "provider-responses/binance-futures/premiumIndex_all.json"
        let body = try Data(contentsOf: URL(filePath: Shared.directory + series))
        let contracts = try JSONDecoder().decode([PremiumIndex].self, from: body)
        let rates = contracts.compactMap { contract in
            Double(contract.lastFundingRate).map {
                let rate = FundingRate(exchange: "binance", rate: $0, knownAt: at(0), intervalSeconds: 28_800)
                return (equity(contract.symbol), [rate])
            }
        }
        let market = FixtureMarket(rates: Dictionary(rates) { first, _ in first })
        let found = try await FundingRateWatchdog(
            settings(\.fundingRate), assets: market.assets.funding, source: market
        ).check(at: at(0)).filter { $0.anomaly != nil }
        let expected = try Shared.table("truth/funding_rate.csv").filter { $0["series"] == series }
        #expect(found.map(\.subject) == expected.compactMap { $0["time_or_symbol"] }.sorted())
        for judgement in found {
            let row = expected.first { $0["time_or_symbol"] == judgement.subject }
            #expect(Shared.close(judgement.data["funding_rate_pct"], row?["rate_pct"]))
            #expect(severity(judgement) == row?["severity"])
        }
    }
}

@Suite(
    "On recorded reports, transfers, books and pairs the true anomalies are found, none more, none fewer",
    .enabled(if: SharedMarketData.isThere, "../shared/market-data is absent"))
struct FurtherTruthTests {
    private static let asset = equity("A")

    @Test("earnings_anomaly on each reported quarter")
    func earnings() async throws {
        for row in try Shared.table("truth/earnings_anomaly.csv") {
            let report = EarningsReport(
                quarterEnd: try Shared.time(row["quarter"]), actualEPS: try Shared.number(row, "actual_eps"),
                estimatedEPS: try Shared.number(row, "estimated_eps"))
            let judgements = try await EarningsAnomalyWatchdog(
                settings(\.earningsAnomaly), assets: [Self.asset],
                source: FixtureMarket(reports: [Self.asset: [report]])
            ).check(at: report.quarterEnd)
            let judgement = try #require(judgements.first)
            #expect(Shared.close(judgement.data["surprise_pct"], row["surprise_pct"]))
            #expect(judgement.data["quarter_end"]?.text == row["quarter"])
            #expect((judgement.anomaly == nil ? "0" : "1") == row["anomaly"])
            #expect((severity(judgement) ?? "") == row["severity"])
        }
    }

    @Test("whale_movement on each recorded transfer")
    func transfers() async throws {
        let files = Dictionary(grouping: try Shared.table("truth/whale_movement.csv")) { $0["file"] ?? "" }
        #expect(files.count == 5)
        for rows in files.values {
            var market = FixtureMarket()
            var moments: Set<Timestamp> = []
            for row in rows {
                // Those of a memory pool have no time yet.
                let moment = at(row["timestamp"].flatMap(Int64.init) ?? 0)
                moments.insert(moment)
                market.transfers[equity(row["symbol"] ?? ""), default: []].append(
                    Transfer(
                        hash: row["tx"] ?? "", observedAt: moment, from: nil, to: nil,
                        amount: try Shared.number(row, "amount"),
                        usdValue: try Shared.number(row, "amount_usd")))
            }
            let watchdog = WhaleMovementWatchdog(
                settings(\.whaleMovement), assets: market.assets.transfers, source: market)
            var found: [String: Judgement] = [:]
            for moment in moments {
                for judgement in try await watchdog.check(at: moment) where judgement.anomaly != nil {
                    found[judgement.subject] = judgement
                }
            }
            let expected = rows.filter { $0["over_1m"] == "1" }
            #expect(
                Set(found.keys) == Set(expected.map { "\($0["symbol"] ?? "")/\($0["tx"] ?? "")" }))
            for row in expected {
                let data = found["\(row["symbol"] ?? "")/\(row["tx"] ?? "")"]?.data
                #expect(Shared.close(data?["amount"], row["amount"]))
                #expect(Shared.close(data?["usd_value"], row["amount_usd"]))
            }
        }
    }

    @Test("liquidity_drop on a day of a recorded order book, each snapshot against all before")
    func liquidity() async throws {
        var depths: [MarketDepth] = []
        var sum = 0.0
        for row in try Shared.table("history/orderbook/BTCUSDT_bookDepth_2025-10-10.csv") {
            let depth =
                try Shared.number(row, "bid_1pct_notional") + Shared.number(row, "ask_1pct_notional")
            depths.append(
                MarketDepth(
                    observedAt: try Shared.time(row["time"]), depthUSD: depth, intervalSeconds: 30,
                    meanUSD: depths.isEmpty ? nil : sum / Double(depths.count), snapshots: depths.count))
            sum += depth
        }
        let rows = try Shared.table("truth/liquidity_drop_1pct.csv")
        try #require(rows.count == depths.count)
        #expect(rows.prefix(LiquidityDropWatchdog.minSnapshots).allSatisfy { $0["drop"] == "0" })
        for (index, row) in rows.enumerated() {
            let market = FixtureMarket(depths: [Self.asset: [depths[index]]])
            let judgements = try await LiquidityDropWatchdog(
                settings(\.liquidityDrop), assets: [Self.asset], source: market
            ).check(at: depths[index].observedAt)
            guard index >= LiquidityDropWatchdog.minSnapshots else {
                #expect(judgements == [])
                continue
            }
            let judgement = try #require(judgements.first)
            #expect(judgement.observedAt == (try Shared.time(row["time"])))
            #expect(Shared.close(judgement.data["current_depth"], row["depth_1pct_usd"]))
            #expect(Shared.close(judgement.data["avg_depth"], row["avg_of_all_before"]))
            #expect(Shared.close(judgement.data["depth_ratio"], row["ratio"]))
            #expect((severity(judgement) ?? "") == row["severity"])
        }
    }

    private static let pairs: [[String]] =
        ((try? Shared.table("truth/correlation_breakdown_summary.csv")) ?? []).map {
            [$0["set"] ?? "", $0["asset1"] ?? "", $0["asset2"] ?? ""]
        }

    @Test("correlation_breakdown on each joint day of six pairs", arguments: pairs)
    func correlation(pair: [String]) async throws {
        let expected = try Shared.table("truth/correlation_breakdown.csv").filter {
            [$0["set"], $0["asset1"], $0["asset2"]] == pair
        }
        let market = FixtureMarket(
            bars: [
                equity(pair[1]): try Shared.bars("history/\(pair[0])/\(pair[1]).csv"),
                equity(pair[2]): try Shared.bars("history/\(pair[0])/\(pair[2]).csv"),
            ])
        let watchdog = CorrelationBreakdownWatchdog(
            settings(\.correlationBreakdown), pairs: [AssetPair(equity(pair[1]), equity(pair[2]))],
            source: market)
        let opened = market.bars.mapValues { Set($0.map(\.opensAt)) }
        let joint = (opened[equity(pair[1])] ?? []).intersection(opened[equity(pair[2])] ?? []).sorted()
        var judged: [(day: Timestamp, judgement: Judgement)] = []
        for day in joint {
            let over = Timestamp(milliseconds: day.milliseconds + 86_400_000)
            judged += try await watchdog.check(at: over).map { (day, $0) }
        }
        #expect(try judged.map(\.day) == expected.map { try Shared.time($0["date"]) })
        for (judged, row) in zip(judged, expected) {
            let data = judged.judgement.data
            #expect(Shared.close(data["recent_corr"], row["corr_7"]), "\(row)")
            #expect(Shared.close(data["hist_corr"], row["corr_90"]), "\(row)")
            #expect(Shared.close(data["change"], row["abs_change"]), "\(row)")
            #expect((severity(judged.judgement) ?? "") == row["severity"], "\(row)")
        }
    }
}
