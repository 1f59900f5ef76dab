/// What kind of instrument an asset is.
public enum AssetType: String, CaseIterable, Sendable {
    case equity, crypto, forex, commodity, index, etf, option, future
}

/// Where an asset trades.
public enum Market: String, CaseIterable, Sendable {
    case us = "US"
    case uk = "UK"
    case eu = "EU"
    case jp = "JP"
    case cn = "CN"
    case hk = "HK"
    case crypto = "CRYPTO"
    case global = "GLOBAL"
}

/// An instrument that events speak of.
public struct Asset: Hashable, Sendable {
    /// The ticker, upper case, 1 to 32 characters: `BTC`, `AAPL`.
    public var symbol: String
    /// The full name, where it is known.
    public var name: String?
    /// What kind of instrument it is.
    public var assetType: AssetType
    /// Where it trades.
    public var market: Market
    /// The venue, where one is meant: `binance`.
    public var exchange: String?
    /// The currency that its prices are in, ISO 4217 or a crypto ticker.
    public var currency: String
    /// The trading pair, where one is meant: `BTCUSDT`.
    public var pair: String?

    /// An asset with FIML's defaults: market US, currency USD.
    public init(
        symbol: String, name: String? = nil, assetType: AssetType, market: Market = .us,
        exchange: String? = nil, currency: String = "USD", pair: String? = nil
    ) {
        self.symbol = symbol
        self.name = name
        self.assetType = assetType
        self.market = market
        self.exchange = exchange
        self.currency = currency
        self.pair = pair
    }
}
