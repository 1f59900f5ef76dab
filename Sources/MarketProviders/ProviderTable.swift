extension Provider {
    /// What is known of a provider. The rates are those that it names for users without a contract or, where
    /// it names none, such that it will not mind.
    public static func of(_ name: ProviderName) -> Provider {
        switch name {
        // 6,000 weight a minute; requests say what they weigh.
        case .binance: free(name, "https://api.binance.com", 6_000)
        // 2,400 weight a minute, of which a funding rate is 1.
        case .binanceFutures: free(name, "https://fapi.binance.com", 600)
        // 600 in 5 s.
        case .bybit: free(name, "https://api.bybit.com", 600)
        // 20 in 2 s a path, the slowest of them 10.
        case .okx: free(name, "https://www.okx.com", 300)
        case .coinbase: free(name, "https://api.coinbase.com", 160)
        // 10 a second.
        case .coinbaseExchange: free(name, "https://api.exchange.coinbase.com", 300)
        // One a second.
        case .kraken: free(name, "https://api.kraken.com", 60)
        case .yahoo: free(name, "https://query1.finance.yahoo.com", 60)
        // And what Yahoo answers only with the cookie: it must not use up what it answers without.
        case .yahooCookie: free(name, "https://fc.yahoo.com", 30)
        case .stooq: free(name, "https://stooq.com", 30)
        // And 25 a day, which it says itself when they are used up.
        case .alphaVantage: keyed(name, "https://www.alphavantage.co", 5)
        case .finnhub: keyed(name, "https://finnhub.io", 60)
        // 250 a day.
        case .fmp: keyed(name, "https://financialmodelingprep.com", 30)
        case .polygon: keyed(name, "https://api.polygon.io", 5)
        // 50 an hour.
        case .tiingo: keyed(name, "https://api.tiingo.com", 10)
        // 10 a second.
        case .sec: free(name, "https://data.sec.gov", 300)
        case .fred: keyed(name, "https://api.stlouisfed.org", 120)
        // 100 a day.
        case .newsAPI: keyed(name, "https://newsapi.org", 10)
        case .cboe: free(name, "https://cdn.cboe.com", 30)
        case .esplora: free(name, "https://blockstream.info", 60)
        case .blockchainInfo: free(name, "https://blockchain.info", 8)
        case .ethereum: free(name, "https://ethereum-rpc.publicnode.com", 120)
        case .whaleAlert: keyed(name, "https://api.whale-alert.io", 10)
        }
    }

    private static func free(_ name: ProviderName, _ baseURL: String, _ requestsPerMinute: Int) -> Provider {
        Provider(name: name, baseURL: baseURL, requestsPerMinute: requestsPerMinute, needsKey: false)
    }

    private static func keyed(_ name: ProviderName, _ baseURL: String, _ requestsPerMinute: Int) -> Provider {
        Provider(name: name, baseURL: baseURL, requestsPerMinute: requestsPerMinute, needsKey: true)
    }
}
