import FIMLCore
import MarketData

/// Whale Alert: large transactions on many chains, valued in dollars; needs a key.
public enum WhaleAlert {
    /// How many transactions an answer has at most.
    public static let pageSize = 100

    /// The transactions since a moment that are worth at least so many dollars, oldest first, at most the first
    /// 100. With a `symbol` only those of that asset, of whichever chain. `from` and `to` are owners' names where
    /// they are known, else addresses.
    public static func transactions(since: Timestamp, minUSD: Double, key: String, symbol: String? = nil)
        -> Endpoint<[Transfer]>
    {
        // The service refuses less than 500,000 dollars.
        let least = max(Int64(exactly: minUSD.rounded(.down)) ?? 0, 500_000)
        var query = [
            ["start", "\(since.milliseconds / 1_000)"], ["min_value", "\(least)"], ["limit", "\(pageSize)"],
        ]
        if let symbol { query.append(["currency", symbol.lowercased()]) }
        // The key goes into a field, not into the query, so that no log of URLs has it.
        let request = ProviderRequest("/v1/transactions", query: query, fields: [["X-WA-API-KEY", key]])
        return Endpoint(.whaleAlert, request) { body throws(MarketDataError) in
            try transfers(in: body, symbol: symbol)
        }
    }

    private static func transfers(in body: [UInt8], symbol: String?) throws(MarketDataError)
        -> Decoded<[Transfer]>
    {
        let answer = try AnswerReader.json(body)
        guard answer["result"]?.text == "success" else {
            throw MarketDataError(saidByProvider: answer["message"])
        }
        // Left out where there are none.
        let entries = answer["transactions"]?.elements ?? []
        var reader = AnswerReader()
        var transfers: [Transfer] = []
        for (index, entry) in entries.prefix(AnswerReader.transactionLimit).enumerated() {
            if let symbol, entry["symbol"]?.text?.uppercased() != symbol.uppercased() { continue }
            let place = "transactions[\(index)]"
            guard let hash = AnswerReader.party(entry["hash"]) else {
                reader.refuse("\(place).hash", "is not a hash")
                continue
            }
            guard
                let time = reader.seconds(entry["timestamp"], at: "\(place).timestamp"),
                let amount = reader.amount(entry["amount"], at: "\(place).amount"),
                let value = reader.amount(entry["amount_usd"], at: "\(place).amount_usd")
            else { continue }
            transfers.append(
                Transfer(
                    hash: hash, observedAt: time, from: party(entry["from"]), to: party(entry["to"]),
                    amount: amount, usdValue: value))
        }
        guard reader.refused.count == 0 || !transfers.isEmpty else {
            throw reader.nothingUsable("transaction")
        }
        transfers.sort { $0.observedAt < $1.observedAt }
        return Decoded(transfers, refused: reader.refused)
    }

    private static func party(_ value: JSONValue?) -> String? {
        AnswerReader.party(value?["owner"]) ?? AnswerReader.party(value?["address"])
    }
}
