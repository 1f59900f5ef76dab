extension SettingTable {
    static let marketData: [Setting] = [
        .choice(
            "MARKET_DATA_SOURCE", \.marketData.source,
            "Where market data come from: the recorded market, or public APIs."),
        .integer(
            "REPLAY_SPEED", \.marketData.replaySpeed, 1...31_536_000,
            unit: "seconds of the recording per second",
            "How fast the recorded market is replayed."),
        Setting(
            "REPLAY_FROM", \.marketData.replayFrom, kind: .date,
            allowed: "a date as YYYY-MM-DD, from 1970 on",
            "First day that is replayed; the recording's own episodes where it is not set.",
            value: { CalendarDate($0).map(Optional.some) }, text: { $0?.description ?? "" }),
    ]

    /// The providers of live market data, as their settings begin.
    public static let providerNames = [
        "BINANCE", "BINANCE_FUTURES", "BYBIT", "OKX", "COINBASE", "COINBASE_EXCHANGE", "KRAKEN", "YAHOO",
        "YAHOO_COOKIE", "STOOQ", "SEC", "CBOE", "BLOCKCHAIN_INFO", "ESPLORA", "ETHEREUM", "ALPHA_VANTAGE",
        "FINNHUB", "FMP", "POLYGON", "TIINGO", "FRED", "NEWSAPI", "WHALE_ALERT",
    ]

    /// Those that answer only with a key.
    public static let keyedProviderNames = [
        "ALPHA_VANTAGE", "FINNHUB", "FMP", "POLYGON", "TIINGO", "FRED", "NEWSAPI", "WHALE_ALERT",
    ]

    static let providers: [Setting] =
        keyedProviderNames.map { name in
            Setting(
                "\(name)_API_KEY", \.marketData.providerKeys[name.lowercased()], kind: .text,
                allowed: "printable ASCII without spaces", isSecret: true,
                "Key of a provider, which is asked only where it is set.",
                value: { isKey($0) ? .some($0) : .none }, text: { $0 ?? "" })
        }
        + providerNames.map { name in
            Setting(
                "\(name)_BASE_URL", \.marketData.providerURLs[name.lowercased()], kind: .text,
                allowed: "http:// or https://, a host, and a path where there is one",
                "Another place of a provider's API: a proxy, a mirror, a test.",
                value: { baseURL($0).map(Optional.some) }, text: { $0 ?? "" })
        }

    @Sendable static func isKey(_ text: String) -> Bool {
        (1...512).contains(text.utf8.count) && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// A URL without a slash at its end; nil for anything else than a scheme, a host and a path.
    @Sendable static func baseURL(_ text: String) -> String? {
        let text = text.hasSuffix("/") ? String(text.dropLast()) : text
        guard isKey(text), !text.utf8.contains(where: "?#@\"<>\\^`{|}".utf8.contains),
            let scheme = ["https://", "http://"].first(where: { text.lowercased().hasPrefix($0) }),
            let first = text.dropFirst(scheme.count).utf8.first, first != UInt8(ascii: "/")
        else { return nil }
        return text
    }
}
