import Configuration
import FIMLCore
import FoundationEssentials
import Testing

@Suite("Every setting of the watchdogs takes effect")
struct SettingEffectTests {
    @Test("each value is seen in what a watchdog does", arguments: switchesAndIntervals + own + ofAll)
    func effect(of setting: SettingEffect) async throws {
        #expect(setting.seen.count == 2 && Set(setting.seen.values).count == 2)
        for (value, expected) in setting.seen {
            let seen = try await setting.seen(with: value)
            #expect(seen == expected, "\(setting.name)=\(value)")
        }
    }

    static let switchesAndIntervals = WatchdogName.allCases.map { $0.rawValue.uppercased() }.flatMap { name in
        [
            SettingEffect(
                "ENABLE_\(name)_WATCHDOG", .checkedAt, ["true": "0 60 120", "false": ""],
                along: ["\(name)_CHECK_INTERVAL": "60"]),
            SettingEffect("\(name)_CHECK_INTERVAL", .checkedAt, ["30": "0 30 60 90 120", "60": "0 60 120"]),
        ]
    }

    /// Thresholds, and what is watched.
    static let own = [
        SettingEffect("EARNINGS_SURPRISE_THRESHOLD_PCT", .fired, ["10": "AAPL MSFT", "20": "MSFT"]),
        SettingEffect("EARNINGS_ANOMALY_ASSETS", .fired, ["AAPL,MSFT": "AAPL MSFT", "AAPL": "AAPL"]),
        SettingEffect("UNUSUAL_VOLUME_MULTIPLIER", .fired, ["3": "AAPL MSFT", "5": "MSFT"]),
        SettingEffect("UNUSUAL_VOLUME_ASSETS", .fired, ["AAPL,MSFT": "AAPL MSFT", "AAPL": "AAPL"]),
        SettingEffect("WHALE_MOVEMENT_MIN_USD", .fired, ["1000000": "BTC ETH", "10000000": "ETH"]),
        SettingEffect("WHALE_MOVEMENT_ASSETS", .fired, ["BTC,ETH": "BTC ETH", "BTC": "BTC"]),
        SettingEffect("FUNDING_RATE_THRESHOLD_PCT", .fired, ["0.1": "BTC ETH", "0.3": "ETH"]),
        SettingEffect("FUNDING_RATE_ASSETS", .fired, ["BTC,ETH": "BTC ETH", "BTC": "BTC"]),
        SettingEffect("LIQUIDITY_DROP_THRESHOLD_PCT", .fired, ["50": "BTC ETH", "70": "ETH"]),
        SettingEffect("LIQUIDITY_DROP_ASSETS", .fired, ["BTC,ETH": "BTC ETH", "BTC": "BTC"]),
        SettingEffect("CORRELATION_CHANGE_THRESHOLD", .fired, ["0.5": "BTC/ETH GLD/TLT", "1.5": "BTC/ETH"]),
        SettingEffect(
            "CORRELATION_BREAKDOWN_PAIRS", .fired,
            ["BTC/ETH,GLD/TLT": "BTC/ETH GLD/TLT", "ETH/GLD": "ETH/GLD"]),
        SettingEffect(
            "EXCHANGE_OUTAGE_EXCHANGES", .fired, ["binance,kraken": "binance kraken", "kraken": "kraken"]),
        SettingEffect("PRICE_ANOMALY_THRESHOLD_PCT", .fired, ["5": "BTC ETH", "10": "ETH"]),
        SettingEffect("PRICE_ANOMALY_ASSETS", .fired, ["BTC,ETH": "BTC ETH", "BTC": "BTC"]),
        SettingEffect("PRICE_ANOMALY_WINDOW_SECONDS", .fired, ["60": "BTC ETH", "180": "BTC ETH SPY"]),
    ]

    /// What holds for all eight; what only a process shows is in the end-to-end tests.
    static let ofAll = [
        SettingEffect("WATCHDOG_GLOBAL_ENABLED", .fired, ["true": "BTC ETH", "false": ""]),
        SettingEffect(
            "WATCHDOG_RENOTIFY_SECONDS", .told,
            ["60": "0 firing, 60 updated, 120 updated", "3600": "0 firing"],
            along: ["FUNDING_RATE_ASSETS": "BTC", "FUNDING_RATE_CHECK_INTERVAL": "30"]),
        SettingEffect(
            "WATCHDOG_FLAP_COUNT", .told,
            [
                "2": "0 firing, 30 resolved, 60 firing",
                "3": "0 firing, 30 resolved, 60 firing, 90 resolved, 120 firing",
            ], sources: .alternating,
            along: ["FUNDING_RATE_ASSETS": "BTC", "FUNDING_RATE_CHECK_INTERVAL": "30"]),
        SettingEffect(
            "WATCHDOG_CONSECUTIVE_FAILURE_THRESHOLD", .status, ["3": "unhealthy", "4": "degraded"],
            sources: .failing,
            along: ["WATCHDOG_RETRY_DELAY_SECONDS": "0", "FUNDING_RATE_CHECK_INTERVAL": "60"]),
        SettingEffect(
            "WATCHDOG_RETRY_DELAY_SECONDS", .lastError,
            ["0": "no answer", "300": "no answer within 1 s"], sources: .failing,
            along: ["WATCHDOG_CHECK_TIMEOUT_SECONDS": "1"]),
        SettingEffect(
            "WATCHDOG_CHECK_TIMEOUT_SECONDS", .lastError,
            ["1": "no answer within 1 s", "2": "no answer within 2 s"], sources: .hanging),
    ]

    @Test("each setting is shown once, here or of a whole process in the end-to-end tests")
    func complete() throws {
        let endToEnd = try String(
            contentsOfFile: #filePath.replacing(
                "FIMLWatchdogsTests/SettingEffectTests.swift", with: "EndToEnd/test_settings.py"),
            encoding: .utf8)
        let ofAllWatchdogs = try #require(SettingTable.sections.first { $0.title == "Watchdogs" })
        let names = (ofAllWatchdogs.settings + SettingTable.byWatchdog.flatMap(\.settings)).map(\.name)
        let here = (Self.switchesAndIntervals + Self.own + Self.ofAll).map(\.name)
        let there = names.filter { endToEnd.contains("def test_\($0.lowercased())(") }
        #expect((here + there).sorted() == names.sorted())
    }
}
