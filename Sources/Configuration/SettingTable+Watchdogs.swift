extension SettingTable {
    static let watchdogs: [Setting] = [
        .bool("WATCHDOG_GLOBAL_ENABLED", \.watchdogs.isEnabled, "Master switch of all watchdogs."),
        .bool(
            "WATCHDOG_EVENT_STREAM_ENABLED", \.watchdogs.eventStreamIsEnabled,
            "Whether what watchdogs find enters the event stream."),
        .bool(
            "WATCHDOG_EVENT_PERSISTENCE", \.watchdogs.persistsState,
            "Whether events, what fires and a live market's history outlive a restart; false: memory only."),
        .bool(
            "WATCHDOG_WEBSOCKET_BROADCAST", \.watchdogs.webSocketBroadcast,
            "Whether the event stream is broadcast to WebSocket subscribers."),
        .integer(
            "WATCHDOG_MAX_EVENTS_IN_MEMORY", \.watchdogs.maxEventsInMemory, 1...100_000, unit: "events",
            "Events held ready in memory; older ones are read from the store, if there is one."),
        .seconds(
            "WATCHDOG_HEALTH_CHECK_INTERVAL", \.watchdogs.healthCheckInterval, 1...86_400,
            "How often all are looked at; one that is unhealthy or stale is then told as an event."),
        .integer(
            "WATCHDOG_CONSECUTIVE_FAILURE_THRESHOLD", \.watchdogs.failureThreshold, 1...1_000, unit: "checks",
            "So many failed checks in a row make a watchdog unhealthy."),
        .seconds(
            "WATCHDOG_STALE_SECONDS", \.watchdogs.staleAfter, 1...86_400,
            "Without anything fresh to judge for so long, or for two of its intervals, a watchdog is stale."),
        .seconds(
            "WATCHDOG_CHECK_TIMEOUT_SECONDS", \.watchdogs.checkTimeout, 1...3_600,
            "A check fails when its three tries together take longer."),
        .seconds(
            "WATCHDOG_RETRY_DELAY_SECONDS", \.watchdogs.retryDelay, 0...300,
            "Pause after a failed try of a check."),
        .seconds(
            "WATCHDOG_RENOTIFY_SECONDS", \.watchdogs.renotifyAfter, 60...31_536_000,
            "A condition that lasts is told again, as `updated`, with its first new figures after so long."),
        .integer(
            "WATCHDOG_FLAP_COUNT", \.watchdogs.flapCount, 2...1_000, unit: "beginnings within an hour",
            "A condition that begins so often flaps: it ends only after a quarter of an hour of calm."),
    ]

    /// Each watchdog's own by its name, in the guide's order.
    public static let byWatchdog: [(name: String, settings: [Setting])] = [
        (
            "earnings_anomaly",
            common(
                "EARNINGS_ANOMALY", \.watchdogs.earningsAnomaly.isEnabled,
                \.watchdogs.earningsAnomaly.checkInterval)
                + [
                    assets("EARNINGS_ANOMALY", \.watchdogs.earningsAnomaly.symbols),
                    .decimal(
                        "EARNINGS_SURPRISE_THRESHOLD_PCT", \.watchdogs.earningsAnomaly.thresholdPct,
                        0.1...1000,
                        unit: "percent of the estimate", "`earnings_anomaly` fires above this surprise."),
                ]
        ),
        (
            "unusual_volume",
            common(
                "UNUSUAL_VOLUME", \.watchdogs.unusualVolume.isEnabled, \.watchdogs.unusualVolume.checkInterval
            )
                + [
                    assets("UNUSUAL_VOLUME", \.watchdogs.unusualVolume.symbols),
                    .decimal(
                        "UNUSUAL_VOLUME_MULTIPLIER", \.watchdogs.unusualVolume.multiplier, 1...1000,
                        unit: "times the mean",
                        "`unusual_volume` fires above this multiple of the mean volume."),
                ]
        ),
        (
            "whale_movement",
            common(
                "WHALE_MOVEMENT", \.watchdogs.whaleMovement.isEnabled, \.watchdogs.whaleMovement.checkInterval
            )
                + [
                    assets("WHALE_MOVEMENT", \.watchdogs.whaleMovement.symbols),
                    .decimal(
                        "WHALE_MOVEMENT_MIN_USD", \.watchdogs.whaleMovement.minUSD, 1_000...1_000_000_000_000,
                        unit: "US dollars", "`whale_movement` fires above this value of a transfer."),
                ]
        ),
        (
            "funding_rate",
            common("FUNDING_RATE", \.watchdogs.fundingRate.isEnabled, \.watchdogs.fundingRate.checkInterval)
                + [
                    assets("FUNDING_RATE", \.watchdogs.fundingRate.symbols),
                    .decimal(
                        "FUNDING_RATE_THRESHOLD_PCT", \.watchdogs.fundingRate.thresholdPct, 0.0001...100,
                        unit: "percent per 8 hours", "`funding_rate` fires above this mean rate."),
                ]
        ),
        (
            "liquidity_drop",
            common(
                "LIQUIDITY_DROP", \.watchdogs.liquidityDrop.isEnabled, \.watchdogs.liquidityDrop.checkInterval
            )
                + [
                    assets("LIQUIDITY_DROP", \.watchdogs.liquidityDrop.symbols),
                    .decimal(
                        "LIQUIDITY_DROP_THRESHOLD_PCT", \.watchdogs.liquidityDrop.thresholdPct, 1...99,
                        unit: "percent of the mean",
                        "`liquidity_drop` fires when the depth has fallen by more."),
                ]
        ),
        (
            "correlation_breakdown",
            common(
                "CORRELATION_BREAKDOWN", \.watchdogs.correlationBreakdown.isEnabled,
                \.watchdogs.correlationBreakdown.checkInterval)
                + [
                    Setting(
                        "CORRELATION_BREAKDOWN_PAIRS", \.watchdogs.correlationBreakdown.pairs, kind: .list,
                        allowed: "pairs of symbols such as BTC/ETH,SPY/QQQ, at most \(Setting.listLimit)",
                        "Which assets `correlation_breakdown` compares.",
                        value: { text in
                            Setting.list(text) { entry in
                                let symbols = entry.split(separator: "/", omittingEmptySubsequences: false)
                                    .map(
                                        String.init)
                                guard symbols.count == 2, symbols.allSatisfy(Setting.isSymbol),
                                    symbols[0] != symbols[1]
                                else { return nil }
                                return Settings.SymbolPair(symbols[0].uppercased(), symbols[1].uppercased())
                            }
                        }, text: { $0.map { "\($0.first)/\($0.second)" }.joined(separator: ",") }),
                    .decimal(
                        "CORRELATION_CHANGE_THRESHOLD", \.watchdogs.correlationBreakdown.threshold, 0.01...2,
                        unit: "of the correlation", "`correlation_breakdown` fires above this change."),
                ]
        ),
        (
            "exchange_outage",
            common(
                "EXCHANGE_OUTAGE", \.watchdogs.exchangeOutage.isEnabled,
                \.watchdogs.exchangeOutage.checkInterval)
                + [
                    Setting(
                        "EXCHANGE_OUTAGE_EXCHANGES", \.watchdogs.exchangeOutage.exchanges, kind: .list,
                        allowed: "some of \(Settings.ExchangeOutage.known.joined(separator: ","))",
                        "Which exchanges `exchange_outage` asks.",
                        value: { text in
                            Setting.list(text) { entry in
                                Settings.ExchangeOutage.known.first { $0 == entry.lowercased() }
                            }
                        }, text: { $0.joined(separator: ",") })
                ]
        ),
        (
            "price_anomaly",
            common(
                "PRICE_ANOMALY", \.watchdogs.priceAnomaly.isEnabled, \.watchdogs.priceAnomaly.checkInterval)
                + [
                    assets("PRICE_ANOMALY", \.watchdogs.priceAnomaly.symbols),
                    .decimal(
                        "PRICE_ANOMALY_THRESHOLD_PCT", \.watchdogs.priceAnomaly.thresholdPct, 0.01...100,
                        unit: "percent", "`price_anomaly` fires above this move."),
                    .seconds(
                        "PRICE_ANOMALY_WINDOW_SECONDS", \.watchdogs.priceAnomaly.window, 1...86_400,
                        "`price_anomaly` takes the move over this long; daily bars are judged bar to bar."),
                ]
        ),
    ]

    static let eachWatchdog = byWatchdog.flatMap(\.settings)

    /// What every watchdog has.
    private static func common(
        _ name: String, _ isEnabled: Setting.Property<Bool>, _ interval: Setting.Property<Duration>
    ) -> [Setting] {
        let watchdog = name.lowercased()
        return [
            .bool("ENABLE_\(name)_WATCHDOG", isEnabled, "Whether `\(watchdog)` runs."),
            .seconds(
                "\(name)_CHECK_INTERVAL", interval, 1...86_400,
                "From one check of `\(watchdog)` to the next."),
        ]
    }

    private static func assets(_ name: String, _ symbols: Setting.Property<[String]>) -> Setting {
        Setting(
            "\(name)_ASSETS", symbols, kind: .list,
            allowed: "symbols separated by commas, at most \(Setting.listLimit)",
            "What `\(name.lowercased())` watches of a live market.",
            value: { text in
                Setting.list(text) { Setting.isSymbol($0) ? $0.uppercased() : nil }
            }, text: { $0.joined(separator: ",") })
    }
}
