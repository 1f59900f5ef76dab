import FIMLCore
import MarketData

/// Cboe: options on US equities, funds and indices, 15 minutes late, without a key.
public enum Cboe {
    /// All options on an asset.
    public static func optionChain(of asset: Asset) -> Endpoint<OptionChain>? {
        let name: String? =
            switch asset.assetType {
            case .equity, .etf: Ticker.us(asset)
            case .index:
                Ticker.checked(asset.symbol.first == "^" ? String(asset.symbol.dropFirst()) : asset.symbol)
                    .map { "_\($0)" }
            case .crypto, .forex, .commodity, .option, .future: nil
            }
        guard let name else { return nil }
        let request = ProviderRequest("/api/global/delayed_quotes/options/\(name).json")
        return Endpoint(.cboe, request) { body throws(MarketDataError) in
            let answer = try AnswerReader.json(body)
            var options = CheckedOptions()
            // The time of the answer has no zone; it is UTC.
            guard let moment = options.reader.moment(answer["timestamp"], .spaced, at: "timestamp") else {
                throw options.reader.nothingUsable("moment")
            }
            let data = answer["data"]
            let price = options.reader.optionalPrice(data?["current_price"], at: "current_price")
            for (index, item) in (data?["options"]?.elements ?? []).enumerated() {
                let place = "options[\(index)]"
                guard let terms = OptionTerms(item["option"]?.text ?? "") else {
                    options.reader.refuse("\(place).option", "is not an option's symbol")
                    continue
                }
                options.add(
                    symbol: item["option"], kind: terms.kind, strike: .number(terms.strike),
                    expiresOn: terms.expiresOn,
                    .init(
                        bid: item["bid"], ask: item["ask"], last: item["last_trade_price"],
                        volume: item["volume"], openInterest: item["open_interest"],
                        impliedVolatility: item["iv"]), at: place)
            }
            return try options.decoded(at: moment, underlyingPrice: price)
        }
    }
}

/// What the symbol of an option says, by the Options Symbology Initiative of the OCC (2010): the root, the
/// day of expiry as YYMMDD, C or P, and the strike in thousandths, 8 digits: `RUT231020C01000000`.
struct OptionTerms {
    let kind: OptionContract.Kind
    let strike: Double
    let expiresOn: Timestamp

    /// nil where the text is no such symbol.
    init?(_ symbol: String) {
        let text = Array(symbol.utf8)
        guard (16...21).contains(text.count) else { return nil }
        let terms = text.suffix(15)
        let start = terms.startIndex
        func part(_ from: Int, _ count: Int) -> String {
            String(decoding: terms[start + from..<start + from + count], as: UTF8.self)
        }
        guard let day = Timestamp(rfc3339: "20\(part(0, 2))-\(part(2, 2))-\(part(4, 2))T00:00:00Z"),
            let right = ["C": OptionContract.Kind.call, "P": .put][part(6, 1)],
            terms.suffix(8).allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
            let thousandths = Int(part(7, 8)), thousandths > 0
        else { return nil }
        kind = right
        strike = Double(thousandths) / 1_000
        expiresOn = day
    }
}
