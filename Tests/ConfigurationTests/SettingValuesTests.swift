import Testing

@testable import Configuration

/// What a setting is when nothing is set, its outermost allowed values, and values that must be refused.
struct SettingVector: Sendable, CustomTestStringConvertible {
    let name: String
    let standard: String
    let allowed: [String]
    let refused: [String]

    var testDescription: String { name }

    init(_ name: String, _ standard: String, allowed: [String], refused: [String]) {
        (self.name, self.standard, self.allowed, self.refused) = (name, standard, allowed, refused)
    }

    /// A whole number from `lowest` to `highest`.
    init(_ name: String, _ standard: Int, _ lowest: Int, _ highest: Int) {
        self.init(
            name, "\(standard)", allowed: ["\(lowest)", "\(highest)"],
            refused: [
                "\(lowest - 1)", "\(highest + 1)", "ten", "1.5", "0x10", "1_000", "99999999999999999999",
                "5 s",
            ])
    }

    /// A number from `lowest` to `highest`, with one just outside at either end.
    init(
        _ name: String, _ standard: String, _ lowest: String, _ highest: String, below: String, above: String
    ) {
        self.init(
            name, standard, allowed: [lowest, highest],
            refused: [below, above, "ten", "nan", "inf", "0x1p3", "1,5", "1e999", "-1", "--1"])
    }

    init(symbols name: String, _ standard: String) {
        self.init(
            name, standard, allowed: ["A", "BRK.B,^GSPC,EURUSD=X,BTC-USD"],
            refused: [",", "A B", "A;B", "A,*", "ä", String(repeating: "A", count: 33)])
    }

    init(host name: String) {
        self.init(
            name, "", allowed: ["localhost", "my_redis-1.example.com", "10.0.0.7", "::1", "1.example"],
            refused: [
                "host:6379", "redis://host", "[::1]", "a b", "-a", "a-", "a..b", "a.", "300.1.1.1", "ä",
                "a/b", "fe80::1%eth0", String(repeating: "h", count: 64),
                String(repeating: "a.", count: 126) + "ab",
            ])
    }

    init(password name: String) {
        self.init(
            name, "", allowed: ["k3y-_.", "two words", "ä'\"\\=", String(repeating: "p", count: 512)],
            refused: ["a\0b", "a\nb", "a\u{7F}b", String(repeating: "p", count: 513)])
    }

    init(flag name: String, _ standard: Bool) {
        self.init(
            name, standard ? "true" : "false", allowed: ["true", "false"],
            refused: ["2", "-1", "maybe", "tru", "true,false"])
    }
}

/// Written from the issue and the deployment guide, not from the table.
let settingVectors: [SettingVector] =
    [
        SettingVector(
            "FIML_ENV", "development", allowed: ["development", "test", "staging", "production"],
            refused: ["prod", "1"]),
        SettingVector(
            "FIML_HOST", "127.0.0.1", allowed: ["0.0.0.0", "::", "::1", "192.168.1.7"],
            refused: [
                "localhost", "gateway.example.com", "127.0.0.1:80", "300.1.1.1", "fe80::1%eth0", "two words",
            ]),
        SettingVector("FIML_PORT", 8000, 0, 65_535),
        SettingVector("FIML_EVENT_LOOPS", 0, 0, 64),
        SettingVector("FIML_MAX_CONNECTIONS", 100_000, 1, 1_000_000),
        SettingVector(
            "FIML_DATA_DIR", "data", allowed: ["/var/lib/fiml", "a b"],
            refused: ["a\0b", "a\nb", "a\rb", "a\u{7F}b"]),
        SettingVector(flag: "FIML_DEV_ENDPOINTS", false),
        SettingVector(
            "FIML_LOG_LEVEL", "INFO", allowed: ["DEBUG", "INFO", "WARNING", "ERROR"],
            refused: ["TRACE", "3", "WARN"]),
        SettingVector("FIML_DRAIN_SECONDS", 5, 0, 30),
        SettingVector("FIML_TLS_PORT", 0, 0, 65_535),
        SettingVector(
            "FIML_TLS_CERT_FILE", "", allowed: ["/etc/fiml/chain.pem"],
            refused: ["a\0b", "a\nb", "a\rb", "a\u{7F}b"]),
        SettingVector(
            "FIML_TLS_KEY_FILE", "", allowed: ["/etc/fiml/key.pem"],
            refused: ["a\0b", "a\nb", "a\rb", "a\u{7F}b"]),
        SettingVector("FIML_TLS_HANDSHAKE_TIMEOUT_SECONDS", 10, 1, 300),
        SettingVector(flag: "ENABLE_CORS", true),
        SettingVector(
            "CORS_ORIGINS", "*",
            allowed: ["*", "https://app.example.com", "http://[::1]:3000,https://a.example"],
            refused: [
                "app.example.com", "https://", "https://a.example/", "https://a.example/x", "ftp://a.example",
                "*,*",
                "https://*.example", "https://a.example,,https://b.example", "https://a b", "https://:80x:",
                "null",
            ]),
        SettingVector("FIML_HTTP_MAX_REQUEST_LINE_BYTES", 8192, 1024, 65_536),
        SettingVector("FIML_HTTP_MAX_FIELDS_BYTES", 16_384, 1024, 1_048_576),
        SettingVector("FIML_HTTP_MAX_FIELDS", 100, 8, 1000),
        SettingVector("FIML_HTTP_MAX_BODY_BYTES", 1_048_576, 1024, 67_108_864),
        SettingVector("FIML_HTTP_HEADER_TIMEOUT_SECONDS", 10, 1, 300),
        SettingVector("FIML_HTTP_BODY_TIMEOUT_SECONDS", 30, 1, 3600),
        SettingVector("FIML_HTTP_IDLE_TIMEOUT_SECONDS", 60, 1, 3600),
        SettingVector("FIML_HEARTBEAT_SECONDS", 15, 1, 3600),
        SettingVector("FIML_WS_MAX_MESSAGE_BYTES", 16_384, 1024, 16_777_216),
        SettingVector("FIML_WS_MAX_INFLATED_BYTES", 65_536, 1024, 67_108_864),
        SettingVector("FIML_WS_MAX_SUBSCRIPTIONS", 64, 1, 10_000),
        SettingVector("FIML_WS_REQUESTS_PER_SECOND", 10, 1, 10_000),
        SettingVector("FIML_WS_REQUEST_BURST", 20, 1, 100_000),
        SettingVector("FIML_WS_SEND_QUEUE_BYTES", 1_048_576, 65_536, 1_073_741_824),
        SettingVector("FIML_WS_STALL_SECONDS", 10, 1, 3600),
        SettingVector("FIML_WS_PING_SECONDS", 25, 1, 3600),
        SettingVector("FIML_WS_PONG_TIMEOUT_SECONDS", 10, 1, 3600),
        SettingVector(flag: "WATCHDOG_GLOBAL_ENABLED", true),
        SettingVector(flag: "WATCHDOG_EVENT_STREAM_ENABLED", true),
        SettingVector(flag: "WATCHDOG_EVENT_PERSISTENCE", true),
        SettingVector(flag: "WATCHDOG_WEBSOCKET_BROADCAST", true),
        SettingVector("WATCHDOG_MAX_EVENTS_IN_MEMORY", 1000, 1, 100_000),
        SettingVector("WATCHDOG_HEALTH_CHECK_INTERVAL", 60, 1, 86_400),
        SettingVector("WATCHDOG_CONSECUTIVE_FAILURE_THRESHOLD", 3, 1, 1_000),
        SettingVector("WATCHDOG_STALE_SECONDS", 300, 1, 86_400),
        SettingVector("WATCHDOG_CHECK_TIMEOUT_SECONDS", 60, 1, 3_600),
        SettingVector("WATCHDOG_RETRY_DELAY_SECONDS", 5, 0, 300),
        SettingVector("WATCHDOG_RENOTIFY_SECONDS", 14_400, 60, 31_536_000),
        SettingVector("WATCHDOG_FLAP_COUNT", 3, 2, 1_000),
        SettingVector(flag: "ENABLE_EARNINGS_ANOMALY_WATCHDOG", true),
        SettingVector("EARNINGS_ANOMALY_CHECK_INTERVAL", 300, 1, 86_400),
        SettingVector(symbols: "EARNINGS_ANOMALY_ASSETS", "AAPL,MSFT,GOOGL,AMZN,TSLA"),
        SettingVector("EARNINGS_SURPRISE_THRESHOLD_PCT", "10", "0.1", "1000", below: "0.09", above: "1000.1"),
        SettingVector(flag: "ENABLE_UNUSUAL_VOLUME_WATCHDOG", true),
        SettingVector("UNUSUAL_VOLUME_CHECK_INTERVAL", 60, 1, 86_400),
        SettingVector(symbols: "UNUSUAL_VOLUME_ASSETS", "AAPL,MSFT,GOOGL,AMZN,TSLA,SPY,QQQ"),
        SettingVector("UNUSUAL_VOLUME_MULTIPLIER", "3", "1", "1000", below: "0.99", above: "1000.1"),
        SettingVector(flag: "ENABLE_WHALE_MOVEMENT_WATCHDOG", true),
        SettingVector("WHALE_MOVEMENT_CHECK_INTERVAL", 120, 1, 86_400),
        SettingVector(symbols: "WHALE_MOVEMENT_ASSETS", "BTC,ETH,SOL,USDT,USDC"),
        SettingVector(
            "WHALE_MOVEMENT_MIN_USD", "1000000", "1000", "1000000000000", below: "999", above: "1000000000001"
        ),
        SettingVector(flag: "ENABLE_FUNDING_RATE_WATCHDOG", true),
        SettingVector("FUNDING_RATE_CHECK_INTERVAL", 300, 1, 86_400),
        SettingVector(symbols: "FUNDING_RATE_ASSETS", "BTC,ETH,SOL"),
        SettingVector("FUNDING_RATE_THRESHOLD_PCT", "0.1", "0.0001", "100", below: "0.00009", above: "100.1"),
        SettingVector(flag: "ENABLE_LIQUIDITY_DROP_WATCHDOG", true),
        SettingVector("LIQUIDITY_DROP_CHECK_INTERVAL", 180, 1, 86_400),
        SettingVector(symbols: "LIQUIDITY_DROP_ASSETS", "BTC,ETH,SOL,SPY,QQQ"),
        SettingVector("LIQUIDITY_DROP_THRESHOLD_PCT", "50", "1", "99", below: "0.9", above: "99.1"),
        SettingVector(flag: "ENABLE_CORRELATION_BREAKDOWN_WATCHDOG", true),
        SettingVector("CORRELATION_BREAKDOWN_CHECK_INTERVAL", 600, 1, 86_400),
        SettingVector(
            "CORRELATION_BREAKDOWN_PAIRS", "BTC/ETH,SPY/QQQ,GLD/TLT,BTC/SPY",
            allowed: ["A/B", "BRK.B/^GSPC,A/B"],
            refused: ["A", "A/A", "A/B/C", "A/", "/B", ",", "A/B,C", "A B/C"]),
        SettingVector("CORRELATION_CHANGE_THRESHOLD", "0.5", "0.01", "2", below: "0.009", above: "2.1"),
        SettingVector(flag: "ENABLE_EXCHANGE_OUTAGE_WATCHDOG", true),
        SettingVector("EXCHANGE_OUTAGE_CHECK_INTERVAL", 60, 1, 86_400),
        SettingVector(
            "EXCHANGE_OUTAGE_EXCHANGES", "binance,coinbase,kraken", allowed: ["okx", "bybit,okx,binance"],
            refused: ["nasdaq", "binance;kraken", ","]),
        SettingVector(flag: "ENABLE_PRICE_ANOMALY_WATCHDOG", true),
        SettingVector("PRICE_ANOMALY_CHECK_INTERVAL", 30, 1, 86_400),
        SettingVector(symbols: "PRICE_ANOMALY_ASSETS", "BTC,ETH,SPY,QQQ,AAPL,TSLA"),
        SettingVector("PRICE_ANOMALY_THRESHOLD_PCT", "5", "0.01", "100", below: "0.009", above: "100.1"),
        SettingVector("PRICE_ANOMALY_WINDOW_SECONDS", 60, 1, 86_400),
        SettingVector("FIML_EVENTS_KEPT", 10_000, 1, 10_000_000),
        SettingVector("FIML_EVENTS_KEPT_HOURS", 0, 0, 8_760),
        SettingVector(host: "REDIS_HOST"),
        SettingVector("REDIS_PORT", 6_379, 1, 65_535),
        SettingVector("REDIS_DB", 0, 0, 1_024),
        SettingVector(password: "REDIS_PASSWORD"),
        SettingVector("REDIS_SOCKET_TIMEOUT", 5, 1, 300),
        SettingVector(
            "FIML_NODE_ID", "", allowed: ["a", "node-1.rack_2", String(repeating: "n", count: 64)],
            refused: ["a b", "a:b", "a/b", "ä", String(repeating: "n", count: 65)]),
        SettingVector("FIML_LEASE_SECONDS", 10, 2, 300),
        SettingVector("WORKER_POOL_SIZE", 8, 1, 64),
        SettingVector("WORKER_MAX_CONCURRENT_TASKS", 50, 1, 1_000),
        SettingVector("WORKER_TASK_TIMEOUT", 120, 1, 3_600),
        SettingVector("WORKER_RETRY_ATTEMPTS", 3, 0, 10),
        SettingVector("WORKER_RETRY_DELAY", 5, 0, 300),
        SettingVector("WORKER_HEALTH_CHECK_INTERVAL", 60, 1, 86_400),
        SettingVector("WORKER_MEMORY_LIMIT_MB", 2_048, 64, 1_048_576),
        SettingVector("WORKER_CPU_LIMIT", "2", "0.1", "64", below: "0.09", above: "64.1"),
        SettingVector("WORKER_MAX_HEARTBEAT_AGE", 120, 10, 3_600),
        SettingVector("WORKER_ERROR_RATE_THRESHOLD", "0.5", "0.01", "1", below: "0.009", above: "1.1"),
        SettingVector("WORKER_CIRCUIT_BREAKER_THRESHOLD", 5, 1, 1_000),
        SettingVector("WORKER_CIRCUIT_BREAKER_TIMEOUT", 60, 1, 3_600),
        SettingVector(
            "WORKER_EXECUTABLE", "", allowed: ["/usr/local/bin/fiml-gateway", "./a worker"],
            refused: ["a\0b", "a\nb", "a\rb", "a\u{7F}b"]),
        SettingVector(flag: "ENABLE_FUNDAMENTALS_WORKER", true),
        SettingVector(flag: "ENABLE_TECHNICAL_WORKER", true),
        SettingVector(flag: "ENABLE_MACRO_WORKER", true),
        SettingVector(flag: "ENABLE_SENTIMENT_WORKER", true),
        SettingVector(flag: "ENABLE_CORRELATION_WORKER", true),
        SettingVector(flag: "ENABLE_RISK_WORKER", true),
        SettingVector(flag: "ENABLE_NEWS_WORKER", true),
        SettingVector(flag: "ENABLE_OPTIONS_WORKER", true),
        SettingVector("MAX_CONCURRENT_TASKS", 100, 1, 10_000),
        SettingVector("MAX_QUEUED_TASKS", 1_000, 0, 100_000),
        SettingVector("ASYNC_TASK_TIMEOUT", 300, 1, 3_600),
        SettingVector("TASK_RESULT_TTL", 3_600, 1, 604_800),
        SettingVector("CACHE_TTL_PRICE", 10, 0, 604_800),
        SettingVector("CACHE_TTL_FUNDAMENTALS", 3_600, 0, 604_800),
        SettingVector("CACHE_TTL_TECHNICAL", 300, 0, 604_800),
        SettingVector("CACHE_TTL_NEWS", 600, 0, 604_800),
        SettingVector("CACHE_TTL_MACRO", 86_400, 0, 604_800),
        SettingVector(host: "POSTGRES_HOST"),
        SettingVector("POSTGRES_PORT", 5_432, 1, 65_535),
        SettingVector(
            "POSTGRES_DB", "fiml", allowed: ["a", "my database", String(repeating: "d", count: 63)],
            refused: ["a\0b", "a\nb", "a\u{7F}", String(repeating: "ä", count: 32)]),
        SettingVector(
            "POSTGRES_USER", "fiml", allowed: ["a", "o'brien", String(repeating: "u", count: 63)],
            refused: ["a\0b", "a\nb", "a\u{7F}", String(repeating: "u", count: 64)]),
        SettingVector(password: "POSTGRES_PASSWORD"),
        SettingVector("POSTGRES_POOL_SIZE", 20, 1, 100),
        SettingVector("SESSION_DEFAULT_TTL_HOURS", 24, 1, 8_760),
        SettingVector("SESSION_MAX_TTL_HOURS", 168, 1, 8_760),
        SettingVector(
            "AZURE_OPENAI_ENDPOINT", "",
            allowed: ["https://fiml.openai.azure.com", "http://127.0.0.1:8080/azure"],
            refused: [
                "fiml.openai.azure.com", "ftp://a.example", "https://", "https://a.example?x=1",
                "https://user@a.example", "https://a b", "https://a#b",
            ]),
        SettingVector(
            "AZURE_OPENAI_API_KEY", "", allowed: ["k3y-_."], refused: ["two words", "a\nb", "ä"]),
        SettingVector(
            "AZURE_OPENAI_DEPLOYMENT_NAME", "", allowed: ["gpt-4o", String(repeating: "d", count: 64)],
            refused: ["a/b", "a b", "a?b", "ä", "%2e", String(repeating: "d", count: 65)]),
        SettingVector(
            "AZURE_OPENAI_API_VERSION", "2024-10-21", allowed: ["2025-01-01-preview", "v1"],
            refused: ["2024/10", "a b", "1&x=2", String(repeating: "1", count: 65)]),
        SettingVector("AZURE_OPENAI_TIMEOUT_SECONDS", 20, 1, 300),
        SettingVector("AZURE_OPENAI_MAX_TOKENS", 400, 64, 4_096),
        SettingVector("AZURE_OPENAI_TOKENS_PER_DAY", 1_000_000, 0, 1_000_000_000),
        SettingVector("MARKET_DATA_SOURCE", "replay", allowed: ["replay", "live"], refused: ["file", "1"]),
        SettingVector("REPLAY_SPEED", 86_400, 1, 31_536_000),
        SettingVector(
            "REPLAY_FROM", "", allowed: ["1970-01-01", "2024-02-29", "9999-12-31"],
            refused: [
                "1969-12-31", "2023-02-29", "2100-02-29", "2024-13-01", "2024-00-10", "2024-01-00",
                "2024-04-31",
                "2024-1-1", "20240101", "2024-01-01T00:00:00Z", "+024-01-01", "yesterday",
            ]),
    ]
    + ["ALPHA_VANTAGE", "FINNHUB", "FMP", "POLYGON", "TIINGO", "FRED", "NEWSAPI", "WHALE_ALERT"].map {
        SettingVector("\($0)_API_KEY", "", allowed: ["k3y-_."], refused: ["two words", "a\nb", "ä"])
    }
    + [
        "BINANCE", "BINANCE_FUTURES", "BYBIT", "OKX", "COINBASE", "COINBASE_EXCHANGE", "KRAKEN", "YAHOO",
        "YAHOO_COOKIE", "STOOQ", "SEC", "CBOE", "BLOCKCHAIN_INFO", "ESPLORA", "ETHEREUM", "ALPHA_VANTAGE",
        "FINNHUB", "FMP", "POLYGON", "TIINGO", "FRED", "NEWSAPI", "WHALE_ALERT",
    ].map {
        SettingVector(
            "\($0)_BASE_URL", "", allowed: ["http://127.0.0.1:8080", "https://proxy.example/market/api"],
            refused: [
                "example.com", "ftp://example.com", "https://", "https:///x", "https://a.example?x=1",
                "https://user@a.example", "https://a b", "https://a#b",
            ])
    }

@Suite("Settings are typed, have a range, and a wrong value is refused by name")
struct SettingValuesTests {
    private let table = SettingTable.sections.flatMap(\.settings)

    @Test("Every setting has a row in this test, and no row is without a setting")
    func completeness() {
        #expect(table.map(\.name) == settingVectors.map(\.name))
    }

    @Test("Every setting starts with its documented default", arguments: settingVectors)
    func standard(vector: SettingVector) throws {
        let setting = try #require(table.first { $0.name == vector.name })
        #expect(setting.defaultText == vector.standard)
    }

    @Test("The outermost allowed values are taken, and come out as they went in", arguments: settingVectors)
    func allowed(vector: SettingVector) throws {
        let setting = try #require(table.first { $0.name == vector.name })
        for value in vector.allowed {
            var settings = Settings()
            #expect(setting.assign(value, &settings), "\(value)")
            #expect(setting.text(settings) == value)
        }
    }

    @Test(
        "A value outside is refused in one line with name, value and what is allowed",
        arguments: settingVectors)
    func refused(vector: SettingVector) throws {
        let setting = try #require(table.first { $0.name == vector.name })
        for value in vector.refused {
            let error = #expect(throws: ConfigurationError.self, "\(value)") {
                _ = try load([vector.name: value])
            }
            let problem = try #require(error?.problems.first)
            #expect(error?.problems.count == 1, "\(error?.problems ?? [])")
            #expect(problem.hasPrefix("\(vector.name)="))
            #expect(problem.hasSuffix(" is not allowed: \(setting.allowed)"))
            #expect(!problem.unicodeScalars.contains { $0.value < 0x20 })
        }
    }

    @Test("No setting is silent about what it is for or what it may be")
    func described() {
        for setting in table {
            #expect(setting.summary.hasSuffix("."), "\(setting.name)")
            #expect(!setting.allowed.isEmpty, "\(setting.name)")
        }
    }

    @Test(
        "Flags take the words that FIML takes, in any case",
        arguments: [
            ("TRUE", true), ("1", true), ("Yes", true), ("on", true), ("0", false), ("NO", false),
            ("Off", false),
        ])
    func flags(word: String, value: Bool) throws {
        #expect(try load(["ENABLE_CORS": word]).settings.cors.isEnabled == value)
    }

    @Test("Passwords of servers are hidden, and what they are for is in the property of that name")
    func servers() throws {
        let loaded = try load([
            "REDIS_HOST": "redis", "REDIS_PASSWORD": "hunter2", "POSTGRES_HOST": "::1",
            "POSTGRES_PASSWORD": "hunter3", "FIML_EVENTS_KEPT_HOURS": "36", "SESSION_MAX_TTL_HOURS": "48",
        ])
        let settings = loaded.settings
        #expect(settings.redis.host == "redis" && settings.redis.password == "hunter2")
        #expect(settings.postgres.host == "::1" && settings.postgres.password == "hunter3")
        #expect(settings.eventStore.keptFor == .seconds(129_600))
        #expect(settings.sessions.maxTTL == .seconds(172_800))
        let report = SettingsReport(loaded)
        #expect(try !(report.text + report.json()).contains("hunter"))
    }

    @Test("Values reach the property they are for")
    func properties() throws {
        let settings = try load([
            "FIML_LOG_LEVEL": "warning", "FIML_PORT": "9000", "FIML_HEARTBEAT_SECONDS": "7",
            "PRICE_ANOMALY_THRESHOLD_PCT": "2.5e0", "REPLAY_FROM": "2020-03-12",
        ]).settings
        #expect(settings.server.logLevel == .warning)
        #expect(settings.server.port == 9000)
        #expect(settings.webSocket.heartbeat == .seconds(7))
        #expect(settings.watchdogs.priceAnomaly.thresholdPct == 2.5)
        // date -u -d 2020-03-12 +%s
        #expect(settings.marketData.replayFrom?.secondsSince1970 == 1_583_971_200)
    }
}

/// Loads with every file readable.
func load(
    _ environment: [String: String], dotEnv: EnvironmentFile? = nil,
    isReadable: (String) -> Bool = { _ in true }
) throws(ConfigurationError) -> LoadedSettings {
    try Settings.load(
        environment: environment, dotEnv: dotEnv, sections: SettingTable.sections, isReadable: isReadable)
}
