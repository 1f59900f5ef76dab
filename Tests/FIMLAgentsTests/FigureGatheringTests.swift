import Analysis
import FIMLCore
import MarketData
import Testing

@testable import FIMLAgents

@Suite("Each worker is given the figures that its type needs, each asked for once an analysis")
struct FigureGatheringTests {
    @Test("All eight workers together ask for each need once")
    func once() async throws {
        let rig = AnalysisRig()
        let analysis = try await rig.orchestrator.analyzeAsset(.apple)
        #expect(analysis.results.map(\.type) == WorkerType.allCases)
        #expect(analysis.results.allSatisfy { $0.status == .completed })
        #expect(
            rig.market.asked.sorted() == [
                "bars AAPL closed 260", "bars SPY,QQQ,TLT,GLD closed 253", "fundamentals AAPL",
                "macro consumer_prices", "macro interest_rate", "macro real_growth", "macro unemployment",
                "news AAPL", "options AAPL",
            ])
    }

    @Test("A worker alone asks only for what it needs")
    func alone() async throws {
        let questions: [WorkerType: [String]] = [
            .fundamentals: ["bars AAPL closed 1", "fundamentals AAPL"],
            .technical: ["bars AAPL closed 260"], .risk: ["bars AAPL closed 253"],
            .sentiment: ["news AAPL"], .news: ["news AAPL"],
            .options: ["bars AAPL closed 1", "options AAPL"],
            .correlation: ["bars AAPL closed 253", "bars SPY,QQQ,TLT,GLD closed 253"],
            .macro: [
                "macro consumer_prices", "macro interest_rate", "macro real_growth", "macro unemployment",
            ],
        ]
        for type in WorkerType.allCases {
            let rig = AnalysisRig()
            _ = try await rig.result(type)
            #expect(rig.market.asked.sorted() == questions[type], "\(type)")
        }
    }

    @Test("It gets what it needs, and nothing else")
    func given() async throws {
        let rig = AnalysisRig()
        _ = try await rig.orchestrator.analyzeAsset(.apple)
        let bars: [WorkerType: Int] = [
            .fundamentals: 1, .technical: 260, .risk: 253, .correlation: 253, .options: 1, .macro: 0,
            .sentiment: 0, .news: 0,
        ]
        for type in WorkerType.allCases {
            let figures = try #require(rig.host(type).calls.first?.figures)
            #expect(figures.asset == .apple)
            #expect(figures.missing.isEmpty)
            #expect(figures.bars.count == bars[type], "\(type)")
            let ends = figures.bars.map(\.closesAt)
            #expect(ends == ends.sorted())
            #expect((figures.fundamentals != nil) == (type == .fundamentals))
            #expect((figures.optionChain != nil) == (type == .options))
            #expect(figures.articles.isEmpty == (type != .news && type != .sentiment))
            #expect(Set(figures.observations.keys) == (type == .macro ? Set(MacroIndicator.allCases) : []))
            let benchmarks = type == .correlation ? ["SPY", "QQQ", "TLT", "GLD"] : []
            #expect(figures.benchmarks.map(\.asset.symbol) == benchmarks)
        }
    }

    struct Refusal: Sendable, CustomTestStringConvertible {
        let type: WorkerType
        let need: DataNeed
        let market: @Sendable (inout ScriptedMarket.Script) -> Void
        let reason: String
        var testDescription: String { "\(type): \(reason)" }
    }

    private static let refusals = [
        Refusal(
            type: .fundamentals, need: .fundamentals, market: { $0.refused["fundamentals"] = "FMP: no plan" },
            reason: "FMP: no plan"),
        Refusal(
            type: .technical, need: .bars, market: { $0.refused["bars"] = "Tiingo: 429" },
            reason: "Tiingo: 429"),
        Refusal(
            type: .risk, need: .bars, market: { $0.barCount = 0 }, reason: "there are no bars of AAPL"),
        Refusal(
            type: .sentiment, need: .news, market: { $0.refused["news"] = "NewsAPI: 401" },
            reason: "NewsAPI: 401"),
        Refusal(
            type: .news, need: .news, market: { $0.articleCount = 0 },
            reason: "there are no articles about AAPL"),
        Refusal(
            type: .options, need: .optionChain, market: { $0.refused["option_chain"] = "Cboe: 404" },
            reason: "Cboe: 404"),
    ]

    @Test("What is missing is named, with the provider's reason; no worker is asked", arguments: refusals)
    func missing(row: Refusal) async throws {
        let rig = AnalysisRig(market: ScriptedMarket(row.market))
        let result = try await rig.result(row.type)
        #expect(result.status == .insufficientData)
        #expect(result.missing == [MissingFigures(row.need, reason: row.reason)])
        #expect(result.finding == nil)
        #expect(rig.host(row.type).calls.isEmpty)
    }

    @Test("Only companies report: of others nobody is asked")
    func companies() async throws {
        let rig = AnalysisRig()
        let result = try await rig.result(.fundamentals, .bitcoin)
        #expect(result.status == .insufficientData)
        #expect(result.missing.map(\.need) == [.fundamentals])
        #expect(!rig.market.asked.contains { $0.hasPrefix("fundamentals") })
    }

    @Test("A part that is missing is named, and the rest is judged")
    func partly() async throws {
        let market = ScriptedMarket {
            $0.refused["unemployment"] = "FRED: 500"
            $0.refused["interest_rate"] = "FRED: 429"
            $0.withoutBars["TLT"] = "delisted"
        }
        let rig = AnalysisRig(market: market)
        #expect(try await rig.result(.macro).status == .completed)
        let economy = try #require(rig.host(.macro).calls.first?.figures)
        #expect(Set(economy.observations.keys) == [.consumerPrices, .realGrowth])
        #expect(
            economy.missing == [
                MissingFigures(.macro, "interest_rate", reason: "FRED: 429"),
                MissingFigures(.macro, "unemployment", reason: "FRED: 500"),
            ])
        #expect(try await rig.result(.correlation).status == .completed)
        let compared = try #require(rig.host(.correlation).calls.first?.figures)
        #expect(compared.benchmarks.map(\.asset.symbol) == ["SPY", "QQQ", "GLD"])
        #expect(compared.missing == [MissingFigures(.benchmarkBars, "TLT", reason: "delisted")])
    }

    @Test("Old bars of a live market are refused, those of a recorded one are not")
    func stale() async throws {
        // A daily bar lives five days.
        for (days, isLive, status) in [
            (4, true, WorkerResult.Status.completed), (6, true, .insufficientData), (6, false, .completed),
            (2_000, false, .completed),
        ] {
            let market = ScriptedMarket { $0.barAgeSeconds = Int64(days) * 86_400 }
            let rig = AnalysisRig(market: market, isLive: isLive)
            let result = try await rig.result(.technical)
            #expect(result.status == status, "\(days) days, live: \(isLive)")
            #expect(rig.market.asked == ["bars AAPL \(isLive ? "closed" : "all") 260"])
            if status == .insufficientData {
                #expect(result.missing.first?.reason.hasPrefix("the newest bar of AAPL is of ") == true)
            }
        }
    }

    @Test("An asset is not compared with itself, and each benchmark is there once")
    func benchmarks() {
        func symbols(_ asset: Asset, _ others: [Asset] = []) -> [String] {
            FigureGathering.benchmarks(of: asset, others: others).map(\.symbol)
        }
        #expect(symbols(.apple) == ["SPY", "QQQ", "TLT", "GLD"])
        #expect(symbols(Asset(symbol: "SPY", assetType: .etf)) == ["QQQ", "TLT", "GLD"])
        #expect(symbols(.bitcoin) == ["ETH", "SPY", "GLD"])
        let others: [Asset] = [.apple, .bitcoin, Asset(symbol: "QQQ", assetType: .etf)]
        #expect(symbols(.apple, others) == ["SPY", "QQQ", "TLT", "GLD", "BTC"])
    }
}
