/// The public APIs that market data come from, by the name that settings, health and logs use.
public enum ProviderName: String, CaseIterable, Sendable {
    case binance
    case binanceFutures = "binance_futures"
    case bybit
    case okx
    case coinbase
    case coinbaseExchange = "coinbase_exchange"
    case kraken
    case yahoo
    case yahooCookie = "yahoo_cookie"
    case stooq
    case alphaVantage = "alpha_vantage"
    case finnhub
    case fmp
    case polygon
    case tiingo
    case sec
    case fred
    case newsAPI = "newsapi"
    case cboe
    case esplora
    case blockchainInfo = "blockchain_info"
    case ethereum
    case whaleAlert = "whale_alert"
}

/// What there is to know of a provider before it is asked.
public struct Provider: Sendable {
    /// Its name.
    public let name: ProviderName
    /// Where its API is, unless a setting says otherwise; without a slash at the end.
    public let baseURL: String
    /// How often it may be asked, by its own terms for users without a contract. All of them are kept.
    public let rates: [RequestRate]
}
