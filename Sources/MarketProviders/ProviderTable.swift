extension Provider {
    /// What is known of a provider. The rates are those that it names for users without a contract or, where
    /// it names none, such that it will not mind. A burst stands where it counts by the second.
    public static func of(_ name: ProviderName) -> Provider {
        switch name {
        // 6,000 weight a minute; requests say what they weigh.
        case .binance: one(name, "https://api.binance.com", 6_000)
        // 2,400 weight a minute, of which a funding rate is 1.
        case .binanceFutures: one(name, "https://fapi.binance.com", 600)
        // 600 in 5 s.
        case .bybit: one(name, "https://api.bybit.com", 600)
        // 20 in 2 s a path, the slowest of them 10.
        case .okx: one(name, "https://www.okx.com", 300, burst: 10)
        case .coinbase: one(name, "https://api.coinbase.com", 160)
        // 10 a second.
        case .coinbaseExchange: one(name, "https://api.exchange.coinbase.com", 300, burst: 10)
        // One a second.
        case .kraken: one(name, "https://api.kraken.com", 60, burst: 2)
        case .yahoo: one(name, "https://query1.finance.yahoo.com", 60)
        // And what Yahoo answers only with the cookie: it must not use up what it answers without.
        case .yahooCookie: one(name, "https://fc.yahoo.com", 30)
        case .stooq: one(name, "https://stooq.com", 30)
        case .alphaVantage: one(name, "https://www.alphavantage.co", 5, and: RequestRate(25, in: .day))
        case .finnhub: one(name, "https://finnhub.io", 60)
        case .fmp: one(name, "https://financialmodelingprep.com", 30, and: RequestRate(250, in: .day))
        case .polygon: one(name, "https://api.polygon.io", 5)
        case .tiingo: one(name, "https://api.tiingo.com", 10, and: RequestRate(50, in: .hour))
        // 10 a second.
        case .sec: one(name, "https://data.sec.gov", 300, burst: 5)
        case .fred: one(name, "https://api.stlouisfed.org", 120)
        case .newsAPI: one(name, "https://newsapi.org", 10, and: RequestRate(100, in: .day))
        case .cboe: one(name, "https://cdn.cboe.com", 30)
        case .esplora: one(name, "https://blockstream.info", 60)
        case .blockchainInfo: one(name, "https://blockchain.info", 8)
        case .ethereum: one(name, "https://ethereum-rpc.publicnode.com", 120)
        case .whaleAlert: one(name, "https://api.whale-alert.io", 10)
        }
    }

    private static func one(
        _ name: ProviderName, _ baseURL: String, _ perMinute: Int, burst: Int? = nil,
        and longer: RequestRate? = nil
    ) -> Provider {
        let rates = [RequestRate(perMinute, in: .minute, burst: burst)] + [longer].compactMap(\.self)
        return Provider(name: name, baseURL: baseURL, rates: rates)
    }
}
