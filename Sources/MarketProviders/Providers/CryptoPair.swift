import FIMLCore

/// What is traded against what on an exchange of crypto assets.
struct CryptoPair: Hashable {
    /// Dollars on chains: what others are priced in, and not asked for themselves.
    private static let dollars: Set<String> = [
        "USDT", "USDC", "DAI", "BUSD", "FDUSD", "TUSD", "USDP", "PYUSD", "USDE", "USD",
    ]

    /// The asset: `BTC`.
    let base: String
    /// What it is priced in, where the asset says so; nil leaves it to the exchange.
    let quote: String?

    /// The pair of a crypto asset: of its `pair` (`BTCUSDT`, `BTC-USDT`) where that begins with its symbol, else
    /// of its symbol and its currency, where that is not the dollar.
    ///
    /// Nil for other assets, for dollars on chains, for a `pair` of another symbol, and for what is not letters
    /// and digits: only those may come into a URL.
    init?(_ asset: Asset) {
        let base = asset.symbol
        guard asset.assetType == .crypto, !Self.dollars.contains(base), Self.isTicker(base) else {
            return nil
        }
        self.base = base
        guard let pair = asset.pair else {
            guard asset.currency == "USD" || Self.isTicker(asset.currency) else { return nil }
            quote = asset.currency == "USD" ? nil : asset.currency
            return
        }
        guard pair.hasPrefix(base) else { return nil }
        let rest = pair.dropFirst(base.count)
        let quote = String("-/_".contains(rest.first ?? " ") ? rest.dropFirst() : rest)
        guard Self.isTicker(quote) else { return nil }
        self.quote = quote
    }

    /// Base and quote, with a separator between them.
    func name(separator: String = "", defaultQuote: String) -> String {
        base + separator + (quote ?? defaultQuote)
    }

    private static func isTicker(_ text: String) -> Bool {
        (1...20).contains(text.utf8.count)
            && text.utf8.allSatisfy { byte in
                (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
                    || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
            }
    }
}
