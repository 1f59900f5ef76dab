import FIMLCore
import MarketData
import Testing

@testable import Analysis

@Suite(
    "On recorded daily series the figures are those of TA-Lib, empyrical and numpy, to 1e-9",
    .enabled(if: RecordedPrices.isThere, "../shared/market-data is absent"))
struct PriceTruthTests {
    @Test("Technical indicators over the first bars", arguments: RecordedPrices.series("technical"))
    func technical(series: String) throws {
        let bars = try RecordedPrices.bars(series)
        let expected = try #require(try RecordedPrices.truth("technical")[series]?.elements)
        #expect(!expected.isEmpty)
        for truth in expected {
            let count = try #require(truth["bars"]?.double.flatMap { Int(exactly: $0) })
            let finding = try TechnicalWorker().analyze(PriceFixtures.figures(Array(bars.prefix(count))))
            let macd = truth["macd_12_26_9"]?["talib"]
            let bands = truth["bollinger_20_2"]?["population_std_talib"]
            let pairs: [(String, JSONValue?, JSONValue?)] = [
                ("price", finding.value("indicators", "current_price"), truth["close"]),
                ("sma 20", finding.value("indicators", "sma_20"), truth["sma"]?["20"]),
                ("sma 50", finding.value("indicators", "sma_50"), truth["sma"]?["50"]),
                ("ema 12", finding.value("indicators", "ema_12"), truth["ema"]?["12"]?["seed_sma_talib"]),
                ("ema 26", finding.value("indicators", "ema_26"), truth["ema"]?["26"]?["seed_sma_talib"]),
                ("rsi", finding.value("indicators", "rsi"), truth["rsi_14"]?["wilder_seed_sma_talib"]),
                ("macd", finding.value("indicators", "macd", "macd"), macd?["macd"]),
                ("signal", finding.value("indicators", "macd", "signal"), macd?["signal"]),
                ("histogram", finding.value("indicators", "macd", "histogram"), macd?["histogram"]),
                ("upper", finding.value("indicators", "bollinger", "upper"), bands?["upper"]),
                ("middle", finding.value("indicators", "bollinger", "middle"), bands?["middle"]),
                ("lower", finding.value("indicators", "bollinger", "lower"), bands?["lower"]),
                ("atr", finding.value("indicators", "atr"), truth["atr_14_wilder_talib"]),
                ("support", finding.value("indicators", "support"), truth["support_20_low"]),
                ("resistance", finding.value("indicators", "resistance"), truth["resistance_20_high"]),
            ]
            for (name, value, truth) in pairs {
                #expect(isClose(value?.double, truth?.double), "\(name) of \(count) bars")
            }
            if truth["sma"]?["200"] == .null {
                #expect(finding.value("indicators", "sma_200") == .null)
                #expect(finding.missingSubjects == ["sma_200"])
            } else {
                let value = finding.value("indicators", "sma_200")?.double
                #expect(isClose(value, truth["sma"]?["200"]?.double))
                #expect(finding.missing.isEmpty)
            }
            #expect(finding.value("trend") == truth["trend"], "of \(count) bars")
        }
    }

    @Test("Risk over all bars and the newest", arguments: RecordedPrices.series("risk"))
    func risk(series: String) throws {
        let bars = try RecordedPrices.bars(series)
        let expected = try #require(try RecordedPrices.truth("risk")[series])
        for (span, count) in [("all", bars.count), ("last_365_bars", 365), ("last_90_bars", 90)] {
            let truth = try #require(expected[span])
            let newest = Array(bars.suffix(count))
            let finding = try RiskWorker().analyze(PriceFixtures.figures(newest))
            // The worker says nothing about the worst hundredth of 89 returns; the measure does.
            let statistics = ReturnStatistics(DailyPrices(newest).returns)
            let sortino = truth["sortino_empyrical_target_rf"]
            let pairs: [(String, Double?, JSONValue?)] = [
                ("mean_return", nil, truth["mean_return_annual"]),
                ("volatility", nil, truth["volatility_annual_ddof1_empyrical"]),
                ("var_95", nil, truth["var_95_historical_linear"]),
                ("var_99", statistics.valueAtRisk99, truth["var_99_historical_linear"]),
                ("cvar_95", nil, truth["cvar_95_mean_of_worst"]),
                ("sharpe_ratio", nil, truth["sharpe_empyrical_daily_rf"]?["value"]),
                ("sortino_ratio", nil, sortino?["value"]),
                ("downside_deviation", nil, sortino?["downside_risk"]),
                ("max_drawdown", nil, truth["max_drawdown_empyrical"]?["value"]),
            ]
            for (name, measured, truth) in pairs {
                let value = measured ?? finding.value("metrics", name)?.double
                #expect(isClose(value, truth?.double), "\(name) of \(span)")
            }
            #expect(finding.missingSubjects == (count == 90 ? ["var_99"] : []))
        }
    }

    @Test("Correlation and beta of two series", arguments: RecordedPrices.series("correlation"))
    func correlation(pair: String) throws {
        let truth = try #require(try RecordedPrices.truth("correlation")[pair])
        let paths = pair.split(separator: " ")
        let first = try RecordedPrices.bars("history/\(paths[0])")
        let second = try RecordedPrices.bars("history/\(paths[2])")
        let finding = try CorrelationWorker().analyze(
            PriceFixtures.figures(first, benchmarks: [("B", second)]))
        let pairs: [(String, JSONValue?, JSONValue?)] = [
            ("pearson", finding.value("correlations", "B"), truth["pearson"]),
            ("7", finding.value("rolling_correlations", "B", "7"), truth["last7"]),
            ("30", finding.value("rolling_correlations", "B", "30"), truth["last30_pearson"]),
            ("90", finding.value("rolling_correlations", "B", "90"), truth["last90"]),
            ("beta", finding.value("beta"), truth["beta_vs_second"]?["same_ddof"]),
        ]
        for (name, value, truth) in pairs {
            #expect(isClose(value?.double, truth?.double), "\(name)")
        }
        #expect(finding.missing.isEmpty)
    }
}
