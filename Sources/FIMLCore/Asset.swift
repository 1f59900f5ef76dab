/// What kind of instrument an asset is.
public enum AssetType: String, CaseIterable, JSONWritable, Sendable {
    case equity, crypto, forex, commodity, index, etf, option, future
}

/// Where an asset trades.
public enum Market: String, CaseIterable, JSONWritable, Sendable {
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
        exchange: String? = nil,
        currency: String = "USD", pair: String? = nil
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

extension Asset: JSONWritable {
    /// Whether a text can be a symbol: 1 to 32 characters of printable ASCII without space, and without the
    /// comma and the asterisk, which lists and filters need.
    public static func isSymbol(_ text: String) -> Bool {
        (1...32).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                byte > 0x20 && byte < 0x7F && byte != UInt8(ascii: "*") && byte != UInt8(ascii: ",")
            }
    }

    /// Reads an asset as events carry it. Required are `symbol` (put into upper case) and `asset_type`;
    /// `market` is US and `currency` is USD where they are not given.
    package static func parse(_ value: JSONValue, at path: String) throws(InvalidMember) -> Asset {
        let reader = try MemberReader(
            value, at: path,
            allowed: ["symbol", "name", "asset_type", "market", "exchange", "currency", "pair"])
        return Asset(
            symbol: try symbolInUpperCase(
                try reader.requiredText("symbol", limit: 32), at: reader.path(of: "symbol")),
            name: try reader.text("name", limit: 128),
            assetType: try reader.require("asset_type", reader.choice),
            market: try reader.choice("market") ?? .us,
            exchange: try reader.text("exchange", limit: 32),
            currency: try reader.text("currency", limit: 16) ?? "USD",
            pair: try reader.text("pair", limit: 32))
    }

    static func symbolInUpperCase(_ text: String, at path: String) throws(InvalidMember) -> String {
        guard isSymbol(text) else {
            throw InvalidMember(
                path: path,
                problem: "must be 1 to 32 characters of printable ASCII without space, comma and asterisk")
        }
        return text.uppercased()
    }

    /// Writes the asset; `name`, `exchange` and `pair` only where they are known.
    public func write(to writer: inout JSONWriter) {
        writer.beginObject()
        writer.member("symbol", symbol)
        writer.member("name", ifPresent: name)
        writer.member("asset_type", assetType)
        writer.member("market", market)
        writer.member("exchange", ifPresent: exchange)
        writer.member("currency", currency)
        writer.member("pair", ifPresent: pair)
        writer.endObject()
    }
}
